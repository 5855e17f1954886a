/** What `import … from 'murmure'` loads: it checks the version of Node.js, then loads the public API (`index.ts`). */
import { whyNotThisNode } from './runtime/node-version.ts';

const why = whyNotThisNode(process.versions.node);
if (why !== undefined) throw new Error(why);

// Not a static import: an older Node.js would fail while loading it, before the version is checked.
export const {
  createDirectory,
  createJournalFile,
  createKeyFile,
  createPeer,
  fingerprint,
  generateKeyPair,
  keyPairFromPem,
  loadKeyFile,
  MurmureError,
  openSqliteStore,
} = await import('./index.ts');
