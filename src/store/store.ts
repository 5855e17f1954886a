/**
 * The store: what a home remembers. Own messages, verified nodes of others, known roots, peers with pinned keys, read marks.
 *
 * Calls are synchronous: node:sqlite is, and a peer's effects turn answers into events anyway. Every writing call is one
 * transaction. Two processes may hold stores on one home; each sees what the other committed.
 * A *feed* is named by its author's name. Nodes are shared by all feeds and addressed by hash.
 */
import type { StoredMessage } from '../feed/message.ts';
import type { PublicKey } from '../identity/public-key.ts';
import type { Hash } from '../wire/hash.ts';
import type { MessageFields } from '../wire/node.ts';

export type { StoredMessage };

export interface StoredNode {
  readonly hash: Hash;
  readonly value: Uint8Array;
}

/** What the store knows of a node: `partial` is an internal node whose subtree is not known to be whole. */
export type NodeStatus = 'missing' | 'partial' | 'complete';

export interface OwnFeed {
  readonly root: Hash;
  /** Leaves of the own tree: every message ever published, repeated and withdrawn ones included. */
  readonly messages: number;
}

/** An own message that is to be published later. */
export interface ScheduledMessage {
  /** Never given twice. */
  readonly id: number;
  readonly body: string;
  readonly inReplyTo: Hash | null;
  /** Unix ms. */
  readonly dueMs: number;
}

export interface AdoptionTerms {
  readonly authenticated: boolean;
  /** Largest number of messages (leaves, repeats included) a feed may have. */
  readonly quota: number;
}

export interface AdoptionInput extends AdoptionTerms {
  readonly feed: string;
  readonly root: Hash;
  readonly nowMs: number;
  /** False: a tree that lacks something of the current one is not adopted. Default true. */
  readonly mayWithdraw?: boolean;
}

export type Adoption =
  | {
      readonly status: 'adopted';
      readonly newMessages: number;
      readonly withdrawnMessages: number;
      readonly totalMessages: number;
      /** New messages, oldest first; at most 1,000 of them, the newest. */
      readonly added: readonly Hash[];
      /** This root had been current before and was superseded (protocol §9, last row). */
      readonly wentBack: boolean;
    }
  | { readonly status: 'incomplete'; readonly missing: Hash }
  | { readonly status: 'over-quota'; readonly leaves: number; readonly quota: number }
  /** It lacks something of the current tree, and may not: all is as it was. */
  | { readonly status: 'withdraws' };

export interface MergeTerms {
  readonly nowMs: number;
  /** Largest number of messages (leaves, repeats included) the other tree may have. */
  readonly quota: number;
}

export type Merge =
  | {
      readonly status: 'merged';
      /** Of the own tree now. It is as before if the other one has nothing new. */
      readonly root: Hash;
      /** New messages, oldest first. */
      readonly added: readonly Hash[];
      readonly withdrawnMessages: number;
      readonly totalMessages: number;
    }
  | Extract<Adoption, { status: 'incomplete' | 'over-quota' }>;

/** `underway`: there is more to do, for which `adopt` is to be called again. */
export type AdoptionStep = Adoption | { readonly status: 'underway' };

export interface PeerRecord {
  readonly name: string;
  /** Pinned on first use (protocol §7); undefined for a peer without a key. */
  readonly key: PublicKey | undefined;
  readonly following: boolean;
  /** Until `mutedUntilMs` if that is there: see `isMuted`. */
  readonly muted: boolean;
  readonly mutedUntilMs: number | undefined;
  /** Neither served, nor greeted, nor shown. */
  readonly blocked: boolean;
  readonly root: Hash | undefined;
  readonly messages: number;
  /** Messages (leaves, repeats included) that its feed may have; undefined: as many as that of any peer. */
  readonly quota: number | undefined;
  readonly firstSeenMs: number;
  readonly lastSyncMs: number | undefined;
}

/** What a program needs that is not as the protocol has it, or it does not answer (protocol §10, §11). */
export interface Habit {
  /** It answers only ids whose last byte is 0. */
  readonly zeroEndingIds: boolean;
  /** It answers a Hello only if that has no flag set. */
  readonly noFlags: boolean;
}

/** `word`: several words that follow each other, as `searchWords` gives them; of the others, the subject is the hash of a message. */
export type MarkKind = 'word' | 'conversation' | 'bookmark' | 'notice';

/** What the person has marked: muted words and conversations, bookmarks, and notifications that were seen. */
export interface Mark {
  readonly kind: MarkKind;
  readonly subject: string;
  /** Of what is muted; undefined: for good. */
  readonly untilMs: number | undefined;
}

export interface MessageQuery {
  /** Default: every feed, own one included. */
  readonly authors?: readonly string[];
  /** Default 50. */
  readonly limit?: number;
  /** Only messages ordered before this instant, Unix ms. */
  readonly beforeMs?: number;
}

export interface SearchQuery {
  /** Words, all of which have to occur, and "several words in quotes". Accents and letter case do not count; a word may be cut short. */
  readonly text: string;
  /** Default 50. */
  readonly limit?: number;
  /** Called while words are taken note of that were not yet: how much of that is done, 0 to 1. */
  readonly onIndexed?: (share: number) => void;
}

/** How far somebody has looked at what arrives. */
export interface ArrivalMark {
  readonly arrival: number;
  /** Feeds that are being fetched for the first time: they are passed over until they are shown, and then looked at from this arrival on. */
  readonly awaited: ReadonlyMap<number, number>;
}

/** Before anything has arrived. */
export const FIRST_ARRIVAL: ArrivalMark = { arrival: 0, awaited: new Map() };

export interface Arrived {
  readonly messages: readonly StoredMessage[];
  /** From where to look next time. */
  readonly mark: ArrivalMark;
}

/** What is not as it was stored. */
export interface Damage {
  /** Null: it is not clear which node it was. */
  readonly hash: Hash | null;
  readonly why: string;
}

export interface Verified {
  readonly nodes: number;
  /** Messages among the nodes. */
  readonly messages: number;
  readonly damaged: readonly Damage[];
  /** How much of it is done, 0 to 1. */
  readonly share: number;
}

/** What every kind of store promises. */
export const storeLimits = {
  /** Messages that a query is answered with, unless it says how many. */
  shown: 50,
  /** New messages that an adoption names. */
  added: 1_000,
  /** Changes of the own tree before which its root is remembered. */
  formerOwnFeeds: 64,
} as const;

/** A search looks for the newest messages among this many that fit and came last: whatever the query, it ends soon. */
export const SEARCHED_ARRIVALS = 2_000;

export interface Store extends Disposable {
  /** The tree node's bytes, own or of others. */
  getNode(hash: Hash): Uint8Array | undefined;
  /** The same for several, such as the children of one node: they lie together, and are read together. */
  getNodes(hashes: readonly Hash[]): (Uint8Array | undefined)[];

  ownFeed(): OwnFeed;
  /** Appends to the own tree, atomically across processes. @throws MessageTooLongError */
  publish(author: string, message: MessageFields, nowMs: number): { hash: Hash; root: Hash };
  /**
   * Takes a message out of the own tree, wherever it stands in it: a node of no known type takes its place (merkle/withdraw.ts), and the
   * message is forgotten unless another feed has it. Undefined, and nothing is done, if it does not stand there.
   */
  withdraw(author: string, hash: Hash, nowMs: number): { root: Hash } | undefined;
  /** Keeps a message that is to be published later; returns its id. @throws MessageTooLongError */
  schedule(message: Omit<ScheduledMessage, 'id'>): number;
  /** What waits to be published, by when it is due. */
  scheduled(): ScheduledMessage[];
  /** Takes back what waits; undefined if it waits no more. */
  unschedule(id: number): ScheduledMessage | undefined;
  /** As `publish`, of what waited, which waits no more: both or neither. Undefined if it does not wait. */
  publishScheduled(author: string, id: number, date: number, nowMs: number): { hash: Hash; root: Hash } | undefined;
  /**
   * Takes over what another copy of this home has published: the own tree then has the messages of both, but for those that were
   * withdrawn in either. The tree with this root was fetched before.
   */
  merge(author: string, root: Hash, terms: MergeTerms): Merge;
  /** The leaves of the own tree, in order, as they are: for a backup. */
  ownLeaves(): Uint8Array[];
  /** The own tree as it was before, newest first, without the present one: the last 64 changes are remembered. */
  formerOwnFeeds(): OwnFeed[];
  /** Makes these the own tree, from a backup. @throws MurmureError `usage` if there is an own tree already */
  restore(author: string, leaves: readonly Uint8Array[], nowMs: number): { root: Hash };
  /** Changes when another process has committed to this home; never because of this store's own writes. */
  foreignChanges(): number;

  /** For each hash, what is known of it. A leaf that is stored is `complete`. */
  statusOf(hashes: readonly Hash[]): NodeStatus[];
  /**
   * Remembers what a walk is after, so that collection keeps what it has fetched. One walk a feed. With the terms on which the tree will
   * be adopted, a feed's first one is made ready while it comes. True if no walk of this feed has left anything here.
   */
  beginWalk(feed: string, root: Hash, nowMs: number, terms?: AdoptionTerms): boolean;
  /** Verified nodes, in one transaction. */
  putNodes(nodes: readonly StoredNode[]): void;
  /**
   * Makes a wholly fetched root the feed's current one: counts leaves by memo, adds what is new, drops what is withdrawn. A large
   * change takes several calls with the same input, each a short transaction. Messages of a feed's first tree are shown with the last
   * of them, all at once; later changes come and go bit by bit, and the root is current with the last call. Whoever stops in between,
   * or turns to another root, leaves nothing wrong for the next.
   */
  adopt(input: AdoptionInput): AdoptionStep;
  endWalk(feed: string): void;
  currentRoot(feed: string): Hash | undefined;
  /**
   * True for a root that a later one of the same feed has taken the place of, and that is nobody's now. Not for one message, nor for 32,
   * 1,024, …: these stand in every later tree of the shape that we publish (protocol §2).
   */
  isSuperseded(root: Hash): boolean;
  /** A later root of this feed has taken its place: it was current once, and is not now. */
  wasCurrent(feed: string, root: Hash): boolean;
  /**
   * False for the current root, too, while the adoption of another was begun and has not ended. `authenticated`: and no message of it is still
   * without that. Default false.
   */
  isCurrent(feed: string, root: Hash, options?: { readonly authenticated: boolean }): boolean;

  peer(name: string): PeerRecord | undefined;
  peers(): PeerRecord[];
  /** Pins the first key seen; `changed` leaves the pinned one in place. */
  pinKey(name: string, key: PublicKey, nowMs: number): 'pinned' | 'same' | 'changed';
  /** Pins this key in the place of any other: the person has accepted it. Returns the one that was pinned before. */
  repinKey(name: string, key: PublicKey, nowMs: number): PublicKey | undefined;
  setFollowing(name: string, following: boolean, nowMs: number): void;
  /** `untilMs`: not for good. */
  setMuted(name: string, muted: boolean, nowMs: number, untilMs?: number): void;
  /** Whoever is blocked is followed no more, and on no list; what is stored of them is shown nowhere, until they are unblocked. */
  setBlocked(name: string, blocked: boolean, nowMs: number): void;
  setQuota(name: string, quota: number | undefined, nowMs: number): void;

  /**
   * A peer that has proven its address reads from us. Cheap: written at most once in three minutes for each name. The newest 4,096 are
   * remembered, and never exported. @throws what is wrong with the disk, at most as often as it is written
   */
  noteReader(name: string, nowMs: number): void;
  /**
   * Who has read from us at this instant (Unix ms) or later; who was noted last comes first. Whoever was noted in the future, by a clock
   * that was set back since, counts as noted now.
   */
  readersSince(ms: number, nowMs: number): string[];
  /** Where the peer answered last under its key, as text; undefined: nothing is known. */
  addressOf(name: string): string | undefined;
  /** Replaces what was known. Cheap if that was the same. The newest 4,096 are remembered. */
  noteAddress(name: string, address: string): void;
  /** `address`: as text, `IP:PORT`. `key`: null for a peer without one. Undefined: nothing is known. */
  habitOf(address: string, key: PublicKey | null): Habit | undefined;
  /** Replaces what was known. Cheap if that was the same. The newest 4,096 are remembered. */
  noteHabit(address: string, key: PublicKey | null, habit: Habit, nowMs: number): void;
  /** Whether the person believes unsigned Roots of this peer as long as it has this key (protocol §4). */
  trustsUnsigned(name: string, key: PublicKey): boolean;
  setTrustUnsigned(name: string, key: PublicKey, trusts: boolean): void;

  /** Newest last; ordered by min(claimed date, first seen), then by order of arrival (protocol §2). */
  messages(query?: MessageQuery): StoredMessage[];
  message(hash: Hash): StoredMessage | undefined;
  /** The same for many, in this order; those that are not there are left out. */
  messagesWith(hashes: readonly Hash[]): StoredMessage[];
  /** Those whose hashes start with these lower-case hex digits, in the order of their hashes; each hash once. */
  messagesStartingWith(prefix: string, limit: number): StoredMessage[];
  /** What answers this message, in the order of `messages`; each hash once. */
  replies(hash: Hash): StoredMessage[];
  /** Messages that have what is looked for (search-words.ts), in the order of `messages`. */
  search(query: SearchQuery): StoredMessage[];
  /** From where to look for what comes later. */
  lastArrival(): ArrivalMark;
  /** What came after that, in the order in which it came to be shown, own messages included; at most so much, and then there may be more. */
  arrivalsAfter(mark: ArrivalMark, limit: number): Arrived;
  /** What others wrote in answer to messages of this feed, the newest, in the order of `messages`. Only its own newest 5,000 count. */
  repliesTo(author: string, limit: number): StoredMessage[];
  countMessages(): number;
  markRead(hashes: readonly Hash[]): void;

  /** In the order in which they were made. */
  marks(kind: MarkKind): Mark[];
  /** Which of these subjects have this mark. */
  markedAmong(kind: MarkKind, subjects: readonly string[]): Set<string>;
  /** How many were not there already. What was there gets its new `untilMs` all the same. */
  setMarks(marks: readonly Mark[]): number;
  /** False if it was not there. */
  removeMark(kind: MarkKind, subject: string): boolean;
  /** What was received until then counts as seen among the notifications, Unix ms. */
  noticedUntilMs(): number;
  /** Members of each list of people, in the order of names. A list without members is none. */
  lists(): Map<string, readonly string[]>;
  addToList(list: string, peers: readonly string[]): void;
  removeFromList(list: string, peers: readonly string[]): void;

  /** Hashes everything anew, portion by portion, and tells after each of them how far it is. The last one has all of it. */
  verify(): Iterable<Verified>;
  /** Removes nodes that no own, current or wanted root reaches, all at once; in portions it runs by itself when worth it. Returns how many went. */
  collectGarbage(): number;
  close(): void;
}
