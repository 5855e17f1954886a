/**
 * The store in SQLite. WAL, so that a `post` beside a `serve` reads and writes at the same time. What was acknowledged must
 * survive a power cut: such commits wait for the disk (synchronous=FULL). Nodes on their way do not; others have them still.
 * Every write begins IMMEDIATE: it then sees what it changes, and two processes never append to the same own root.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { PublicKey } from '../identity/public-key.ts';
import { FULL_TREES } from '../merkle/build.ts';
import type { Hash } from '../wire/hash.ts';
import type { MessageFields } from '../wire/node.ts';
import { migrate } from './migrations.ts';
import { openDatabase } from './open-database.ts';
import { SqliteAdoption } from './sqlite-adoption.ts';
import { SqliteConnection } from './sqlite-connection.ts';
import { SqliteContacts } from './sqlite-contacts.ts';
import { SqliteLeaves } from './sqlite-leaves.ts';
import { SqliteMessages } from './sqlite-messages.ts';
import { SqliteNodes } from './sqlite-nodes.ts';
import { SqliteOwnFeed } from './sqlite-own-feed.ts';
import { SqlitePeers } from './sqlite-peers.ts';
import { blob, hashFrom } from './sqlite-rows.ts';
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
import { asStoreError } from './store-errors.ts';

const BUSY_TIMEOUT_MS = 5_000;
/** As many nodes as are looked at within some 10 ms. A change of about five hundred leaves is one step. */
const ADOPTION_STEP = 4_096;

/** Between two slices of indexing, so that it takes little of a sync, and no key press waits. */
const INDEX_AFTER_MS = 25;
/** Messages a slice: some milliseconds. */
const INDEX_SLICE = 256;

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
  readonly #isInMemory: boolean;
  readonly #db: SqliteConnection;
  readonly #nodes: SqliteNodes;
  readonly #leaves: SqliteLeaves;
  readonly #own: SqliteOwnFeed;
  readonly #peers: SqlitePeers;
  readonly #messages: SqliteMessages;
  readonly #contacts: SqliteContacts;
  readonly #adoptionStep: number;
  /** Those that are under way, by feed. */
  readonly #adoptions = new Map<string, SqliteAdoption>();
  #indexing: NodeJS.Timeout | undefined;

  constructor(db: DatabaseSync, file: string, adoptionStep: number) {
    this.#isInMemory = file === ':memory:';
    this.#adoptionStep = adoptionStep;
    this.#db = new SqliteConnection(db, file);
    this.#nodes = new SqliteNodes(this.#db);
    this.#leaves = new SqliteLeaves(this.#db);
    this.#own = new SqliteOwnFeed(this.#db, this.#nodes, this.#leaves);
    this.#peers = new SqlitePeers(this.#db, this.#leaves);
    this.#messages = new SqliteMessages(this.#db);
    this.#contacts = new SqliteContacts(this.#db);
    this.#indexSoon();
  }

  getNode(hash: Hash): Uint8Array | undefined {
    return this.#nodes.get(hash);
  }

  ownFeed(): OwnFeed {
    return this.#own.get();
  }

  publish(author: string, message: MessageFields, nowMs: number): { hash: Hash; root: Hash } {
    return this.#own.publish(author, message, nowMs);
  }

  withdraw(author: string, hash: Hash, nowMs: number): { root: Hash } | undefined {
    return this.#own.withdraw(author, hash, nowMs);
  }

  formerOwnFeeds(): OwnFeed[] {
    return this.#own.former();
  }

  ownLeaves(): Uint8Array[] {
    // At one moment: another process may post or withdraw meanwhile.
    return this.#db.read(() => this.#own.leaves());
  }

  restore(author: string, leaves: readonly Uint8Array[], nowMs: number): { root: Hash } {
    return this.#own.restore(author, leaves, nowMs);
  }

  foreignChanges(): number {
    // What is in memory is this process's own.
    if (this.#isInMemory) return 0;
    return this.#db.get<{ data_version: number }>('PRAGMA data_version')?.data_version ?? 0;
  }

  statusOf(hashes: readonly Hash[]): NodeStatus[] {
    return this.#nodes.statusOf(hashes);
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
    this.#db.write(() => this.#nodes.insert(nodes), { durable: false });
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
        this.#nodes.collectIfWorthIt();
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

  wasCurrent(feed: string, root: Hash): boolean {
    const sql =
      'SELECT 1 FROM superseded JOIN peers ON peers.id = superseded.peer WHERE name = ? AND superseded.root = ?';
    return this.#db.get(sql, feed, blob(root)) !== undefined;
  }

  isCurrent(feed: string, root: Hash): boolean {
    const sql = 'SELECT 1 FROM peers WHERE name = ? AND root = ? AND adopting IS NULL';
    return this.#db.get(sql, feed, blob(root)) !== undefined;
  }

  peer(name: string): PeerRecord | undefined {
    return this.#peers.get(name);
  }

  peers(): PeerRecord[] {
    return this.#peers.all();
  }

  pinKey(name: string, key: PublicKey, nowMs: number): 'pinned' | 'same' | 'changed' {
    return this.#peers.pinKey(name, key, nowMs);
  }

  repinKey(name: string, key: PublicKey, nowMs: number): PublicKey | undefined {
    return this.#peers.repinKey(name, key, nowMs);
  }

  setFollowing(name: string, following: boolean, nowMs: number): void {
    this.#peers.setFollowing(name, following, nowMs);
  }

  setMuted(name: string, muted: boolean, nowMs: number): void {
    this.#peers.setMuted(name, muted, nowMs);
  }

  noteReader(name: string, nowMs: number): void {
    this.#contacts.noteReader(name, nowMs);
  }

  readersSince(ms: number, nowMs: number): string[] {
    return this.#contacts.readersSince(ms, nowMs);
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
    return this.#db.write(() => this.#nodes.collect());
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
}
