/** Which version of Node.js murmure needs. This file loads in any version, before anything that needs a newer one. */

/** Undefined if this version will do. */
export function whyNotThisNode(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major >= 26 || (major === 24 && minor >= 15)) return undefined;
  return `murmure needs Node.js 24.15 or later, or 26, but this is ${version}. Install it from https://nodejs.org/`;
}
