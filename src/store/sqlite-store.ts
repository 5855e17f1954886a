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
import { SqliteArrivals } from './sqlite-arrivals.ts';
import { Collection } from './sqlite-collection.ts';
import { SqliteConnection } from './sqlite-connection.ts';
import { SqliteContacts } from './sqlite-contacts.ts';
import { SqliteLeaves } from './sqlite-leaves.ts';
import { SqliteMarks } from './sqlite-marks.ts';
import { SqliteMessages } from './sqlite-messages.ts';
import { SqliteNodes } from './sqlite-nodes.ts';
import { SqliteOwnFeed } from './sqlite-own-feed.ts';
import { SqlitePeers } from './sqlite-peers.ts';
import { blob, hashFrom } from './sqlite-rows.ts';
import { SqliteScheduled } from './sqlite-scheduled.ts';
import { SqliteSearch } from './sqlite-search.ts';
import { SqliteVerification } from './sqlite-verification.ts';
import type {
  AdoptionInput,
  AdoptionStep,
  AdoptionTerms,
  ArrivalMark,
  Arrived,
  Habit,
  Mark,
  MarkKind,
  MessageQuery,
  NodeStatus,
  OwnFeed,
  PeerRecord,
  ScheduledMessage,
  SearchQuery,
  Store,
  StoredMessage,
  StoredNode,
  Verified,
} from './store.ts';
import { asStoreError } from './store-errors.ts';

const BUSY_TIMEOUT_MS = 5_000;
/** As many nodes as are looked at within some 10 ms. A change of about five hundred leaves is one step. */
const ADOPTION_STEP = 4_096;
/** For each node that came, a tree that is gone through while it comes is gone through by so many: it keeps up, and catches up. */
const FOLLOWED_PER_NODE = 4;
/** Of a collection, in each writing call and each turn of the timer. */
const COLLECTION_STEP = 2_048;
/** Collection begins when so much, and half as much as is in use, may be garbage. */
const GARBAGE_FLOOR_BYTES = 64 * 1024;

/** Between two turns of what is done when nothing else is, so that it takes little of a sync, and no key press waits. */
const TIDY_AFTER_MS = 25;
/** Arrivals whose words are taken note of in a turn: some milliseconds. */
const INDEX_SLICE = 512;
/** So many leaf keys may stay in memory alone: whoever opens the home reads their packs anew. */
const KEYS_LEFT = 256;

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
  readonly #scheduled: SqliteScheduled;
  readonly #peers: SqlitePeers;
  readonly #search: SqliteSearch;
  readonly #messages: SqliteMessages;
  readonly #arrivals: SqliteArrivals;
  readonly #contacts: SqliteContacts;
  readonly #marks: SqliteMarks;
  readonly #adoptionStep: number;
  /** Those that are under way, by feed. */
  readonly #adoptions = new Map<string, SqliteAdoption>();
  #collection: Collection | undefined;
  #tidying: NodeJS.Timeout | undefined;
  #hasPut = false;

  constructor(db: DatabaseSync, file: string, adoptionStep: number) {
    this.#isInMemory = file === ':memory:';
    this.#adoptionStep = adoptionStep;
    this.#db = new SqliteConnection(db, file);
    this.#nodes = new SqliteNodes(this.#db);
    this.#leaves = new SqliteLeaves(this.#db);
    this.#own = new SqliteOwnFeed(this.#db, this.#nodes, this.#leaves);
    this.#scheduled = new SqliteScheduled(this.#db);
    this.#peers = new SqlitePeers(this.#db, this.#leaves);
    this.#search = new SqliteSearch(this.#db, this.#nodes);
    this.#messages = new SqliteMessages(this.#db, this.#nodes, this.#search);
    this.#arrivals = new SqliteArrivals(this.#db, this.#leaves, this.#messages);
    this.#contacts = new SqliteContacts(this.#db);
    this.#marks = new SqliteMarks(this.#db);
    // What was undone is not gone on with.
    this.#db.onRollback(() => {
      this.#collection = undefined;
      this.#adoptions.clear();
    });
    this.#tidySoon();
  }

  getNode(hash: Hash): Uint8Array | undefined {
    return this.#nodes.get(hash);
  }

  getNodes(hashes: readonly Hash[]): (Uint8Array | undefined)[] {
    return this.#db.read(() => this.#nodes.many(hashes));
  }

  ownFeed(): OwnFeed {
    return this.#own.get();
  }

  publish(author: string, message: MessageFields, nowMs: number): { hash: Hash; root: Hash } {
    return this.#db.write(() => {
      const published = this.#own.publish(author, message, nowMs);
      this.#collectSome();
      return published;
    });
  }

  withdraw(author: string, hash: Hash, nowMs: number): { root: Hash } | undefined {
    return this.#db.write(() => {
      const withdrawn = this.#own.withdraw(author, hash, nowMs);
      this.#collectSome();
      return withdrawn;
    });
  }

  schedule(message: Omit<ScheduledMessage, 'id'>): number {
    return this.#scheduled.add(message);
  }

  scheduled(): ScheduledMessage[] {
    return this.#scheduled.all();
  }

  unschedule(id: number): ScheduledMessage | undefined {
    return this.#db.write(() => this.#scheduled.take(id));
  }

  publishScheduled(author: string, id: number, date: number, nowMs: number): { hash: Hash; root: Hash } | undefined {
    return this.#db.write(() => {
      const taken = this.#scheduled.take(id);
      return taken && this.#own.publish(author, { date, inReplyTo: taken.inReplyTo, body: taken.body }, nowMs);
    });
  }

  formerOwnFeeds(): OwnFeed[] {
    return this.#own.former();
  }

  ownLeaves(): Uint8Array[] {
    // At one moment: another process may post or withdraw meanwhile.
    return this.#db.read(() => this.#own.leaves());
  }

  restore(author: string, leaves: readonly Uint8Array[], nowMs: number): { root: Hash } {
    return this.#db.write(() => this.#own.restore(author, leaves, nowMs));
  }

  foreignChanges(): number {
    // What is in memory is this process's own.
    if (this.#isInMemory) return 0;
    return this.#db.get<{ data_version: number }>('PRAGMA data_version')?.data_version ?? 0;
  }

  statusOf(hashes: readonly Hash[]): NodeStatus[] {
    return this.#db.read(() => this.#nodes.statusOf(hashes));
  }

  beginWalk(feed: string, root: Hash, nowMs: number, terms?: AdoptionTerms): boolean {
    const { hasTree, hasBegun } = this.#db.write(
      () => {
        const id = this.#leaves.peerId(feed, nowMs);
        const sql = 'SELECT root NOT NULL AS hasTree, wanted NOT NULL AS hasBegun FROM peers WHERE id = ?';
        const before = this.#db.get<{ hasTree: number; hasBegun: number }>(sql, id);
        this.#db.run('UPDATE peers SET wanted = ? WHERE id = ?', blob(root), id);
        return { hasTree: before?.hasTree === 1, hasBegun: before?.hasBegun === 1 };
      },
      { durable: false },
    );
    if (terms !== undefined && !hasTree) this.#adoption({ feed, root, nowMs, ...terms });
    return !hasTree && !hasBegun;
  }

  putNodes(nodes: readonly StoredNode[]): void {
    this.#tidySoon();
    this.#hasPut = true;
    this.#db.write(
      () => {
        this.#nodes.insert(nodes);
        if (this.#adoptions.size === 0) return;
        const came = new Set(nodes.map(({ hash }) => hash));
        for (const adoption of this.#adoptions.values()) adoption.follow(came, FOLLOWED_PER_NODE * nodes.length);
        this.#search.follow(2 * nodes.length);
      },
      { durable: false },
    );
  }

  adopt(input: AdoptionInput): AdoptionStep {
    this.#tidySoon();
    const { feed, nowMs } = input;
    const adopting = this.#adoption(input);
    const adoption = this.#db.write(
      () => {
        const done = adopting.step(this.#adoptionStep, input.mayWithdraw);
        this.#search.follow(INDEX_SLICE);
        return done;
      },
      { durable: false },
    );
    if (adoption?.status === 'adopted') {
      // What is durable makes all before it so: the disk is waited for once.
      this.#db.write(() => {
        this.#db.run('UPDATE peers SET last_sync_ms = ? WHERE name = ?', nowMs, feed);
        this.#collectSome();
      });
    }
    // One that lacks a node goes on where it is when that has come.
    if (adoption !== undefined && adoption.status !== 'incomplete') this.#adoptions.delete(feed);
    return adoption ?? { status: 'underway' };
  }

  endWalk(feed: string): void {
    this.#adoptions.delete(feed);
    this.#db.write(() => this.#db.run('UPDATE peers SET wanted = NULL WHERE name = ?', feed), { durable: false });
  }

  currentRoot(feed: string): Hash | undefined {
    const row = this.#db.get<{ root: Uint8Array | null }>('SELECT root FROM peers WHERE name = ?', feed);
    return row?.root ? hashFrom(row.root) : undefined;
  }

  isSuperseded(root: Hash): boolean {
    const sql = `SELECT 1 FROM superseded JOIN internal_nodes ON hash = superseded.root
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

  setBlocked(name: string, blocked: boolean, nowMs: number): void {
    this.#peers.setBlocked(name, blocked, nowMs);
  }

  setMuted(name: string, muted: boolean, nowMs: number, untilMs?: number): void {
    this.#peers.setMuted(name, muted, nowMs, untilMs);
  }

  setQuota(name: string, quota: number | undefined, nowMs: number): void {
    this.#peers.setQuota(name, quota, nowMs);
  }

  noteReader(name: string, nowMs: number): void {
    this.#contacts.noteReader(name, nowMs);
  }

  readersSince(ms: number, nowMs: number): string[] {
    return this.#contacts.readersSince(ms, nowMs);
  }

  addressOf(name: string): string | undefined {
    return this.#contacts.addressOf(name);
  }

  noteAddress(name: string, address: string): void {
    this.#contacts.noteAddress(name, address);
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

  messagesWith(hashes: readonly Hash[]): StoredMessage[] {
    return this.#db.read(() => this.#messages.withHashes(hashes));
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

  lastArrival(): ArrivalMark {
    return this.#arrivals.last();
  }

  arrivalsAfter(mark: ArrivalMark, limit: number): Arrived {
    return this.#arrivals.after(mark, limit);
  }

  repliesTo(author: string, limit: number): StoredMessage[] {
    return this.#messages.repliesTo(author, limit);
  }

  countMessages(): number {
    const sql = 'SELECT ifnull(sum(messages), 0) AS count FROM peers WHERE root IS NOT NULL';
    return this.#db.get<{ count: number }>(sql)?.count ?? 0;
  }

  markRead(hashes: readonly Hash[]): void {
    this.#db.write(() => {
      for (const found of this.#nodes.find(hashes)) {
        if (found?.kind === 'leaf')
          this.#db.run('UPDATE leaves SET read = 1 WHERE node = ? AND order_ms IS NOT NULL', found.leaf);
      }
    });
  }

  marks(kind: MarkKind): Mark[] {
    return this.#marks.all(kind);
  }

  markedAmong(kind: MarkKind, subjects: readonly string[]): Set<string> {
    return this.#marks.among(kind, subjects);
  }

  setMarks(marks: readonly Mark[]): number {
    return this.#marks.set(marks);
  }

  removeMark(kind: MarkKind, subject: string): boolean {
    return this.#marks.remove(kind, subject);
  }

  noticedUntilMs(): number {
    return this.#marks.noticedUntilMs();
  }

  lists(): Map<string, readonly string[]> {
    return this.#marks.lists();
  }

  addToList(list: string, peers: readonly string[]): void {
    this.#marks.addToList(list, peers);
  }

  removeFromList(list: string, peers: readonly string[]): void {
    this.#marks.removeFromList(list, peers);
  }

  verify(): Iterable<Verified> {
    return new SqliteVerification(this.#db, this.#nodes, this.#own).run();
  }

  collectGarbage(): number {
    return this.#db.write(() => {
      const collection = new Collection(this.#db, this.#nodes);
      collection.step(Number.POSITIVE_INFINITY);
      return collection.removed;
    });
  }

  close(): void {
    clearTimeout(this.#tidying);
    if (this.#hasPut) this.#putKeys();
    this.#db.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** A command that ends just after its download leaves no packs behind that the next one has to read for their keys. */
  #putKeys(): void {
    try {
      if (this.#nodes.keys.waiting > KEYS_LEFT)
        this.#db.write(
          () => {
            while (this.#nodes.keys.putSome());
          },
          { durable: false },
        );
    } catch {
      // On a full disk, say: they are read from their packs then.
    }
  }

  /** The one that is under way for this feed, if it is of the same tree on the same terms. */
  #adoption(input: AdoptionInput): SqliteAdoption {
    const begun = this.#adoptions.get(input.feed);
    if (begun?.isFor(input)) return begun;
    const adoption = new SqliteAdoption(this.#db, this.#nodes, this.#leaves, input);
    this.#adoptions.set(input.feed, adoption);
    return adoption;
  }

  /** A portion, within a transaction of the caller's. True if there is more to do. */
  #collectSome(): boolean {
    this.#collection ??= this.#isWorthCollecting() ? new Collection(this.#db, this.#nodes) : undefined;
    if (this.#collection?.step(COLLECTION_STEP)) return true;
    this.#collection = undefined;
    return false;
  }

  #isWorthCollecting(): boolean {
    const counts = this.#db.get<ByteCounts>('SELECT node_bytes, live_bytes FROM home');
    const { node_bytes, live_bytes } = counts ?? { node_bytes: 0, live_bytes: 0 };
    return node_bytes - live_bytes > Math.max(GARBAGE_FLOOR_BYTES, live_bytes / 2);
  }

  /** What can wait, portion after portion, once nothing else is to be done. */
  #tidySoon(): void {
    clearTimeout(this.#tidying);
    this.#tidying = setTimeout(() => {
      try {
        if (this.#tidy()) this.#tidySoon();
      } catch {
        // Whoever needs it done meets the same, and says so.
      }
    }, TIDY_AFTER_MS).unref();
  }

  #tidy(): boolean {
    // What a power cut takes back is done again.
    if (this.#search.isBehind()) return this.#db.write(() => this.#search.follow(INDEX_SLICE), { durable: false });
    if (this.#collection !== undefined) return this.#db.write(() => this.#collectSome(), { durable: false });
    // What has just come is looked up again when its tree is made current: that costs least from memory.
    if (this.#adoptions.size > 0 || this.#nodes.keys.waiting <= KEYS_LEFT) return false;
    return this.#db.write(() => this.#nodes.keys.putSome(), { durable: false });
  }
}

interface ByteCounts {
  node_bytes: number;
  live_bytes: number;
}
