/**
 * SQLite of Node.js. A module that imports node:sqlite cannot even be linked by an older Node.js, and nothing could say
 * which one is needed.
 */
export const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
export type DatabaseSync = InstanceType<typeof DatabaseSync>;
