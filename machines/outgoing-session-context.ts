/** What an outgoing session knows, hears, and asks; pure. */
import type { PublicKey } from '../src/identity/public-key.ts';
import type { Hash } from '../src/wire/hash.ts';
import { type SocketAddress, sameAddress } from '../src/wire/socket-address.ts';
import type { Harvest, Wanted } from './bulk-answer.ts';
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
import { awaited } from './outstanding.ts';
import { afterRequest, openPath, type Path, recovered } from './path.ts';
import { takenOn, window } from './path-allowance.ts';
import type {
  Question,
  RequestEnded,
  Requester,
  RequestOrder,
  RequestProgressed,
  RequestReleased,
  RequestStalled,
} from './request-context.ts';
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

/** As many GetNodes. No more grants in all than there is room for in the window. */
export interface BulkWanted {
  readonly type: 'bulk.wanted';
  readonly requests: readonly { readonly wanted: readonly Wanted[]; readonly grant: number }[];
  readonly requester: Ref<NodesResult>;
  readonly atMs: number | undefined;
}

/** What the peer has said of extensions in its latest Hello, and whether that has turned out to be true. */
export interface Bulk {
  /** From where it was said. */
  readonly address: SocketAddress;
  /** The id of that Hello, which GetNodes has to carry. */
  readonly proof: number;
  /** GetNodes in a row that were refused, and that stayed unanswered. */
  readonly refusals: number;
  readonly silences: number;
  readonly isOff: boolean;
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
      readonly roundTripMs?: number | undefined;
      /** By a Hello of ours that announced no extension. */
      readonly isBare?: boolean;
    }
  /** Hello now, so that the other side learns where we are; the session is opened if there is none. */
  | { readonly type: 'session.renew'; readonly atMs: number }
  /** It has just answered a Hello there, sent on behalf of nobody. */
  | { readonly type: 'peer.found'; readonly name: string; readonly address: SocketAddress; readonly atMs: number }
  /** Does the path in use still answer? It is asked only if nothing under way tells. */
  | { readonly type: 'path.check' }
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
  | BulkWanted
  /** The peer has said Hello from there, under this key. */
  | {
      readonly type: 'flags.learned';
      readonly address: SocketAddress;
      readonly key: PublicKey | undefined;
      readonly flags: number;
      readonly id: number;
    }
  /** Our signed Root, to be pushed (protocol §5). */
  | { readonly type: 'push.wanted'; readonly bytes: Uint8Array }
  /** The peer has asked for what was pushed. */
  | { readonly type: 'push.confirmed' }
  | { readonly type: 'push.due' }
  /** A request may be sent now, or one under way must be lost. */
  | { readonly type: 'pace.due' }
  | { readonly type: 'sockets.changed'; readonly sockets: Sockets }
  | { readonly type: 'sweep'; readonly atMs: number }
  | AnswersDelivered
  | RequestEnded
  | RequestProgressed
  | RequestReleased
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
  /** Of our Hello: the extensions that we have (protocol §10). */
  readonly flags: number;
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
  readonly unserved: readonly Wanted[];
  readonly single: readonly Hash[];
  /** Requests that are over, sends that these have cost, and datagrams that are under way no more. */
  readonly requests: number;
  readonly sent: number;
  readonly freed: number;
  readonly atMs: number;
}

export interface OutgoingSessionContext extends OutgoingSessionInput {
  /** Under which Hellos have to be answered; the path in use has the one under which its own was. */
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
  /** The owner was told that the path in use does not answer. */
  readonly isSilent: boolean;
  /** When the event that is being handled came in; undefined while a timer's is. */
  readonly atMs: number | undefined;
  readonly usedAtMs: number;
  readonly zeroEndingIds: boolean;
  /** It answers only a Hello without flags. */
  readonly noFlags: boolean;
  /** Our latest Hello that was answered announced no extension, so that the peer takes us for a program without any. */
  readonly isUnannounced: boolean;
  readonly trustsUnsigned: boolean;
  readonly bulk: Bulk | undefined;
  readonly requests: Slots;
  readonly gathered: readonly Gathered[];
  /** What waits for the next HelloReply: what was refused, and what is wanted while there is no session. Bounded by the window of each requester. */
  readonly heldBack: readonly (RootWanted | NodesWanted)[];
  /** Nodes that are wanted and not asked for yet, since the window is full or the pace does not allow it. BOUNDED: by the window that requesters are told. */
  readonly waiting: readonly NodesWanted[];
  /** When the pace is looked at again, whatever comes. */
  readonly paceDueAtMs: number | undefined;
  readonly regreetings: number;
  /** Unsigned Roots that wait until a Hello, sent after they came, is answered under the peer's name. BOUNDED: by the requests under way. */
  readonly unvouched: readonly RequestEnded[];
  /** The last of them for which that was so. */
  readonly vouched: Hash | undefined;
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

/** A Root that nothing ties to the name of the peer: another program may be at its address by now. */
export function isNamelessRoot(context: OutgoingSessionContext, { order, outcome }: RequestEnded): boolean {
  if (context.located !== undefined || order.question.type !== 'RootRequest' || order.answerKey !== undefined)
    return false;
  return outcome.kind === 'answered' && outcome.answer.type === 'Root' && outcome.answer.hash !== context.vouched;
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
export function openedPath({ path, sockets, atMs: nowMs }: OutgoingSessionContext, event: RequestEnded): Path {
  const { order, outcome } = event;
  const atMs = event.atMs ?? nowMs ?? 0;
  const opened =
    path !== undefined && sameAddress(path.address, order.to)
      ? recovered({ ...path, key: order.answerKey ?? path.key, openedAtMs: atMs })
      : afterRequest(openPath({ address: order.to, key: order.answerKey, openedAtMs: atMs }, sockets), event);
  return outcome.kind === 'answered' ? { ...opened, provenBy: outcome.ids } : opened;
}

export function isInUse({ path }: OutgoingSessionContext, address: SocketAddress): boolean {
  return path !== undefined && sameAddress(path.address, address);
}

/** The peer serves nodes in bulk over the path in use (protocol §10.1). */
export function isBulkInForce({ path, bulk, isUnannounced }: OutgoingSessionContext): boolean {
  return (
    !isUnannounced && bulk !== undefined && !bulk.isOff && path !== undefined && sameAddress(bulk.address, path.address)
  );
}

/**
 * How many datagrams with answers a requester may have under way. Of requests for one node each some wait here, so that there is always
 * one to send; grants are under way at once, and never more than the window.
 */
export function windowOf(context: OutgoingSessionContext): number {
  const { path } = context;
  if (path === undefined) return Math.ceil(REQUESTERS_SHARE * limits.firstWindow);
  const { controller } = path;
  if (!isBulkInForce(context)) return Math.ceil(REQUESTERS_SHARE * window(controller));
  // Whoever has extensions need not be tried with few requests first.
  const size = controller.rate.delivered === 0 ? limits.initialWindow : window(controller);
  const nowMs = Math.max(context.atMs ?? 0, controller.rate.deliveredAtMs);
  return Math.min(size, awaited(controller.outstanding) + takenOn(controller, nowMs));
}
const REQUESTERS_SHARE = 1.5;

interface Asked {
  readonly to: SocketAddress;
  readonly socket: SocketRef;
  readonly question: Question;
  readonly requester?: Requester;
  readonly ticket?: number;
  readonly sentBefore?: number | undefined;
  readonly maxSends?: number;
}

/** A Root of somebody who never signs them is believed if the user says so; the key counts once a Hello was answered under it. */
function rootKey({ trustsUnsigned, path, key }: OutgoingSessionContext): PublicKey | undefined {
  return trustsUnsigned ? undefined : (path ?? { key }).key;
}

/** A request under the session's name, key and habits. */
export function orderFor(context: OutgoingSessionContext, asked: Asked): RequestOrder {
  const { to, socket, question, requester, ticket = 0, sentBefore = 0 } = asked;
  const isHelloOrder = question.type === 'Hello';
  const pathTimeoutMs = context.path?.controller.roundTrip.timeoutMs;
  // A slow peer is not sent a second Hello before it can have answered the first.
  const helloTimeoutMs = isInUse(context, to) ? Math.max(timing.helloTimeout, pathTimeoutMs ?? 0) : timing.helloTimeout;
  return {
    question,
    to,
    socket,
    answerKey: isHelloOrder ? context.key : rootKey(context),
    answerName: isHelloOrder && context.nameKnown ? context.name : undefined,
    firstTimeoutMs: isHelloOrder ? helloTimeoutMs : (pathTimeoutMs ?? timing.initialTimeout),
    roundTripMs: context.path?.controller.roundTrip.smoothedMs,
    maxSends: asked.maxSends ?? (isHelloOrder ? limits.helloSends : limits.requestSends),
    zeroEndingIds: context.zeroEndingIds,
    requester,
    ticket,
    sentBefore,
    heard: context.path?.heard ?? 0,
  };
}

/** Of so many requests, with one datagram under way for each. */
export function costOf(context: OutgoingSessionContext, sent: number, requests: number, freed = requests): Cost {
  const isBulk = isBulkInForce(context);
  return { sent, repeated: sent - requests, window: windowOf(context), isBulk, freed };
}

/** With an answer to a GetDatum, for whoever asked. */
export function gather(
  gathered: readonly Gathered[],
  { order, outcome, sends, atMs }: RequestEnded,
): readonly Gathered[] {
  const { requester } = order;
  if (requester === undefined || outcome.kind !== 'answered' || atMs === undefined) return gathered;
  const { answer } = outcome;
  const former = gatheredFor(gathered, requester);
  const { nodes, absent } = former;
  const grown: Gathered = {
    ...former,
    nodes: answer.type === 'Datum' ? [...nodes, { hash: answer.hash, value: answer.value }] : nodes,
    absent: answer.type === 'NoDatum' ? [...absent, answer.hash] : absent,
    requests: former.requests + 1,
    sent: former.sent + order.sentBefore + sends,
    freed: former.freed + 1,
    atMs,
  };
  return [...gathered.filter((other) => other.requester !== requester), grown];
}

function gatheredFor(gathered: readonly Gathered[], requester: Requester): Gathered {
  const nothing = { nodes: [], absent: [], unserved: [], single: [], requests: 0, sent: 0, freed: 0, atMs: 0 };
  return gathered.find((other) => other.requester === requester) ?? { requester, ...nothing };
}

/** With Nodes that have come, for whoever asked; `unserved` at the end of the request. */
export function gatherHarvest(
  gathered: readonly Gathered[],
  { order, freed, sends, atMs }: Pick<RequestEnded, 'order' | 'freed' | 'sends' | 'atMs'>,
  { harvest, unserved }: { readonly harvest: Harvest; readonly unserved?: readonly Wanted[] },
): readonly Gathered[] {
  const { requester } = order;
  if (requester === undefined || atMs === undefined) return gathered;
  const former = gatheredFor(gathered, requester);
  const isOver = unserved !== undefined;
  const grown: Gathered = {
    requester,
    nodes: [...former.nodes, ...harvest.nodes],
    absent: [...former.absent, ...harvest.absent],
    unserved: [...former.unserved, ...(unserved ?? [])],
    single: [...former.single, ...harvest.single],
    requests: former.requests + (isOver ? 1 : 0),
    sent: former.sent + (isOver ? order.sentBefore + sends : 0),
    freed: former.freed + freed,
    atMs,
  };
  return [...gathered.filter((other) => other.requester !== requester), grown];
}

/** Why there was no answer, in a sentence. */
export function failureOf(ended: RequestEnded, name: string): Failure {
  return requestFailure(ended.order, ended.outcome, ended.sends, name);
}

/** As above, of a request that still goes on. */
export function stallFailure({ order, sends, waitedMs }: RequestStalled, name: string): Failure {
  return requestFailure(order, { kind: 'unanswered', waitedMs, faults: {} }, sends, name);
}
