/**
 * The messages that a system holds at a moment, and how each came to it. Nobody tells the page of them as such: walks are told of nodes
 * and adopt trees, the peer is told what to post, and what it serves goes through its sockets. A feed is what can be reached from the
 * root that was adopted last, so what an author has withdrawn is not in it any more.
 */
import type { ReceivedNode } from '../../machines/events.ts';
import type { LookedUp, MerkleWalkEvent } from '../../machines/merkle-walk-context.ts';
import { claimedMs, orderingMs } from '../feed/message.ts';
import { childrenOf } from '../merkle/read-node.ts';
import { unescapeId } from '../runtime/actor-tree.ts';
import { decodeDatagram } from '../wire/datagram.ts';
import { type Hash, hashOf, isEmptyRoot } from '../wire/hash.ts';
import { messageBody, messageHead, nodeKind } from '../wire/node.ts';
import type { SocketAddress } from '../wire/socket-address.ts';
import { type Actor, countWhile, type Moment, type Run } from './run.ts';

/** `fetched` by a walk, `found` by one in the store, `published` here, `served` to others, or in the store as the page was opened. */
export type How = 'fetched' | 'found' | 'published' | 'served' | 'stored';

export interface Came {
  /** The moment, counted from the first that ever was. */
  readonly at: number;
  readonly how: How;
  /** Of a message that was fetched or found, the walk. */
  readonly by: Actor;
}

export interface Post {
  readonly hash: Hash;
  /** As it came: the page makes it safe. */
  readonly author: string;
  /** What the author claims, Unix ms; undefined: nothing that is a date. */
  readonly claimedMs: number | undefined;
  readonly inReplyTo: Hash | null;
  /** Decoded where it is shown. As it came, too. */
  readonly body: () => string;
  readonly came: Came;
  /** With the tree that it is in. */
  readonly adopted: Adopted | undefined;
  /** Else it is on its way, or was given up: a tree is adopted as a whole. */
  readonly isHeld: boolean;
}

export interface Adopted {
  /** Counted likewise. */
  readonly at: number;
  readonly root: Hash;
  readonly by: Actor;
  readonly newMessages: number;
  readonly withdrawnMessages: number;
}

export interface Feed {
  readonly author: string;
  /** Its messages, in the order of time. */
  readonly posts: readonly Post[];
  /** Until the moment, the oldest first. */
  readonly adoptions: readonly Adopted[];
}

type Adoption = Extract<MerkleWalkEvent, { type: 'tree.adopted' }>['adoption'];

interface Node {
  readonly value: Uint8Array;
  readonly came: Came;
}

/** Of one feed, the newest; a tree may say that it has billions of leaves. */
export const MOST_POSTS = 5_000;
/** Moments that are read at once: the page draws in between. */
const READ_AT_ONCE = 4_000;

const lenientUtf8 = new TextDecoder('utf-8', { ignoreBOM: true });

export class Feeds {
  readonly #run: Run;
  /** In the order in which they came. BOUNDED: those that came at moments that are kept no more are let go. */
  readonly #nodes = new Map<Hash, Node>();
  /** By author. BOUNDED as the moments are. */
  readonly #adoptions = new Map<string, Adopted[]>();
  /** The messages that each walk fetched or found. BOUNDED as the nodes are. */
  readonly #walks = new Map<Actor, Hash[]>();
  /** Own ones. BOUNDED as the nodes are. */
  readonly #own = new Map<Hash, Came>();
  readonly #withdrawn = new Map<Hash, number>();
  /** What was told of those that were published, until their hashes are known. BOUNDED by the wishes that have no answer. */
  readonly #wanted = new Map<string, { text: string; inReplyTo: Hash | null }>();
  readonly #written = new Map<Hash, { text: string; inReplyTo: Hash | null; atMs: number }>();
  /** Moments at which something here has changed, counted from the first that ever was. */
  #changes: number[] = [];
  #read = 0;
  #shown: { readonly changes: number; readonly feeds: readonly Feed[] } | undefined;

  constructor(run: Run) {
    this.#run = run;
  }

  /** Reads on; false: there is more. */
  follow(): boolean {
    const { moments, forgotten } = this.#run;
    if (this.#read < forgotten) this.#read = forgotten;
    this.#forget(forgotten);
    const from = this.#read - forgotten;
    const until = Math.min(moments.length, from + READ_AT_ONCE);
    for (let at = from; at < until; at++) this.#take(moments[at] as Moment, at + forgotten);
    this.#read = until + forgotten;
    return until === moments.length;
  }

  /** At this moment, which is counted from those that are kept; by the names of the authors. */
  at(position: number): readonly Feed[] {
    const absolute = position + this.#run.forgotten;
    const told = countWhile(this.#run.stored, ({ at }) => at <= absolute);
    const changes = countWhile(this.#changes, (at) => at <= absolute) * 1_000_003 + told;
    if (this.#shown?.changes !== changes) this.#shown = { changes, feeds: this.#feedsAt(absolute) };
    return this.#shown.feeds;
  }

  #take({ actor, message, context }: Moment, at: number): void {
    if (message === undefined) return;
    const { type, event } = message;
    if (actor.kind === 'merkle-walk') {
      if (type === 'nodes.received') this.#takeNodes((event as { nodes: ReceivedNode[] }).nodes, at, 'fetched', actor);
      else if (type === 'nodes.lookedUp') this.#takeNodes((event as { found: LookedUp[] }).found, at, 'found', actor);
      else if (type === 'tree.adopted') this.#adopt((event as { adoption: Adoption }).adoption, context, at, actor);
    } else if (actor.kind === 'socket' && type === 'datagrams.send') {
      this.#serve((event as { datagrams: readonly Uint8Array[] }).datagrams, at, actor);
    } else if (actor.parent === undefined) this.#takeWish(type, event, at, actor, message.atMs);
  }

  #takeNodes(nodes: readonly LookedUp[], at: number, how: How, by: Actor): void {
    for (const { hash, value } of nodes) {
      if (value === undefined) continue;
      if (!this.#nodes.has(hash)) this.#nodes.set(hash, { value, came: { at, how, by } });
      if (nodeKind(value) !== 'message') continue;
      const walked = this.#walks.get(by);
      if (walked === undefined) this.#walks.set(by, [hash]);
      else walked.push(hash);
      this.#changed(at);
    }
  }

  #adopt(adoption: Adoption, context: unknown, at: number, by: Actor): void {
    const { root } = (context ?? {}) as { root?: Hash };
    if (adoption.status !== 'adopted' || root === undefined) return;
    const { newMessages, withdrawnMessages } = adoption;
    const adopted = { at, root, by, newMessages, withdrawnMessages };
    const before = this.#adoptions.get(authorOf(by));
    if (before === undefined) this.#adoptions.set(authorOf(by), [adopted]);
    else before.push(adopted);
    this.#changed(at);
  }

  /** A peer serves its own tree. Its nodes go out one by one, or many in a datagram. */
  #serve(datagrams: readonly Uint8Array[], at: number, by: Actor): void {
    for (const value of datagrams.flatMap(valuesIn)) {
      if (nodeKind(value) !== 'message') continue;
      const hash = hashOf(value);
      if (this.#nodes.has(hash)) continue;
      const came: Came = { at, how: 'served', by };
      this.#nodes.set(hash, { value, came });
      if (!this.#own.has(hash)) this.#own.set(hash, came);
      this.#changed(at);
    }
  }

  #takeWish(type: string, event: unknown, at: number, by: Actor, atMs: number): void {
    const told = event as { ticket: string; text: string; inReplyTo: Hash | null; hash: Hash };
    if (type === 'post.wanted') this.#wanted.set(told.ticket, told);
    else if (type === 'message.withdrawn') this.#withdrawn.set(told.hash, at);
    else if (type === 'message.published') {
      const written = this.#wanted.get(told.ticket);
      this.#wanted.delete(told.ticket);
      this.#own.set(told.hash, { at, how: 'published', by });
      if (written !== undefined) this.#written.set(told.hash, { ...written, atMs });
    } else return;
    this.#changed(at);
  }

  #changed(at: number): void {
    if (this.#changes.at(-1) !== at) this.#changes.push(at);
  }

  #forget(before: number): void {
    if (this.#changes[0] === undefined || this.#changes[0] >= before) return;
    this.#changes = this.#changes.slice(countWhile(this.#changes, (at) => at < before));
    this.#shown = undefined;
    for (const [hash, { came }] of this.#nodes) {
      if (came.at >= before) break;
      this.#nodes.delete(hash);
    }
    for (const [hash, { at }] of this.#own) {
      if (at >= before) break;
      this.#own.delete(hash);
      this.#written.delete(hash);
      this.#withdrawn.delete(hash);
    }
    for (const walk of this.#walks.keys()) if (walk.endedAt < 0) this.#walks.delete(walk);
    for (const [author, all] of this.#adoptions) {
      const kept = all.slice(countWhile(all, ({ at }) => at < before));
      if (kept.length > 0) this.#adoptions.set(author, kept);
      else this.#adoptions.delete(author);
    }
  }

  #feedsAt(absolute: number): readonly Feed[] {
    const posts = new Map<string, Map<Hash, Post>>();
    const of = (author: string) => {
      const known = posts.get(author) ?? new Map<Hash, Post>();
      posts.set(author, known);
      return known;
    };
    const adoptions = new Map<string, readonly Adopted[]>();
    for (const [author, all] of this.#adoptions) {
      const until = all.slice(
        0,
        countWhile(all, ({ at }) => at <= absolute),
      );
      const last = until.at(-1);
      if (last === undefined) continue;
      adoptions.set(author, until);
      for (const hash of this.#leaves(last.root)) this.#put(of(author), author, hash, last);
    }
    for (const [walk, hashes] of this.#walks) {
      const author = authorOf(walk);
      if (adoptions.get(author)?.some(({ by }) => by === walk)) continue;
      for (const hash of hashes) {
        const came = this.#nodes.get(hash)?.came;
        if (came?.by === walk && came.at <= absolute) this.#put(of(author), author, hash, undefined);
      }
    }
    const self = this.#nameOfSelf();
    for (const [hash, { at }] of this.#own) {
      if (at <= absolute && (this.#withdrawn.get(hash) ?? Number.POSITIVE_INFINITY) > absolute) {
        this.#put(of(self), self, hash, undefined);
      }
    }
    this.#putStored(of, absolute);
    return Array.from(posts, ([author, all]) => ({
      author,
      posts: [...all.values()].sort((a, b) => this.orderOf(a) - this.orderOf(b)),
      adoptions: adoptions.get(author) ?? [],
    })).sort((a, b) => (a.author < b.author ? -1 : 1));
  }

  /** A journal has the name of its file. */
  #nameOfSelf(): string {
    const root = this.#run.actors[0];
    const { context } = (root && this.#run.lastStep(root, this.#run.moments.length)) ?? {};
    return (context as { name?: string } | undefined)?.name ?? '';
  }

  /** Nobody gets to the end of a list by claiming a later date. */
  orderOf(post: Post): number {
    return orderingMs(post.claimedMs, this.#run.moments[post.came.at - this.#run.forgotten]?.atMs ?? Number.MAX_VALUE);
  }

  /** The newest that are known. Each node once, however often the tree names it. */
  #leaves(root: Hash): Hash[] {
    const found: Hash[] = [];
    const seen = new Set<Hash>();
    const open = isEmptyRoot(root) ? [] : [root];
    for (let hash = open.pop(); hash !== undefined && found.length < MOST_POSTS; hash = open.pop()) {
      if (seen.has(hash)) continue;
      seen.add(hash);
      const node = this.#nodes.get(hash);
      if (node === undefined) continue;
      if (nodeKind(node.value) === 'message') found.push(hash);
      else open.push(...(childrenOf(hash, () => node.value) ?? []));
    }
    return found.reverse();
  }

  #put(into: Map<Hash, Post>, author: string, hash: Hash, adopted: Adopted | undefined): void {
    const came = this.#own.get(hash) ?? this.#nodes.get(hash)?.came;
    if (came === undefined || into.has(hash)) return;
    const atMs = this.#run.moments[came.at - this.#run.forgotten]?.atMs ?? 0;
    const value = this.#nodes.get(hash)?.value;
    const head = value && messageHead(value);
    const written = this.#written.get(hash);
    const isHeld = adopted !== undefined || this.#own.has(hash);
    if (value !== undefined && head !== undefined) {
      const { date, inReplyTo } = head;
      const body = () => lenientUtf8.decode(messageBody(value));
      into.set(hash, { hash, author, claimedMs: claimedMs(date, atMs), inReplyTo, body, came, adopted, isHeld });
    } else if (written !== undefined) {
      const { text, inReplyTo } = written;
      into.set(hash, { hash, author, claimedMs: written.atMs, inReplyTo, body: () => text, came, adopted, isHeld });
    }
  }

  /** What a peer that runs said that it holds. */
  #putStored(of: (author: string) => Map<Hash, Post>, absolute: number): void {
    const [root] = this.#run.actors;
    const latest = new Map<string, Map<string, Post>>();
    for (const { at, messages, author: all } of this.#run.stored) {
      if (at > absolute || root === undefined) break;
      if (all !== undefined) latest.delete(all);
      const came: Came = { at, how: 'stored', by: root };
      for (const { hash, author, date, inReplyTo, body } of messages) {
        const known = latest.get(author) ?? new Map<string, Post>();
        latest.set(author, known);
        if (known.has(hash)) continue;
        const claimed = date === null ? undefined : Date.parse(date);
        const post = { hash, author, claimedMs: claimed, inReplyTo, body: () => body, came };
        known.set(hash, { ...post, adopted: undefined, isHeld: true });
      }
    }
    for (const [author, posts] of latest) {
      const known = of(author);
      for (const post of posts.values()) {
        // Whoever has looked since it came knows how it came.
        const came = this.#own.get(post.hash) ?? this.#nodes.get(post.hash)?.came ?? post.came;
        if (came.at <= absolute && known.get(post.hash)?.isHeld !== true) known.set(post.hash, { ...post, came });
      }
    }
  }
}

/** Whose tree it fetches. */
function authorOf(walk: Actor): string {
  return unescapeId(walk.key);
}

function valuesIn(bytes: Uint8Array): Uint8Array[] {
  const decoded = decodeDatagram(bytes);
  if (!decoded.ok) return [];
  const { datagram } = decoded.value;
  if (datagram.type === 'Datum') return [datagram.value];
  if (datagram.type !== 'Nodes') return [];
  return datagram.items.flatMap(({ value }) => (typeof value === 'string' ? [] : [value]));
}

/** A datagram that carried a message, in a moment of a socket. */
export interface Carrier {
  /** Counted from the first that ever was. */
  readonly at: number;
  /** Its place among those that came, or went, at that moment. */
  readonly index: number;
  readonly type: string;
  readonly size: number;
  readonly address: SocketAddress;
}

/** Moments that are looked at: a datagram is handed on in the turn in which it came. */
const NEAR = 2_000;

/** The datagram in which a message came that was fetched, or in which one that was served first went out. */
export function carrierOf(run: Run, { hash, came }: Post): Carrier | undefined {
  if (came.how !== 'fetched' && came.how !== 'served') return undefined;
  const from = came.at - run.forgotten;
  for (let at = from; at >= Math.max(0, from - NEAR); at--) {
    const { actor, message } = run.moments[at] as Moment;
    if (actor.kind !== 'socket' || message === undefined) continue;
    const found = came.how === 'fetched' ? cameIn(message.event, hash) : wentIn(message.event, hash);
    if (found !== undefined) return { at: at + run.forgotten, ...found };
  }
  return undefined;
}

function cameIn(event: unknown, hash: Hash): Omit<Carrier, 'at'> | undefined {
  const { arrivals = [] } = event as { arrivals?: readonly { bytes: Uint8Array; from: SocketAddress }[] };
  const index = arrivals.findIndex(({ bytes }) => carries(bytes, hash));
  const arrival = arrivals[index];
  return arrival && { index, ...sizeAndType(arrival.bytes), address: arrival.from };
}

function wentIn(event: unknown, hash: Hash): Omit<Carrier, 'at'> | undefined {
  const { datagrams = [], to } = event as { datagrams?: readonly Uint8Array[]; to: SocketAddress };
  const index = datagrams.findIndex((bytes) => carries(bytes, hash));
  const bytes = datagrams[index];
  return bytes && { index, ...sizeAndType(bytes), address: to };
}

function carries(bytes: Uint8Array, hash: Hash): boolean {
  return valuesIn(bytes).some((value) => hashOf(value) === hash);
}

function sizeAndType(bytes: Uint8Array): { type: string; size: number } {
  const decoded = decodeDatagram(bytes);
  return { type: decoded.ok ? decoded.value.datagram.type : 'malformed', size: bytes.length };
}
