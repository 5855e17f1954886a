/** The public API of murmure. */
import type { Directory, DirectoryOptions } from './directory/directory.ts';

export type { HistoryCheck, SyncReport } from '../machines/events.ts';
export type { Wish, WishAnswer } from '../machines/wishes.ts';
export type { Directory, DirectoryOptions } from './directory/directory.ts';
export type { Message } from './feed/message.ts';
export { fingerprint } from './identity/fingerprint.ts';
export { createKeyFile, loadKeyFile } from './identity/key-file.ts';
export { generateKeyPair, type KeyPair, keyPairFromPem } from './identity/key-pair.ts';
export type { PublicKey } from './identity/public-key.ts';
export type { Explanation } from './journal/explain.ts';
export { createJournalFile } from './journal/journal-file.ts';
export type { JournalSink } from './journal/recorder.ts';
export type { DirectoryPeer } from './peer/directory-http.ts';
export type { Peer, PeerFact, PeerOptions } from './peer/peer.ts';
export { createPeer } from './peer/system-peer.ts';
export { openSqliteStore } from './store/sqlite-store.ts';
export type { MessageQuery, Store, StoredMessage } from './store/store.ts';
export type { Hash } from './wire/hash.ts';
export { type ErrorCode, MurmureError } from './wire/murmure-error.ts';
export type { SocketAddress } from './wire/socket-address.ts';

/**
 * Starts a directory (protocol §3, §5, §8); resolves once HTTPS and UDP are bound.
 * @throws MurmureError if an address cannot be bound, or what is in `home`, or the certificate, cannot be used
 */
export async function createDirectory(options: DirectoryOptions = {}): Promise<Directory> {
  // A program that runs peers alone loads no web server.
  const directory = await import('./directory/create-directory.ts');
  return directory.createDirectory(options);
}
