/** The store's twin in memory: for tests, simulations, and peers that leave nothing behind. */

import { claimedMs, orderingMs } from '../feed/message.ts';
import type { PublicKey } from '../identity/public-key.ts';
import { appendLeaf, loadRightEdge } from '../merkle/append.ts';
import { buildTree, FULL_TREES } from '../merkle/build.ts';
import { finish } from '../merkle/in-steps.ts';
import { childrenOf } from '../merkle/read-node.ts';
import { canonicalLeaves, replaceLeaf, TOMBSTONE } from '../merkle/withdraw.ts';
import { EMPTY_ROOT, type Hash, hashOf, isEmptyRoot } from '../wire/hash.ts';
import { encodeMessage, type MessageFields, nodeKind } from '../wire/node.ts';
import { adoptingTree, type FeedIndex, messageIn } from './adoption.ts';
import { matches, parseSearch, searchWords } from './search-words.ts';
import {
  type Adoption,
  type AdoptionInput,
  type Arrival,
  type Draft,
  type MessageQuery,
  type NodeStatus,
  type OwnFeed,
  type PeerRecord,
  SEARCHED_ARRIVALS,
  type SearchQuery,
  type Store,
  type StoredMessage,
  type StoredNode,
} from './store.ts';
import { OwnTreeExistsError } from './store-errors.ts';

interface Node {
  readonly value: Uint8Array;
  /** Leaves below; undefined: not known to be whole. */
  leaves: number | undefined;
}

interface Kept extends StoredMessage {
  readonly orderMs: number;
  readonly arrival: number;
}

interface Feed {
  name: string;
  key: PublicKey | undefined;
  following: boolean;
  muted: boolean;
  root: Hash | undefined;
  wanted: Hash | undefined;
  firstSeenMs: number;
  lastSyncMs: number | undefined;
  /** Every leaf of the current tree, messages or not. */
  readonly leaves: Set<Hash>;
  readonly messages: Map<Hash, Kept>;
  readonly superseded: Set<Hash>;
}

const DEFAULT_LIMIT = 50;
const MAX_SUPERSEDED = 256;
/** Collection runs when this many nodes, and half as many as there are live ones, were superseded. */
const GARBAGE_FLOOR = 256;

export function createMemoryStore(): Store {
  return new MemoryStore();
}

class MemoryStore implements Store {
  readonly #nodes = new Map<Hash, Node>();
  readonly #feeds = new Map<string, Feed>();
  #own: OwnFeed = { root: EMPTY_ROOT, messages: 0 };
  #arrivals = 0;
  #liveNodes = 0;

  getNode(hash: Hash): Uint8Array | undefined {
    return this.#nodes.get(hash)?.value;
  }

  ownFeed(): OwnFeed {
    return this.#own;
  }

  publish(author: string, draft: Draft, nowMs: number): { hash: Hash; root: Hash } {
    const value = encodeMessage(draft);
    const hash = hashOf(value);
    const edge = loadRightEdge(this.#own.root, this.#own.messages, (node) => this.getNode(node));
    const { root, created } = appendLeaf(edge, hash);
    this.putNodes([{ hash, value }, ...created]);
    this.#own = { root, messages: this.#own.messages + 1 };
    const feed = this.#feed(author, nowMs);
    feed.root = root;
    if (!feed.leaves.has(hash)) this.#addLeaf(feed, hash, messageIn(value), { nowMs, authenticated: true, read: true });
    this.#collectIfWorthIt();
    return { hash, root };
  }

  withdraw(author: string, hash: Hash, nowMs: number): { root: Hash } | undefined {
    const { messages: count } = this.#own;
    const read = (node: Hash) => this.getNode(node);
    const positions = canonicalLeaves(this.#own.root, count, read).flatMap((leaf, at) => (leaf === hash ? [at] : []));
    const tombstone = hashOf(TOMBSTONE);
    if (positions.length === 0 || hash === tombstone) return undefined;
    this.putNodes([{ hash: tombstone, value: TOMBSTONE }]);
    let { root } = this.#own;
    for (const position of positions) {
      const replaced = replaceLeaf(root, count, position, tombstone, read);
      this.putNodes(replaced.created);
      root = replaced.root;
    }
    const feed = this.#feed(author, nowMs);
    feed.leaves.delete(hash);
    feed.messages.delete(hash);
    feed.leaves.add(tombstone);
    this.#own = { root, messages: count };
    feed.root = root;
    // At once: what was withdrawn must not be there to be asked for.
    this.collectGarbage();
    return { root };
  }

  ownLeaves(): Uint8Array[] {
    const { root, messages } = this.#own;
    const hashes = canonicalLeaves(root, messages, (node) => this.getNode(node));
    return hashes.map((hash) => this.getNode(hash) as Uint8Array);
  }

  restore(author: string, leaves: readonly Uint8Array[], nowMs: number): { root: Hash } {
    if (this.#own.messages > 0) throw new OwnTreeExistsError();
    const nodes = leaves.map((value) => ({ hash: hashOf(value), value }));
    const { root, nodes: internal } = buildTree(nodes.map(({ hash }) => hash));
    this.putNodes([...nodes, ...internal.entries().map(([hash, value]) => ({ hash, value }))]);
    const feed = this.#feed(author, nowMs);
    for (const { hash, value } of nodes) {
      if (!feed.leaves.has(hash)) {
        this.#addLeaf(feed, hash, messageIn(value), { nowMs, authenticated: true, read: true });
      }
    }
    this.#own = { root, messages: leaves.length };
    feed.root = root;
    return { root };
  }

  foreignChanges(): number {
    return 0;
  }

  statusOf(hashes: readonly Hash[]): NodeStatus[] {
    return hashes.map((hash) => {
      const node = this.#nodes.get(hash);
      if (node === undefined) return 'missing';
      return node.leaves === undefined ? 'partial' : 'complete';
    });
  }

  beginWalk(feed: string, root: Hash, nowMs: number): void {
    this.#feed(feed, nowMs).wanted = root;
  }

  putNodes(nodes: readonly StoredNode[]): void {
    for (const { hash, value } of nodes) {
      if (this.#nodes.has(hash)) continue;
      this.#nodes.set(hash, { value: value.slice(), leaves: nodeKind(value) === 'internal' ? undefined : 1 });
    }
  }

  adopt(input: AdoptionInput): Adoption {
    const feed = this.#feed(input.feed, input.nowMs);
    const adoption = finish(adoptingTree(this.#indexOf(feed, input), input));
    if (adoption.status === 'adopted') {
      feed.lastSyncMs = input.nowMs;
      this.#collectIfWorthIt();
    }
    return adoption;
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
    const { leaves } = this.#nodes.get(root) ?? {};
    return root !== this.#own.root && leaves !== undefined && !FULL_TREES.includes(leaves);
  }

  isCurrent(feed: string, root: Hash): boolean {
    return this.currentRoot(feed) === root;
  }

  peer(name: string): PeerRecord | undefined {
    const feed = this.#feeds.get(name);
    return feed && recordOf(feed);
  }

  peers(): PeerRecord[] {
    return [...this.#feeds.values()].map(recordOf);
  }

  pinKey(name: string, key: PublicKey, nowMs: number): 'pinned' | 'same' | 'changed' {
    const feed = this.#feed(name, nowMs);
    if (feed.key === key) return 'same';
    if (feed.key !== undefined) return 'changed';
    feed.key = key;
    return 'pinned';
  }

  setFollowing(name: string, following: boolean, nowMs: number): void {
    this.#feed(name, nowMs).following = following;
  }

  setMuted(name: string, muted: boolean, nowMs: number): void {
    this.#feed(name, nowMs).muted = muted;
  }

  messages({
    authors,
    limit = DEFAULT_LIMIT,
    beforeMs = Number.POSITIVE_INFINITY,
  }: MessageQuery = {}): StoredMessage[] {
    return this.#kept(authors)
      .filter((message) => message.orderMs < beforeMs)
      .sort(byOrder)
      .slice(-limit)
      .map(withoutOrder);
  }

  replies(hash: Hash): StoredMessage[] {
    const found = this.#kept().filter(({ inReplyTo }) => inReplyTo === hash);
    const first = new Map(found.sort((a, b) => b.arrival - a.arrival).map((message) => [message.hash, message]));
    return [...first.values()].sort(byOrder).map(withoutOrder);
  }

  search({ text, limit = DEFAULT_LIMIT }: SearchQuery): StoredMessage[] {
    const phrases = parseSearch(text);
    if (phrases.length === 0) return [];
    return this.#kept()
      .filter(({ body }) => matches(searchWords(body), phrases))
      .sort((a, b) => a.arrival - b.arrival)
      .slice(-SEARCHED_ARRIVALS)
      .sort(byOrder)
      .slice(-limit)
      .map(withoutOrder);
  }

  lastArrival(): number {
    return this.#arrivals;
  }

  arrivalsAfter(arrival: number, limit: number): Arrival[] {
    return this.#kept()
      .filter((message) => message.arrival > arrival)
      .sort((a, b) => a.arrival - b.arrival)
      .slice(0, limit)
      .map((message) => ({ arrival: message.arrival, message: withoutOrder(message) }));
  }

  message(hash: Hash): StoredMessage | undefined {
    for (const feed of this.#feeds.values()) {
      const kept = feed.messages.get(hash);
      if (kept !== undefined) return withoutOrder(kept);
    }
    return undefined;
  }

  messagesStartingWith(prefix: string, limit: number): StoredMessage[] {
    const hashes = this.#feeds
      .values()
      .flatMap(({ messages }) => messages.keys().filter((hash) => hash.startsWith(prefix)));
    return [...new Set(hashes)]
      .sort()
      .slice(0, limit)
      .flatMap((hash) => this.message(hash) ?? []);
  }

  countMessages(): number {
    return this.#feeds.values().reduce((sum, feed) => sum + feed.messages.size, 0);
  }

  markRead(hashes: readonly Hash[]): void {
    for (const feed of this.#feeds.values()) {
      for (const hash of hashes) {
        const kept = feed.messages.get(hash);
        if (kept !== undefined) feed.messages.set(hash, { ...kept, read: true });
      }
    }
  }

  collectGarbage(): number {
    const reachable = new Set<Hash>();
    const roots = this.#feeds.values().flatMap(({ root, wanted }) => [root, wanted]);
    const open = [this.#own.root, ...roots].filter((root) => root !== undefined && !isEmptyRoot(root)) as Hash[];
    for (let hash = open.pop(); hash !== undefined; hash = open.pop()) {
      if (reachable.has(hash)) continue;
      reachable.add(hash);
      open.push(...(childrenOf(hash, (node) => this.getNode(node)) ?? []));
    }
    const before = this.#nodes.size;
    for (const hash of this.#nodes.keys()) if (!reachable.has(hash)) this.#nodes.delete(hash);
    this.#liveNodes = this.#nodes.size;
    return before - this.#nodes.size;
  }

  close(): void {}

  [Symbol.dispose](): void {
    this.close();
  }

  #kept(authors?: readonly string[]): Kept[] {
    const wanted =
      authors === undefined ? [...this.#feeds.values()] : authors.flatMap((name) => this.#feeds.get(name) ?? []);
    return [...new Set(wanted).values().flatMap((feed) => feed.messages.values())];
  }

  #collectIfWorthIt(): void {
    const grown = this.#nodes.size - this.#liveNodes;
    if (grown > Math.max(GARBAGE_FLOOR, this.#liveNodes / 2)) this.collectGarbage();
  }

  #feed(name: string, nowMs: number): Feed {
    const known = this.#feeds.get(name);
    if (known !== undefined) return known;
    const feed: Feed = {
      name,
      key: undefined,
      following: false,
      muted: false,
      root: undefined,
      wanted: undefined,
      firstSeenMs: nowMs,
      lastSyncMs: undefined,
      leaves: new Set(),
      messages: new Map(),
      superseded: new Set(),
    };
    this.#feeds.set(name, feed);
    return feed;
  }

  #addLeaf(
    feed: Feed,
    hash: Hash,
    message: MessageFields | undefined,
    { nowMs, authenticated, read }: { nowMs: number; authenticated: boolean; read: boolean },
  ): void {
    feed.leaves.add(hash);
    this.#liveNodes += 1;
    if (message === undefined) return;
    const { date, inReplyTo, body } = message;
    const orderMs = orderingMs(claimedMs(date, nowMs), nowMs);
    const arrival = ++this.#arrivals;
    const { name: author } = feed;
    feed.messages.set(hash, {
      hash,
      author,
      date,
      inReplyTo,
      body,
      receivedAtMs: nowMs,
      authenticated,
      read,
      orderMs,
      arrival,
    });
  }

  #indexOf(feed: Feed, { nowMs, authenticated }: AdoptionInput): FeedIndex {
    return {
      read: (hash) => this.getNode(hash),
      leafCounts: {
        get: (hash) => this.#nodes.get(hash)?.leaves,
        set: (hash, leaves) => {
          const node = this.#nodes.get(hash);
          if (node !== undefined) node.leaves = leaves;
        },
      },
      currentRoot: () => feed.root,
      // All is done at once: no adoption is ever left in between.
      adopting: () => undefined,
      setAdopting: () => {},
      leaves: () => [],
      addLeaf: (leaf, message) => {
        if (feed.leaves.has(leaf)) return false;
        this.#addLeaf(feed, leaf, message, { nowMs, authenticated, read: false });
        return true;
      },
      removeLeaf: (leaf) => {
        if (feed.leaves.delete(leaf)) this.#liveNodes -= 1;
        return feed.messages.delete(leaf);
      },
      authenticateSome: () => authenticateAll(feed),
      setRoot: (root) => {
        const wentBack = feed.superseded.delete(root);
        if (feed.root !== undefined) feed.superseded.add(feed.root);
        if (feed.superseded.size > MAX_SUPERSEDED)
          feed.superseded.delete(feed.superseded.values().next().value as Hash);
        feed.root = root;
        return wentBack;
      },
      countMessages: () => feed.messages.size,
    };
  }
}

/** A signed root signs all that is below it, also what an unsigned one had brought. */
function authenticateAll({ messages }: Feed): boolean {
  for (const [hash, kept] of messages) if (!kept.authenticated) messages.set(hash, { ...kept, authenticated: true });
  return false;
}

function recordOf({ name, key, following, muted, root, messages, firstSeenMs, lastSyncMs }: Feed): PeerRecord {
  return { name, key, following, muted, root, messages: messages.size, firstSeenMs, lastSyncMs };
}

function byOrder(a: Kept, b: Kept): number {
  return a.orderMs - b.orderMs || a.arrival - b.arrival;
}

function withoutOrder({ orderMs: _, arrival: __, ...message }: Kept): StoredMessage {
  return message;
}
