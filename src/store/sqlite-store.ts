/**
 * The store in SQLite. WAL, so that a `post` beside a `serve` reads and writes at the same time. What was acknowledged must
 * survive a power cut: such commits wait for the disk (synchronous=FULL). Nodes on their way do not; others have them still.
 * Every write begins IMMEDIATE: it then sees what it changes, and two processes never append to the same own root.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { PublicKey } from '../identity/public-key.ts';
import { appendLeaf, loadRightEdge } from '../merkle/append.ts';
import { buildTree, FULL_TREES } from '../merkle/build.ts';
import { canonicalLeaves, replaceLeaf, TOMBSTONE } from '../merkle/withdraw.ts';
import { type Hash, hashOf } from '../wire/hash.ts';
import { encodeMessage, type MessageFields, nodeKind } from '../wire/node.ts';
import { messageIn } from './adoption.ts';
import { migrate } from './migrations.ts';
import { openDatabase } from './open-database.ts';
import { SqliteAdoption } from './sqlite-adoption.ts';
import { BYTES_ABOVE_LEAF, noteLive, sweepNodes } from './sqlite-collection.ts';
import { SqliteConnection } from './sqlite-connection.ts';
import { SqliteContacts } from './sqlite-contacts.ts';
import { ownLeaf, SqliteLeaves } from './sqlite-leaves.ts';
import { SqliteMessages } from './sqlite-messages.ts';
import { blob, hashFrom, type PeerRow, peerFrom } from './sqlite-rows.ts';
import { indexArrivals } from './sqlite-search.ts';
import type {
  AdoptionInput,
  AdoptionStep,
  Arrival,
  Habit,
  MessageQuery,
  NodeStatus,
  OwnFeed,
  PeerRecord,
  SearchQuery,
  Store,
  StoredMessage,
  StoredNode,
} from './store.ts';
import { asStoreError, OwnTreeExistsError } from './store-errors.ts';

const BUSY_TIMEOUT_MS = 5_000;
/** Collection runs when so much, and half as much as is in use, may be garbage. */
const GARBAGE_FLOOR_BYTES = 64 * 1024;
/** As many nodes as are looked at within some 10 ms. A change of about five hundred leaves is one step. */
const ADOPTION_STEP = 4_096;

/** Between two slices of indexing, so that it takes little of a sync, and no key press waits. */
const INDEX_AFTER_MS = 25;
/** Messages a slice: some milliseconds. */
const INDEX_SLICE = 256;

interface HomeRow {
  own_root: Uint8Array;
  own_leaves: number;
  node_bytes: number;
  live_bytes: number;
}

export interface SqliteStoreOptions {
  /** How long to wait for another process's transaction, ms. Default 5,000. */
  readonly busyTimeoutMs?: number;
  /** How large the file may become, in pages of 4 kB: more is a full disk. Default: as large as the disk allows. */
  readonly maxPages?: number;
  /** How much of an adoption is done in one call, in nodes looked at. Default 4,096. */
  readonly adoptionStep?: number;
}

/**
 * Opens, or creates, the database of a home; one that cannot be written can be read. `:memory:` is one of its own each time.
 * @throws the errors of store-errors.ts
 */
export function openSqliteStore(file: string, options: SqliteStoreOptions = {}): Store {
  const { busyTimeoutMs = BUSY_TIMEOUT_MS, maxPages, adoptionStep = ADOPTION_STEP } = options;
  try {
    const db = openDatabase(file, busyTimeoutMs);
    try {
      migrate(db, file);
      if (maxPages !== undefined) db.exec(`PRAGMA max_page_count = ${Math.floor(maxPages)}`);
      return new SqliteStore(db, file, adoptionStep);
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    throw asStoreError(file, error);
  }
}

class SqliteStore implements Store {
  readonly #db: SqliteConnection;
  readonly #leaves: SqliteLeaves;
  readonly #messages: SqliteMessages;
  readonly #contacts: SqliteContacts;
  readonly #adoptionStep: number;
  /** Those that are under way, by feed. */
  readonly #adoptions = new Map<string, SqliteAdoption>();
  #indexing: NodeJS.Timeout | undefined;

  constructor(db: DatabaseSync, file: string, adoptionStep: number) {
    this.#adoptionStep = adoptionStep;
    this.#db = new SqliteConnection(db, file);
    this.#leaves = new SqliteLeaves(this.#db);
    this.#messages = new SqliteMessages(this.#db);
    this.#contacts = new SqliteContacts(this.#db);
    this.#indexSoon();
  }

  getNode(hash: Hash): Uint8Array | undefined {
    return this.#db.get<{ value: Uint8Array }>('SELECT value FROM nodes WHERE hash = ?', blob(hash))?.value;
  }

  ownFeed(): OwnFeed {
    const { own_root, own_leaves } = this.#home();
    return { root: hashFrom(own_root), messages: own_leaves };
  }

  publish(author: string, message: MessageFields, nowMs: number): { hash: Hash; root: Hash } {
    const value = encodeMessage(message);
    const hash = hashOf(value);
    return this.#db.write(() => {
      const own = this.ownFeed();
      const edge = loadRightEdge(own.root, own.messages, (node) => this.getNode(node));
      const { root, created } = appendLeaf(edge, hash);
      this.#insertNodes([{ hash, value }, ...created]);
      const peer = this.#leaves.peerId(author, nowMs);
      const isNew = !this.#leaves.has(peer, hash);
      if (isNew) this.#leaves.add(peer, this.#leaves.nodeId(hash), message, ownLeaf(nowMs));
      this.#setOwn(peer, root, { leaves: own.messages + 1, messages: +isNew });
      if (isNew) noteLive(this.#db, value.length + BYTES_ABOVE_LEAF);
      this.#collectIfWorthIt();
      return { hash, root };
    });
  }

  withdraw(author: string, hash: Hash, nowMs: number): { root: Hash } | undefined {
    return this.#db.write(() => {
      const { root: before, messages: count } = this.ownFeed();
      const read = (node: Hash) => this.getNode(node);
      const positions = canonicalLeaves(before, count, read).flatMap((leaf, at) => (leaf === hash ? [at] : []));
      const tombstone = hashOf(TOMBSTONE);
      if (positions.length === 0 || hash === tombstone) return undefined;
      this.#insertNodes([{ hash: tombstone, value: TOMBSTONE }]);
      let root = before;
      for (const position of positions) {
        const replaced = replaceLeaf(root, count, position, tombstone, read);
        this.#insertNodes(replaced.created);
        root = replaced.root;
      }
      const peer = this.#leaves.peerId(author, nowMs);
      const wasMessage = this.#leaves.remove(peer, hash);
      if (!this.#leaves.has(peer, tombstone))
        this.#leaves.add(peer, this.#leaves.nodeId(tombstone), undefined, ownLeaf(nowMs));
      this.#setOwn(peer, root, { leaves: count, messages: -Number(wasMessage) });
      // At once: what was withdrawn must not be there to be asked for.
      this.#collect();
      return { root };
    });
  }

  ownLeaves(): Uint8Array[] {
    const { root, messages } = this.ownFeed();
    const hashes = canonicalLeaves(root, messages, (node) => this.getNode(node));
    return hashes.map((hash) => this.getNode(hash) as Uint8Array);
  }

  restore(author: string, leaves: readonly Uint8Array[], nowMs: number): { root: Hash } {
    return this.#db.write(() => {
      if (this.ownFeed().messages > 0) throw new OwnTreeExistsError();
      const nodes = leaves.map((value) => ({ hash: hashOf(value), value }));
      const { root, nodes: internal } = buildTree(nodes.map(({ hash }) => hash));
      this.#insertNodes(nodes);
      this.#insertNodes([...internal].map(([hash, value]) => ({ hash, value })));
      const peer = this.#leaves.peerId(author, nowMs);
      let messages = 0;
      for (const { hash, value } of nodes) {
        if (this.#leaves.has(peer, hash)) continue;
        const message = messageIn(value);
        this.#leaves.add(peer, this.#leaves.nodeId(hash), message, ownLeaf(nowMs));
        noteLive(this.#db, value.length + BYTES_ABOVE_LEAF);
        messages += message === undefined ? 0 : 1;
      }
      this.#setOwn(peer, root, { leaves: leaves.length, messages });
      return { root };
    });
  }

  foreignChanges(): number {
    return this.#db.get<{ data_version: number }>('PRAGMA data_version')?.data_version ?? 0;
  }

  statusOf(hashes: readonly Hash[]): NodeStatus[] {
    return this.#db.read(() =>
      hashes.map((hash) => {
        const row = this.#db.get<{ leaves: number | null }>('SELECT leaves FROM nodes WHERE hash = ?', blob(hash));
        if (row === undefined) return 'missing';
        return row.leaves === null ? 'partial' : 'complete';
      }),
    );
  }

  beginWalk(feed: string, root: Hash, nowMs: number): void {
    this.#db.write(
      () => this.#db.run('UPDATE peers SET wanted = ? WHERE id = ?', blob(root), this.#leaves.peerId(feed, nowMs)),
      {
        durable: false,
      },
    );
  }

  putNodes(nodes: readonly StoredNode[]): void {
    this.#db.write(() => this.#insertNodes(nodes), { durable: false });
  }

  adopt(input: AdoptionInput): AdoptionStep {
    this.#indexSoon();
    const { feed, nowMs } = input;
    const begun = this.#adoptions.get(feed);
    // What fails is rolled back, and not gone on with.
    this.#adoptions.delete(feed);
    const isSame = JSON.stringify(begun?.input) === JSON.stringify(input);
    const adopting = begun && isSame ? begun : new SqliteAdoption(this.#db, this.#leaves, input);
    const adoption = this.#db.write(() => adopting.step(this.#adoptionStep), { durable: false });
    if (adoption?.status === 'adopted') {
      // What is durable makes all before it so: the disk is waited for once.
      this.#db.write(() => {
        this.#db.run('UPDATE peers SET last_sync_ms = ? WHERE name = ?', nowMs, feed);
        this.#collectIfWorthIt();
      });
    }
    if (adoption !== undefined) return adoption;
    this.#adoptions.set(feed, adopting);
    return { status: 'underway' };
  }

  endWalk(feed: string): void {
    this.#db.write(() => this.#db.run('UPDATE peers SET wanted = NULL WHERE name = ?', feed), { durable: false });
  }

  currentRoot(feed: string): Hash | undefined {
    const row = this.#db.get<{ root: Uint8Array | null }>('SELECT root FROM peers WHERE name = ?', feed);
    return row?.root ? hashFrom(row.root) : undefined;
  }

  isSuperseded(root: Hash): boolean {
    const sql = `SELECT 1 FROM superseded JOIN nodes ON hash = superseded.root
      WHERE superseded.root = ? AND leaves NOT IN (${FULL_TREES}) AND superseded.root NOT IN (SELECT root FROM peers WHERE root NOT NULL)`;
    return this.#db.get(sql, blob(root)) !== undefined;
  }

  isCurrent(feed: string, root: Hash): boolean {
    const sql = 'SELECT 1 FROM peers WHERE name = ? AND root = ? AND adopting IS NULL';
    return this.#db.get(sql, feed, blob(root)) !== undefined;
  }

  peer(name: string): PeerRecord | undefined {
    const row = this.#db.get<PeerRow>('SELECT * FROM peers WHERE name = ?', name);
    return row && peerFrom(row);
  }

  peers(): PeerRecord[] {
    return this.#db.all<PeerRow>('SELECT * FROM peers ORDER BY name').map(peerFrom);
  }

  pinKey(name: string, key: PublicKey, nowMs: number): 'pinned' | 'same' | 'changed' {
    const pinned = this.peer(name)?.key;
    if (pinned !== undefined) return pinned === key ? 'same' : 'changed';
    return this.#db.write(() => {
      const peer = this.#leaves.peerId(name, nowMs);
      const isPinned = this.#db.run('UPDATE peers SET key = ? WHERE id = ? AND key IS NULL', key, peer) === 1;
      if (isPinned) return 'pinned';
      return this.peer(name)?.key === key ? 'same' : 'changed';
    });
  }

  repinKey(name: string, key: PublicKey, nowMs: number): PublicKey | undefined {
    return this.#db.write(() => {
      const before = this.peer(name)?.key;
      this.#db.run('UPDATE peers SET key = ? WHERE id = ?', key, this.#leaves.peerId(name, nowMs));
      return before;
    });
  }

  setFollowing(name: string, following: boolean, nowMs: number): void {
    this.#db.write(() =>
      this.#db.run('UPDATE peers SET following = ? WHERE id = ?', +following, this.#leaves.peerId(name, nowMs)),
    );
  }

  setMuted(name: string, muted: boolean, nowMs: number): void {
    this.#db.write(() =>
      this.#db.run('UPDATE peers SET muted = ? WHERE id = ?', +muted, this.#leaves.peerId(name, nowMs)),
    );
  }

  noteReader(name: string, nowMs: number): void {
    this.#contacts.noteReader(name, nowMs);
  }

  readersSince(ms: number): string[] {
    return this.#contacts.readersSince(ms);
  }

  habitOf(address: string, key: PublicKey | null): Habit | undefined {
    return this.#contacts.habitOf(address, key);
  }

  noteHabit(address: string, key: PublicKey | null, habit: Habit, nowMs: number): void {
    this.#contacts.noteHabit(address, key, habit, nowMs);
  }

  trustsUnsigned(name: string, key: PublicKey): boolean {
    return this.#contacts.trustsUnsigned(name, key);
  }

  setTrustUnsigned(name: string, key: PublicKey, trusts: boolean): void {
    this.#contacts.setTrustUnsigned(name, key, trusts);
  }

  messages(query?: MessageQuery): StoredMessage[] {
    return this.#messages.find(query);
  }

  message(hash: Hash): StoredMessage | undefined {
    return this.#messages.byHash(hash);
  }

  messagesStartingWith(prefix: string, limit: number): StoredMessage[] {
    return this.#messages.startingWith(prefix, limit);
  }

  replies(hash: Hash): StoredMessage[] {
    return this.#messages.replies(hash);
  }

  search(query: SearchQuery): StoredMessage[] {
    return this.#messages.search(query);
  }

  lastArrival(): number {
    return this.#leaves.lastArrival();
  }

  arrivalsAfter(arrival: number, limit: number): Arrival[] {
    return this.#messages.after(arrival, limit);
  }

  countMessages(): number {
    return this.#db.get<{ count: number }>('SELECT ifnull(sum(messages), 0) AS count FROM peers')?.count ?? 0;
  }

  markRead(hashes: readonly Hash[]): void {
    this.#db.write(() => {
      for (const hash of hashes)
        this.#db.run(
          'UPDATE leaves SET read = 1 WHERE node = (SELECT id FROM nodes WHERE hash = ?) AND order_ms IS NOT NULL',
          blob(hash),
        );
    });
  }

  collectGarbage(): number {
    return this.#db.write(() => this.#collect());
  }

  close(): void {
    clearTimeout(this.#indexing);
    this.#db.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Indexes slice after slice, once nothing else is to be done. A search does what is left, so nobody has to wait for it. */
  #indexSoon(): void {
    clearTimeout(this.#indexing);
    this.#indexing = setTimeout(() => {
      try {
        if (indexArrivals(this.#db, INDEX_SLICE)) this.#indexSoon();
      } catch {
        // A search meets the same, and says so.
      }
    }, INDEX_AFTER_MS).unref();
  }

  #home(): HomeRow {
    return this.#db.get<HomeRow>('SELECT * FROM home') as HomeRow;
  }

  #insertNodes(nodes: readonly StoredNode[]): void {
    let bytes = 0;
    for (const { hash, value } of nodes) {
      const leaves = nodeKind(value) === 'internal' ? null : 1;
      const inserted = this.#db.run(
        'INSERT OR IGNORE INTO nodes (hash, value, leaves) VALUES (?, ?, ?)',
        blob(hash),
        value,
        leaves,
      );
      if (inserted > 0) bytes += value.length;
    }
    if (bytes > 0) this.#db.run('UPDATE home SET node_bytes = node_bytes + ?', bytes);
  }

  /** Makes this the own tree. `messages`: how many more there are now. */
  #setOwn(peer: number, root: Hash, { leaves, messages }: { leaves: number; messages: number }): void {
    this.#db.run('UPDATE home SET own_root = ?, own_leaves = ?', blob(root), leaves);
    this.#db.run('UPDATE peers SET root = ?, messages = messages + ? WHERE id = ?', blob(root), messages, peer);
  }

  #collectIfWorthIt(): void {
    const { node_bytes, live_bytes } = this.#home();
    if (node_bytes - live_bytes > Math.max(GARBAGE_FLOOR_BYTES, live_bytes / 2)) this.#collect();
  }

  #collect(): number {
    const swept = sweepNodes(this.#db.db);
    this.#db.run('UPDATE home SET node_bytes = node_bytes - ?, live_bytes = node_bytes - ?', swept.bytes, swept.bytes);
    return swept.nodes;
  }
}
