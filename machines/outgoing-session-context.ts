/** What an outgoing session knows, hears, and asks; pure. */
import type { PublicKey } from '../src/identity/public-key.ts';
import type { Hash } from '../src/wire/hash.ts';
import { type SocketAddress, sameAddress } from '../src/wire/socket-address.ts';
import type { Random } from './effects.ts';
import type {
  AnswersDelivered,
  Cost,
  Failure,
  Located,
  NodesResult,
  ReceivedNode,
  RootResult,
  Sockets,
  Spent,
} from './events.ts';
import { socketFor } from './events.ts';
import type { Ref, RefFor, SocketRef } from './messages.ts';
import { afterRequest, openPath, type Path } from './path.ts';
import type { Question, RequestEnded, Requester, RequestOrder, RequestStalled } from './request-context.ts';
import { requestFailure } from './request-failure.ts';
import type { Slots } from './slots.ts';
import { limits, timing } from './timing.ts';

export interface RootWanted {
  readonly type: 'root.wanted';
  readonly requester: Ref<RootResult>;
  readonly atMs: number | undefined;
  /** How often it was sent already, over a path that was lost. */
  readonly sentBefore?: number;
}

export interface NodesWanted {
  readonly type: 'nodes.wanted';
  /** No hash twice. */
  readonly hashes: readonly Hash[];
  readonly requester: Ref<NodesResult>;
  /** The requester's own mark, handed back to it. */
  readonly ticket: number;
  readonly atMs: number | undefined;
  /** How often it, one node then, was sent already, over a path that was lost. */
  readonly sentBefore?: number;
}

export type OutgoingSessionEvent =
  | { readonly type: 'session.open'; readonly waiter: Waiter | undefined; readonly atMs: number | undefined }
  /** Hello now, whether or not there is a session: a directory lists us for an hour after each. */
  | { readonly type: 'session.greet'; readonly atMs: number }
  /** The peer answered a Hello of ours from this address, under its name and this key. */
  | {
      readonly type: 'session.adopt';
      readonly address: SocketAddress;
      readonly key: PublicKey | undefined;
      readonly atMs: number;
    }
  /** Hello now, so that the other side learns where we are; the session is opened if there is none. */
  | { readonly type: 'session.renew'; readonly atMs: number }
  /** The directory has just proven the peer anew, or lists it elsewhere. */
  | ({ readonly type: 'listing.changed'; readonly atMs: number } & Located)
  /** The peer reads from us: the session is kept for what is pushed to it. */
  | { readonly type: 'session.used'; readonly atMs: number }
  | ({ readonly type: 'peer.located'; readonly atMs: number } & Located)
  | { readonly type: 'peer.notLocated'; readonly failure: Failure }
  /** The user believes Roots of this peer without a signature. */
  | { readonly type: 'trust.recalled'; readonly key: PublicKey }
  /** The user believes something else of this peer than when it was located. */
  | { readonly type: 'trust.changed' }
  | RootWanted
  | NodesWanted
  /** Our signed Root, to be pushed (protocol §5). */
  | { readonly type: 'push.wanted'; readonly bytes: Uint8Array }
  /** The peer has asked for what was pushed. */
  | { readonly type: 'push.confirmed' }
  | { readonly type: 'push.due' }
  | { readonly type: 'sockets.changed'; readonly sockets: Sockets }
  | { readonly type: 'sweep'; readonly atMs: number }
  | AnswersDelivered
  | RequestEnded
  | RequestStalled;

export type Waiter =
  | RefFor<'outgoing-session', 'merkle-walk'>
  | RefFor<'outgoing-session', 'history-check'>
  | RefFor<'outgoing-session', 'ping'>;

export interface OutgoingSessionInput {
  readonly id: string;
  /** The peer's name; empty for a directory or an address given by hand. */
  readonly name: string;
  readonly ownName: string;
  readonly owner: RefFor<'outgoing-session', 'peer'>;
  readonly random: Random;
  readonly sockets: Sockets;
  /** Where the other side is, if that needs no asking: a directory, or an address given by hand. */
  readonly located: Located | undefined;
  /** HelloReply must carry `name`; not so for an address given by hand. */
  readonly nameKnown: boolean;
}

/** Answers that came in this turn of the event loop, for one requester. Bounded by the window of the path. */
export interface Gathered {
  readonly requester: Requester;
  readonly nodes: readonly ReceivedNode[];
  readonly absent: readonly Hash[];
  readonly sent: number;
  readonly atMs: number;
}

export interface OutgoingSessionContext extends OutgoingSessionInput {
  readonly key: PublicKey | undefined;
  /** The path in use: an address at which the peer answered our Hello. */
  readonly path: Path | undefined;
  /** Addresses to say Hello to, the most promising first. Bounded: those that the directory lists, and `limits.alternatives`. */
  readonly candidates: readonly SocketAddress[];
  /** Hellos under way. Bounded by one renewal, and twice `limits.racingHellos`: the listing may change meanwhile. */
  readonly hellos: readonly { readonly slot: number; readonly to: SocketAddress }[];
  /** How many Hellos this race has begun. */
  readonly raced: number;
  readonly waiters: readonly Waiter[];
  /** What Hellos that are over have cost since somebody waits. */
  readonly greeted: Spent;
  /** When the event that is being handled came in; undefined while a timer's is. */
  readonly atMs: number | undefined;
  readonly usedAtMs: number;
  readonly zeroEndingIds: boolean;
  readonly trustsUnsigned: boolean;
  readonly requests: Slots;
  readonly gathered: readonly Gathered[];
  /** What waits for the next HelloReply: what was refused, and what is wanted while there is no session. Bounded by the window of each requester. */
  readonly heldBack: readonly (RootWanted | NodesWanted)[];
  readonly regreetings: number;
  /** A pushed Root that the peer has not asked for yet, and how often it was sent. */
  readonly push: { readonly bytes: Uint8Array; readonly sends: number } | undefined;
  readonly failure: Failure | undefined;
}

export function isHello({ order }: RequestEnded): boolean {
  return order.question.type === 'Hello';
}

/** A refusal or silence, of which somebody is to be told or which is to be asked again: what was wanted. */
export function wantedAgain({ order, sends }: RequestEnded): RootWanted | NodesWanted | undefined {
  const { requester, question, ticket } = order;
  const sentBefore = order.sentBefore + sends;
  if (requester === undefined) return undefined;
  if (question.type === 'RootRequest') return { type: 'root.wanted', requester, atMs: undefined, sentBefore };
  if (question.type === 'GetDatum') {
    return { type: 'nodes.wanted', hashes: [question.hash], requester, ticket, atMs: undefined, sentBefore };
  }
  return undefined;
}

/** The directory can help with an address that nobody typed in. */
export function mayTraverse({ located }: OutgoingSessionContext): boolean {
  return located === undefined;
}

/** Those that a socket of ours can send to. */
export function usable({ sockets }: OutgoingSessionContext, addresses: readonly SocketAddress[]): SocketAddress[] {
  return addresses.filter((address) => socketFor(sockets, address) !== undefined);
}

/** In this order, none twice. */
export function distinct(addresses: readonly SocketAddress[]): SocketAddress[] {
  return addresses.filter((address, index) => addresses.findIndex((other) => sameAddress(other, address)) === index);
}

/** The address at which our Hello was answered, as the path that it is from now on. */
export function openedPath({ path, atMs: nowMs }: OutgoingSessionContext, event: RequestEnded): Path {
  const { order } = event;
  const atMs = event.atMs ?? nowMs ?? 0;
  return path !== undefined && sameAddress(path.address, order.to)
    ? { ...path, openedAtMs: atMs }
    : afterRequest(openPath(order.to, atMs), event);
}

export function isInUse({ path }: OutgoingSessionContext, address: SocketAddress): boolean {
  return path !== undefined && sameAddress(path.address, address);
}

/** How many requests may be in flight. */
export function windowOf({ path }: OutgoingSessionContext): number {
  return Math.max(1, Math.floor(path?.congestion.window ?? limits.initialWindow));
}

interface Asked {
  readonly to: SocketAddress;
  readonly socket: SocketRef;
  readonly question: Question;
  readonly requester?: Requester;
  readonly ticket?: number;
  readonly sentBefore?: number | undefined;
  readonly maxSends?: number;
}

/** A request under the session's name, key and habits. */
export function orderFor(context: OutgoingSessionContext, asked: Asked): RequestOrder {
  const { to, socket, question, requester, ticket = 0, sentBefore = 0 } = asked;
  const isHelloOrder = question.type === 'Hello';
  return {
    question,
    to,
    socket,
    // A Root of somebody who never signs them is believed if the user says so.
    answerKey: question.type === 'RootRequest' && context.trustsUnsigned ? undefined : context.key,
    answerName: isHelloOrder && context.nameKnown ? context.name : undefined,
    firstTimeoutMs: isHelloOrder ? timing.helloTimeout : (context.path?.congestion.timeoutMs ?? timing.initialTimeout),
    maxSends: asked.maxSends ?? (isHelloOrder ? limits.helloSends : limits.requestSends),
    zeroEndingIds: context.zeroEndingIds,
    requester,
    ticket,
    sentBefore,
    heard: context.path?.heard ?? 0,
  };
}

export function costOf(context: OutgoingSessionContext, sent: number, requests: number): Cost {
  return { sent, repeated: sent - requests, window: windowOf(context) };
}

/** With an answer to a GetDatum, for whoever asked. */
export function gather(
  gathered: readonly Gathered[],
  { order, outcome, sends, atMs }: RequestEnded,
): readonly Gathered[] {
  const { requester } = order;
  if (requester === undefined || outcome.kind !== 'answered' || atMs === undefined) return gathered;
  const { answer } = outcome;
  const former = gathered.find((other) => other.requester === requester);
  const { nodes = [], absent = [], sent = 0 } = former ?? {};
  const grown: Gathered = {
    requester,
    nodes: answer.type === 'Datum' ? [...nodes, { hash: answer.hash, value: answer.value }] : nodes,
    absent: answer.type === 'NoDatum' ? [...absent, answer.hash] : absent,
    sent: sent + order.sentBefore + sends,
    atMs,
  };
  return [...gathered.filter((other) => other !== former), grown];
}

/** Why there was no answer, in a sentence. */
export function failureOf(ended: RequestEnded, name: string): Failure {
  return requestFailure(ended.order, ended.outcome, ended.sends, name);
}

/** As above, of a request that still goes on. */
export function stallFailure({ order, sends, waitedMs }: RequestStalled, name: string): Failure {
  return requestFailure(order, { kind: 'unanswered', waitedMs, faults: {} }, sends, name);
}
