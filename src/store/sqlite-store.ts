/**
 * The store in SQLite. WAL, so that a `post` beside a `serve` reads and writes at the same time. What was acknowledged must
 * survive a power cut: such commits wait for the disk (synchronous=FULL). Nodes on their way do not; others have them still.
 * Every write begins IMMEDIATE: it then sees what it changes, and two processes never append to the same own root.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { PublicKey } from '../identity/public-key.ts';
import type { Hash } from '../wire/hash.ts';
import type { MessageFields } from '../wire/node.ts';
import { migrate } from './migrations.ts';
import { openDatabase } from './open-database.ts';
import { SqliteAdoptions } from './sqlite-adoptions.ts';
import { SqliteArrivals } from './sqlite-arrivals.ts';
import { SqliteConnection } from './sqlite-connection.ts';
import { SqliteContacts } from './sqlite-contacts.ts';
import { SqliteLeaves } from './sqlite-leaves.ts';
import { SqliteMarks } from './sqlite-marks.ts';
import { SqliteMessages } from './sqlite-messages.ts';
import { SqliteNodes } from './sqlite-nodes.ts';
import { SqliteOwnFeed } from './sqlite-own-feed.ts';
import { SqlitePeers } from './sqlite-peers.ts';
import { SqliteRoots } from './sqlite-roots.ts';
import { SqliteScheduled } from './sqlite-scheduled.ts';
import { SqliteSearch } from './sqlite-search.ts';
import { SqliteUpkeep } from './sqlite-upkeep.ts';
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
  Merge,
  MergeTerms,
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
  readonly #roots: SqliteRoots;
  readonly #adoptions: SqliteAdoptions;
  readonly #upkeep: SqliteUpkeep;
  readonly #adoptionStep: number;

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
    this.#roots = new SqliteRoots(this.#db, this.#leaves);
    this.#adoptions = new SqliteAdoptions({
      db: this.#db,
      nodes: this.#nodes,
      leaves: this.#leaves,
      search: this.#search,
    });
    this.#upkeep = new SqliteUpkeep(this.#db, this.#nodes, this.#adoptions, this.#search);
    this.#upkeep.soon();
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
      this.#upkeep.collectSome();
      return published;
    });
  }

  withdraw(author: string, hash: Hash, nowMs: number): { root: Hash } | undefined {
    return this.#db.write(() => {
      const withdrawn = this.#own.withdraw(author, hash, nowMs);
      this.#upkeep.collectSome();
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

  merge(author: string, root: Hash, terms: MergeTerms): Merge {
    return this.#db.write(() => this.#own.merge(author, root, terms));
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
    const { hasTree, hasBegun } = this.#roots.want(feed, root, nowMs);
    if (terms !== undefined && !hasTree) this.#adoptions.of({ feed, root, nowMs, ...terms });
    return !hasTree && !hasBegun;
  }

  putNodes(nodes: readonly StoredNode[]): void {
    this.#upkeep.nodesCame();
    this.#db.write(
      () => {
        this.#nodes.insert(nodes);
        if (this.#adoptions.follow(nodes)) this.#search.follow(2 * nodes.length);
      },
      { durable: false },
    );
  }

  adopt(input: AdoptionInput): AdoptionStep {
    this.#upkeep.soon();
    const { feed, nowMs } = input;
    const adopting = this.#adoptions.of(input);
    const adoption = this.#db.write(
      () => {
        const done = adopting.step(this.#adoptionStep, input.mayWithdraw);
        this.#upkeep.indexSome();
        return done;
      },
      { durable: false },
    );
    if (adoption?.status === 'adopted') {
      // What is durable makes all before it so: the disk is waited for once.
      this.#db.write(() => {
        this.#db.run('UPDATE peers SET last_sync_ms = ? WHERE name = ?', nowMs, feed);
        this.#upkeep.collectSome();
      });
    }
    this.#adoptions.endIfDone(feed, adoption);
    return adoption ?? { status: 'underway' };
  }

  endWalk(feed: string): void {
    this.#adoptions.end(feed);
    this.#roots.unwant(feed);
  }

  currentRoot(feed: string): Hash | undefined {
    return this.#roots.current(feed);
  }

  isSuperseded(root: Hash): boolean {
    return this.#roots.isSuperseded(root);
  }

  wasCurrent(feed: string, root: Hash): boolean {
    return this.#roots.wasCurrent(feed, root);
  }

  isCurrent(feed: string, root: Hash, { authenticated } = { authenticated: false }): boolean {
    return this.#roots.isCurrent(feed, root, authenticated);
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
    return this.#messages.count();
  }

  markRead(hashes: readonly Hash[]): void {
    this.#messages.markRead(hashes);
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
    return this.#upkeep.collectAll();
  }

  close(): void {
    this.#upkeep.stop();
    this.#db.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
