/**
 * The store of a peer in the lab: in memory, and gone with the page. It does in the simplest way what the store in SQLite does for
 * millions of messages, and keeps the same promises (test/unit/store/kinds.ts). BOUNDED by the page's life.
 */
import { claimedMs, orderingMs } from '../../feed/message.ts';
import type { PublicKey } from '../../identity/public-key.ts';
import { appendLeaf, loadRightEdge } from '../../merkle/append.ts';
import { buildTree, FULL_TREES } from '../../merkle/build.ts';
import { compareTrees } from '../../merkle/compare.ts';
import { countLeaves, leavesOf } from '../../merkle/leaves.ts';
import { mergeLeaves } from '../../merkle/merge.ts';
import { childrenOf } from '../../merkle/read-node.ts';
import { canonicalLeaves, replaceLeaf, TOMBSTONE } from '../../merkle/withdraw.ts';
import { matches, parseSearch, searchWords } from '../../store/search-words.ts';
import {
  type Adoption,
  type AdoptionInput,
  type ArrivalMark,
  type Arrived,
  type Merge,
  type MergeTerms,
  type MessageQuery,
  type NodeStatus,
  type OwnFeed,
  type PeerRecord,
  type ScheduledMessage,
  type SearchQuery,
  type Store,
  type StoredMessage,
  type StoredNode,
  storeLimits,
  type Verified,
} from '../../store/store.ts';
import { OwnTreeExistsError } from '../../store/store-errors.ts';
import { EMPTY_ROOT, type Hash, hashOf, isEmptyRoot } from '../../wire/hash.ts';
import { decodeNode, encodeMessage, type MessageFields, nodeKind } from '../../wire/node.ts';
import { MemoryNotes } from './memory-notes.ts';

interface Kept extends StoredMessage {
  readonly orderMs: number;
  readonly arrival: number;
}

type Decided = Pick<PeerRecord, 'key' | 'following' | 'muted' | 'mutedUntilMs' | 'blocked' | 'quota'>;

interface Feed extends Decided {
  readonly name: string;
  readonly firstSeenMs: number;
  lastSyncMs: number | undefined;
  root: Hash | undefined;
  wanted: Hash | undefined;
  /** Of the current tree; undefined for leaves that are no messages. */
  readonly leaves: Map<Hash, Kept | undefined>;
  readonly superseded: Set<Hash>;
}

export class MemoryStore extends MemoryNotes implements Store {
  readonly #nodes = new Map<Hash, Uint8Array>();
  /** Below nodes that are whole. */
  readonly #leafCounts = new Map<Hash, number>();
  readonly #feeds = new Map<string, Feed>();
  #own: OwnFeed = { root: EMPTY_ROOT, messages: 0 };
  #former: OwnFeed[] = [];
  readonly #withdrawn = new Set<Hash>();
  #arrivals = 0;
  #scheduled: ScheduledMessage[] = [];
  #lastScheduled = 0;

  getNode = (hash: Hash): Uint8Array | undefined => this.#nodes.get(hash);

  getNodes(hashes: readonly Hash[]): (Uint8Array | undefined)[] {
    return hashes.map(this.getNode);
  }

  ownFeed(): OwnFeed {
    return this.#own;
  }

  formerOwnFeeds(): OwnFeed[] {
    return this.#former.filter(({ root }) => root !== this.#own.root);
  }

  publish(author: string, message: MessageFields, nowMs: number): { hash: Hash; root: Hash } {
    const value = encodeMessage(message);
    const hash = hashOf(value);
    const { root, created } = appendLeaf(loadRightEdge(this.#own.root, this.#own.messages, this.getNode), hash);
    this.putNodes([{ hash, value }, ...created]);
    this.#setOwn(this.#feed(author, nowMs), root, this.#own.messages + 1, [hash], nowMs);
    return { hash, root };
  }

  withdraw(author: string, hash: Hash, nowMs: number): { root: Hash } | undefined {
    const { messages: count } = this.#own;
    const tombstone = hashOf(TOMBSTONE);
    const leaves = canonicalLeaves(this.#own.root, count, this.getNode);
    if (!leaves.includes(hash) || hash === tombstone) return undefined;
    this.putNodes([{ hash: tombstone, value: TOMBSTONE }]);
    let { root } = this.#own;
    for (const [position, leaf] of leaves.entries()) {
      if (leaf !== hash) continue;
      const replaced = replaceLeaf(root, count, position, tombstone, this.getNode);
      this.putNodes(replaced.created);
      root = replaced.root;
    }
    this.#withdrawn.add(hash);
    const feed = this.#feed(author, nowMs);
    feed.leaves.delete(hash);
    this.#setOwn(feed, root, count, [tombstone], nowMs);
    // At once: what was withdrawn must not be there to be asked for.
    if (![...this.#feeds.values()].some(({ leaves }) => leaves.has(hash))) this.#nodes.delete(hash);
    return { root };
  }

  merge(author: string, otherRoot: Hash, { nowMs, quota }: MergeTerms): Merge {
    const count = countLeaves(otherRoot, this.getNode, this.#leafCounts);
    if (!count.complete) return { status: 'incomplete', missing: count.missing };
    if (count.leaves > quota) return { status: 'over-quota', leaves: count.leaves, quota };
    const own = canonicalLeaves(this.#own.root, this.#own.messages, this.getNode);
    const leaves = mergeLeaves(own, [...leavesOf(otherRoot, this.getNode)], (leaf) => this.#withdrawn.has(leaf));
    const feed = this.#feed(author, nowMs);
    if (count.leaves > 0) this.#former.unshift({ root: otherRoot, messages: count.leaves });
    const there = new Set(own);
    const added = [...new Set(leaves)].filter((leaf) => !there.has(leaf));
    const kept = new Set(leaves);
    const gone = [...there].filter((leaf) => feed.leaves.get(leaf) !== undefined && !kept.has(leaf));
    if (leaves !== own) {
      const { root, nodes } = buildTree(leaves);
      this.putNodes([{ hash: hashOf(TOMBSTONE), value: TOMBSTONE }]);
      this.putNodes([...nodes].map(([hash, value]) => ({ hash, value })));
      for (const leaf of gone) feed.leaves.delete(leaf);
      this.#setOwn(feed, root, leaves.length, added, nowMs);
    }
    return {
      status: 'merged',
      root: this.#own.root,
      added: added.filter((leaf) => feed.leaves.get(leaf) !== undefined),
      withdrawnMessages: gone.length,
      totalMessages: messagesOf(feed).length,
    };
  }

  ownLeaves(): Uint8Array[] {
    const hashes = canonicalLeaves(this.#own.root, this.#own.messages, this.getNode);
    return hashes.map((hash) => this.#nodes.get(hash) as Uint8Array);
  }

  restore(author: string, leaves: readonly Uint8Array[], nowMs: number): { root: Hash } {
    if (this.#own.messages > 0) throw new OwnTreeExistsError();
    const nodes = leaves.map((value) => ({ hash: hashOf(value), value }));
    const hashes = nodes.map(({ hash }) => hash);
    const { root, nodes: internal } = buildTree(hashes);
    this.putNodes([...nodes, ...[...internal].map(([hash, value]) => ({ hash, value }))]);
    this.#setOwn(this.#feed(author, nowMs), root, leaves.length, hashes, nowMs);
    return { root };
  }

  schedule({ body, inReplyTo, dueMs }: Omit<ScheduledMessage, 'id'>): number {
    encodeMessage({ date: 0, inReplyTo, body });
    this.#lastScheduled += 1;
    this.#scheduled.push({ id: this.#lastScheduled, body, inReplyTo, dueMs });
    this.#scheduled.sort((a, b) => a.dueMs - b.dueMs || a.id - b.id);
    return this.#lastScheduled;
  }

  scheduled(): ScheduledMessage[] {
    return [...this.#scheduled];
  }

  unschedule(id: number): ScheduledMessage | undefined {
    const found = this.#scheduled.find((waiting) => waiting.id === id);
    this.#scheduled = this.#scheduled.filter((waiting) => waiting !== found);
    return found;
  }

  publishScheduled(author: string, id: number, date: number, nowMs: number): { hash: Hash; root: Hash } | undefined {
    const taken = this.unschedule(id);
    return taken && this.publish(author, { date, inReplyTo: taken.inReplyTo, body: taken.body }, nowMs);
  }

  foreignChanges(): number {
    return 0;
  }

  statusOf(hashes: readonly Hash[]): NodeStatus[] {
    return hashes.map((hash) => {
      const value = this.#nodes.get(hash);
      if (value === undefined) return 'missing';
      return nodeKind(value) === 'internal' && !this.#leafCounts.has(hash) ? 'partial' : 'complete';
    });
  }

  beginWalk(name: string, root: Hash, nowMs: number): boolean {
    const feed = this.#feed(name, nowMs);
    const isNew = feed.root === undefined && feed.wanted === undefined;
    feed.wanted = root;
    return isNew;
  }

  putNodes(nodes: readonly StoredNode[]): void {
    for (const { hash, value } of nodes) if (!this.#nodes.has(hash)) this.#nodes.set(hash, value.slice());
  }

  adopt({ feed: name, root, nowMs, authenticated, quota, mayWithdraw = true }: AdoptionInput): Adoption {
    const feed = this.#feed(name, nowMs);
    const count = countLeaves(root, this.getNode, this.#leafCounts);
    if (!count.complete) return { status: 'incomplete', missing: count.missing };
    if (count.leaves > quota) return { status: 'over-quota', leaves: count.leaves, quota };
    const { added, removed } = compareTrees(feed.root ?? EMPTY_ROOT, root, this.getNode);
    if (!mayWithdraw && removed.length > 0) return { status: 'withdraws' };
    const before = messagesOf(feed).length;
    for (const leaf of removed) feed.leaves.delete(leaf);
    const withdrawnMessages = before - messagesOf(feed).length;
    const isNew = added.filter((leaf) => this.#addLeaf(feed, leaf, { nowMs, authenticated, read: false }));
    // A signed root signs all that is below it, also what an unsigned one had brought.
    for (const [hash, kept] of feed.leaves) {
      if (kept !== undefined && authenticated) feed.leaves.set(hash, { ...kept, authenticated });
    }
    const wentBack = root !== feed.root && feed.superseded.delete(root);
    if (feed.root !== undefined && feed.root !== root) feed.superseded.add(feed.root);
    Object.assign(feed, { root, lastSyncMs: nowMs });
    return {
      status: 'adopted',
      newMessages: isNew.length,
      withdrawnMessages,
      totalMessages: messagesOf(feed).length,
      added: isNew.slice(-storeLimits.added),
      wentBack,
    };
  }

  endWalk(feed: string): void {
    const known = this.#feeds.get(feed);
    if (known !== undefined) known.wanted = undefined;
  }

  currentRoot(feed: string): Hash | undefined {
    return this.#feeds.get(feed)?.root;
  }

  isSuperseded(root: Hash): boolean {
    const feeds = [...this.#feeds.values()];
    if (!feeds.some(({ superseded }) => superseded.has(root)) || feeds.some((feed) => feed.root === root)) return false;
    return !FULL_TREES.includes(this.#leafCounts.get(root) ?? 1);
  }

  wasCurrent(feed: string, root: Hash): boolean {
    return this.#feeds.get(feed)?.superseded.has(root) ?? false;
  }

  isCurrent(name: string, root: Hash, { authenticated } = { authenticated: false }): boolean {
    const feed = this.#feeds.get(name);
    if (feed?.root !== root) return false;
    return !authenticated || messagesOf(feed).every((kept) => kept.authenticated);
  }

  peer(name: string): PeerRecord | undefined {
    const feed = this.#feeds.get(name);
    return feed && recordOf(feed);
  }

  peers(): PeerRecord[] {
    return [...this.#feeds.values()].map(recordOf).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  pinKey(name: string, key: PublicKey, nowMs: number): 'pinned' | 'same' | 'changed' {
    const { key: pinned } = this.#feed(name, nowMs);
    if (pinned !== undefined) return pinned === key ? 'same' : 'changed';
    this.repinKey(name, key, nowMs);
    return 'pinned';
  }

  repinKey(name: string, key: PublicKey, nowMs: number): PublicKey | undefined {
    const { key: before } = this.#feed(name, nowMs);
    this.#decide(name, nowMs, { key });
    return before;
  }

  setFollowing(name: string, following: boolean, nowMs: number): void {
    this.#decide(name, nowMs, { following });
  }

  setMuted(name: string, muted: boolean, nowMs: number, untilMs?: number): void {
    this.#decide(name, nowMs, { muted, mutedUntilMs: muted ? untilMs : undefined });
  }

  setBlocked(name: string, blocked: boolean, nowMs: number): void {
    this.#decide(name, nowMs, blocked ? { blocked, following: false } : { blocked });
    if (blocked) this.removeFromLists(name);
  }

  setQuota(name: string, quota: number | undefined, nowMs: number): void {
    this.#decide(name, nowMs, { quota });
  }

  messages({ authors, limit = storeLimits.shown, beforeMs = Infinity }: MessageQuery = {}): StoredMessage[] {
    const found = this.#kept(authors).filter(({ orderMs }) => orderMs < beforeMs);
    return shown(found.sort(byOrder).slice(-limit));
  }

  message(hash: Hash): StoredMessage | undefined {
    return this.messagesWith([hash])[0];
  }

  messagesWith(hashes: readonly Hash[]): StoredMessage[] {
    const first = firstOfEach(this.#kept());
    return shown(hashes.flatMap((hash) => first.get(hash) ?? []));
  }

  messagesStartingWith(prefix: string, limit: number): StoredMessage[] {
    const hashes = firstOfEach(this.#kept()).keys();
    const found = [...hashes].filter((hash) => hash.startsWith(prefix));
    return this.messagesWith(found.sort().slice(0, limit));
  }

  replies(hash: Hash): StoredMessage[] {
    const found = this.#kept().filter(({ inReplyTo }) => inReplyTo === hash);
    return shown([...firstOfEach(found).values()].sort(byOrder));
  }

  repliesTo(author: string, limit: number): StoredMessage[] {
    const own = new Set(this.#kept([author]).map(({ hash }) => hash));
    const found = this.#kept().filter((it) => it.author !== author && it.inReplyTo !== null && own.has(it.inReplyTo));
    return shown(found.sort(byArrival).slice(-limit).sort(byOrder));
  }

  search({ text, limit = storeLimits.shown }: SearchQuery): StoredMessage[] {
    const phrases = parseSearch(text);
    if (phrases.length === 0) return [];
    const found = this.#kept().filter(({ body }) => matches(searchWords(body), phrases));
    return shown(found.sort(byArrival).slice(-limit).sort(byOrder));
  }

  lastArrival(): ArrivalMark {
    return { arrival: this.#arrivals, awaited: new Map() };
  }

  arrivalsAfter(mark: ArrivalMark, limit: number): Arrived {
    const came = this.#kept().filter(({ arrival }) => arrival > mark.arrival);
    const messages = came.sort(byArrival).slice(0, limit);
    const arrival = messages.length < limit ? this.#arrivals : (messages.at(-1)?.arrival ?? mark.arrival);
    return { messages: shown(messages), mark: { arrival, awaited: mark.awaited } };
  }

  countMessages(): number {
    return this.#feeds.values().reduce((sum, feed) => sum + messagesOf(feed).length, 0);
  }

  markRead(hashes: readonly Hash[]): void {
    for (const { leaves } of this.#feeds.values()) {
      for (const hash of hashes) {
        const kept = leaves.get(hash);
        if (kept !== undefined) leaves.set(hash, { ...kept, read: true });
      }
    }
  }

  *verify(): Iterable<Verified> {
    yield { nodes: this.#nodes.size, messages: this.countMessages(), damaged: [], share: 1 };
  }

  collectGarbage(): number {
    const reachable = new Set<Hash>();
    const roots = [...this.#feeds.values()].flatMap(({ root, wanted }) => [root ?? EMPTY_ROOT, wanted ?? EMPTY_ROOT]);
    const open = [this.#own.root, ...roots].filter((root) => !isEmptyRoot(root));
    for (let hash = open.pop(); hash !== undefined; hash = open.pop()) {
      if (reachable.has(hash)) continue;
      reachable.add(hash);
      open.push(...(childrenOf(hash, this.getNode) ?? []));
    }
    const before = this.#nodes.size;
    for (const hash of this.#nodes.keys()) if (!reachable.has(hash)) this.#nodes.delete(hash);
    return before - this.#nodes.size;
  }

  close(): void {}

  [Symbol.dispose](): void {}

  #setOwn(feed: Feed, root: Hash, messages: number, added: readonly Hash[], nowMs: number): void {
    if (this.#own.messages > 0) this.#former = [this.#own, ...this.#former].slice(0, storeLimits.formerOwnFeeds);
    this.#own = { root, messages };
    feed.root = root;
    for (const leaf of added) this.#addLeaf(feed, leaf, { nowMs, authenticated: true, read: true });
  }

  /** Whether that is one message more. */
  #addLeaf(feed: Feed, hash: Hash, how: { nowMs: number; authenticated: boolean; read: boolean }): boolean {
    if (feed.leaves.has(hash)) return false;
    const node = decodeNode(this.#nodes.get(hash) as Uint8Array);
    if (!node.ok || node.value.kind !== 'message') {
      feed.leaves.set(hash, undefined);
      return false;
    }
    const { nowMs, ...marks } = how;
    const { date, inReplyTo, body } = node.value;
    const orderMs = orderingMs(claimedMs(date, nowMs), nowMs);
    this.#arrivals += 1;
    const message = { hash, author: feed.name, date, inReplyTo, body, receivedAtMs: nowMs, ...marks };
    feed.leaves.set(hash, { ...message, orderMs, arrival: this.#arrivals });
    return true;
  }

  #kept(authors?: readonly string[]): Kept[] {
    const feeds =
      authors === undefined ? [...this.#feeds.values()] : authors.flatMap((it) => this.#feeds.get(it) ?? []);
    return [...new Set(feeds)].filter(({ blocked }) => !blocked).flatMap(messagesOf);
  }

  #decide(name: string, nowMs: number, what: Partial<Decided>): void {
    Object.assign(this.#feed(name, nowMs), what);
  }

  #feed(name: string, nowMs: number): Feed {
    const known = this.#feeds.get(name);
    if (known !== undefined) return known;
    const nobody = { key: undefined, following: false, muted: false, mutedUntilMs: undefined, blocked: false };
    const nothing = { quota: undefined, lastSyncMs: undefined, root: undefined, wanted: undefined };
    const feed = { name, firstSeenMs: nowMs, ...nobody, ...nothing, leaves: new Map(), superseded: new Set<Hash>() };
    this.#feeds.set(name, feed);
    return feed;
  }
}

function messagesOf({ leaves }: Feed): Kept[] {
  return [...leaves.values()].filter((kept) => kept !== undefined);
}

function recordOf(feed: Feed): PeerRecord {
  const { leaves: _, superseded: __, wanted: ___, ...record } = feed;
  return { ...record, messages: messagesOf(feed).length };
}

function byOrder(a: Kept, b: Kept): number {
  return a.orderMs - b.orderMs || byArrival(a, b);
}

function byArrival(a: Kept, b: Kept): number {
  return a.arrival - b.arrival;
}

/** Several feeds may have a message: the one that came first. */
function firstOfEach(kept: readonly Kept[]): Map<Hash, Kept> {
  return new Map(kept.toSorted((a, b) => b.arrival - a.arrival).map((message) => [message.hash, message]));
}

function shown(kept: readonly Kept[]): StoredMessage[] {
  return kept.map(({ orderMs: _, arrival: __, ...message }) => message);
}
