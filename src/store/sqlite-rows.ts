/** Rows of the database, and what the store makes of them. */
import type { PublicKey } from '../identity/public-key.ts';
import { HASH_BYTES, type Hash, hashFromBytes } from '../wire/hash.ts';
import { decodeNode, type MessageFields } from '../wire/node.ts';
import type { PeerRecord, StoredMessage, StoredNode } from './store.ts';

export interface PeerRow {
  name: string;
  key: PublicKey | null;
  following: number;
  muted: number;
  muted_until_ms: number | null;
  blocked: number;
  root: Uint8Array | null;
  messages: number;
  quota: number | null;
  first_seen_ms: number;
  last_sync_ms: number | null;
}

export interface MessageRow {
  arrival: number;
  /** The leaf's number. */
  node: number;
  author: string;
  order_ms: number;
  received_ms: number;
  authenticated: number;
  read: number;
}

/** As `hashToBytes`, but in memory outside the heap, from which SQLite reads at half the cost. @throws RangeError */
export function blob(hash: Hash): Uint8Array {
  const bytes = Buffer.from(hash, 'hex');
  if (bytes.length !== HASH_BYTES || hash.length !== 2 * HASH_BYTES)
    throw new RangeError(`not a hash: ${JSON.stringify(hash)}`);
  return bytes;
}

export function hashFrom(bytes: Uint8Array): Hash {
  return hashFromBytes(bytes);
}

export function peerFrom(row: PeerRow): PeerRecord {
  return {
    name: row.name,
    key: row.key ?? undefined,
    following: row.following === 1,
    muted: row.muted === 1,
    mutedUntilMs: row.muted_until_ms ?? undefined,
    blocked: row.blocked === 1,
    root: row.root === null ? undefined : hashFrom(row.root),
    // What is being fetched for the first time is not shown until all of it is there.
    messages: row.root === null ? 0 : row.messages,
    quota: row.quota ?? undefined,
    firstSeenMs: row.first_seen_ms,
    lastSyncMs: row.last_sync_ms ?? undefined,
  };
}

/** The message in a leaf; undefined for a leaf of another kind, or a malformed one. */
export function messageIn(value: Uint8Array | undefined): MessageFields | undefined {
  const node = value === undefined ? undefined : decodeNode(value);
  return node?.ok && node.value.kind === 'message' ? node.value : undefined;
}

/** What is in the leaf of a message, and never changes. */
export interface MessageContent extends MessageFields {
  readonly hash: Hash;
}

export function contentOf(leaf: StoredNode | undefined): MessageContent {
  const { date = 0, inReplyTo = null, body = '' } = messageIn(leaf?.value) ?? {};
  return { hash: leaf?.hash ?? '', date, inReplyTo, body };
}

export function messageFrom(row: MessageRow, { hash, date, inReplyTo, body }: MessageContent): StoredMessage {
  return {
    hash,
    author: row.author,
    date,
    inReplyTo,
    body,
    receivedAtMs: row.received_ms,
    authenticated: row.authenticated === 1,
    read: row.read === 1,
  };
}
