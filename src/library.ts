/** What `import … from 'murmure'` loads: the public API, once it is clear that this Node.js can run it. `index.ts` describes it. */
import { whyNotThisNode } from './runtime/node-version.ts';

const why = whyNotThisNode(process.versions.node);
if (why !== undefined) throw new Error(why);

// Not a static import: an older Node.js would fail in it before anything could be said.
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
