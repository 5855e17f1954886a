/** Which Node.js murmure needs. Imports nothing that older ones lack, so that they can say it. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

/** Undefined if this one will do. */
export const whyNotThisNode: string | undefined =
  major >= 26 || (major === 24 && minor >= 15)
    ? undefined
    : `murmure needs Node.js 24.15 or later, or 26, but this is ${process.versions.node}. Install it from https://nodejs.org/`;
