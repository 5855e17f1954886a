/** The public API of murmure. */

export type { SyncReport } from '../machines/events.ts';
export { createDirectory, type Directory, type DirectoryOptions } from './directory/create-directory.ts';
export { fingerprint } from './identity/fingerprint.ts';
export { createKeyFile, loadKeyFile } from './identity/key-file.ts';
export { generateKeyPair, type KeyPair, keyPairFromPem } from './identity/key-pair.ts';
export type { PublicKey } from './identity/public-key.ts';
export type { Explanation } from './journal/explain.ts';
export { createJournalFile } from './journal/journal-file.ts';
export type { JournalSink } from './journal/recorder.ts';
export { createPeer } from './peer/create-peer.ts';
export type { DirectoryPeer } from './peer/directory-http.ts';
export type { Peer, PeerFact, PeerOptions } from './peer/peer.ts';
export { createMemoryStore } from './store/memory-store.ts';
export { openSqliteStore } from './store/sqlite-store.ts';
export type { Store, StoredMessage } from './store/store.ts';
export type { Hash } from './wire/hash.ts';
export { type ErrorCode, MurmureError } from './wire/murmure-error.ts';
export type { SocketAddress } from './wire/socket-address.ts';
