/** What an outgoing session knows, hears, and asks; pure. */

import type { PublicKey } from '../src/identity/public-key.ts';
import type { Hash } from '../src/wire/hash.ts';
import { formatAddress, type SocketAddress } from '../src/wire/socket-address.ts';
import type { Congestion } from './congestion.ts';
import type { Random } from './effects.ts';
import { type Failure, type Located, type NodesResult, type RootResult, type Sockets, socketFor } from './events.ts';
import type { RefFor } from './messages.ts';
import type { NodesEnded, NodesOrder } from './node-requests.machine.ts';
import type { RequestEnded, RequestOrder } from './request.machine.ts';
import type { Slots } from './slots.ts';
import { limits, timing } from './timing.ts';

export interface RootWanted {
  readonly type: 'root.wanted';
  readonly requester: RefFor<'outgoing-session', 'merkle-walk'>;
  readonly atMs: number | undefined;
}

export interface NodesWanted {
  readonly type: 'nodes.wanted';
  /** No hash twice. */
  readonly hashes: readonly Hash[];
  readonly requester: RefFor<'outgoing-session', 'history-check'>;
  /** The requester's own mark, handed back to it. */
  readonly ticket: number;
  readonly atMs: number | undefined;
}

export type OutgoingSessionEvent =
  | {
      readonly type: 'session.open';
      readonly waiter: RefFor<'outgoing-session', 'history-check'> | undefined;
      readonly atMs: number;
    }
  /** Hello now, whether or not there is a session: a directory lists us for an hour after each. */
  | { readonly type: 'session.greet'; readonly atMs: number }
  | {
      readonly type: 'session.adopt';
      readonly address: SocketAddress;
      readonly key: PublicKey | undefined;
      readonly atMs: number;
    }
  | ({ readonly type: 'peer.located'; readonly atMs: number } & Located)
  | { readonly type: 'peer.notLocated'; readonly failure: Failure }
  | RootWanted
  | NodesWanted
  | { readonly type: 'sockets.changed'; readonly sockets: Sockets }
  | { readonly type: 'sweep'; readonly atMs: number }
  | RequestEnded
  | NodesEnded;

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

export interface OutgoingSessionContext extends OutgoingSessionInput {
  readonly key: PublicKey | undefined;
  readonly addresses: readonly SocketAddress[];
  /** Index of the address in use. */
  readonly attempt: number;
  readonly traversed: boolean;
  /** Another address that proved to be the same peer's, tried first when the one in use no longer answers. */
  readonly alternative: SocketAddress | undefined;
  readonly waiters: readonly RefFor<'outgoing-session', 'history-check'>[];
  /** When the event that is being handled came in; undefined while a timer's is. Unix ms. */
  readonly atMs: number | undefined;
  readonly openedAtMs: number;
  readonly usedAtMs: number;
  readonly renewing: boolean;
  readonly zeroEndingIds: boolean;
  readonly congestion: Congestion;
  readonly requests: Slots;
  readonly nodeRequests: Slots;
  /** What waits for the next HelloReply: what was refused, and what is wanted while there is no session. */
  readonly heldBack: readonly (RootWanted | NodesWanted)[];
  readonly regreetings: number;
  readonly failure: Failure | undefined;
}

export function isHello(event: OutgoingSessionEvent): boolean {
  return event.type === 'request.ended' && event.order.question.type === 'Hello';
}

export function isRefusal(event: OutgoingSessionEvent): event is RequestEnded | NodesEnded {
  return isEnded(event) && !isHello(event) && event.outcome.kind === 'refused';
}

/** Every send stayed unanswered: there may be nobody any more at this address. */
export function isUnanswered(event: OutgoingSessionEvent): event is RequestEnded | NodesEnded {
  return isEnded(event) && !isHello(event) && event.outcome.kind === 'unanswered';
}

export function isEnded(event: OutgoingSessionEvent): event is RequestEnded | NodesEnded {
  return event.type === 'request.ended' || event.type === 'nodes.ended';
}

/** How many requests were answered, be it with an Error. */
export function answersIn({ outcome }: RequestEnded | NodesEnded): number {
  if (outcome.kind === 'unanswered') return 0;
  return 'nodes' in outcome ? outcome.nodes.length + outcome.absent.length : 1;
}

/** Of whoever asked for something; undefined: it is wanted no more. */
export function wantedAgain(event: RequestEnded | NodesEnded): RootWanted | NodesWanted | undefined {
  if (event.type === 'request.ended') {
    const { requester } = event.order;
    return requester && { type: 'root.wanted', requester, atMs: undefined };
  }
  const { outcome, order } = event;
  const hashes = outcome.kind === 'refused' ? [outcome.hash] : outcome.kind === 'unanswered' ? outcome.hashes : [];
  return { type: 'nodes.wanted', hashes, requester: order.requester, ticket: order.ticket, atMs: undefined };
}

/** The directory can help with an address that nobody typed in, once; not with a peer that needs every send of Hello (protocol §11, C). */
export function mayTraverse(context: OutgoingSessionContext): boolean {
  return context.located === undefined && !context.traversed && !context.zeroEndingIds;
}

/** Those that a socket of ours can send to. */
export function usable(context: OutgoingSessionContext, addresses: readonly SocketAddress[]): SocketAddress[] {
  return addresses.filter((address) => socketFor(context.sockets, address) !== undefined);
}

export function currentAddress(context: OutgoingSessionContext): SocketAddress | undefined {
  return context.addresses[context.attempt];
}

/** How many requests may be in flight. */
export function windowOf({ congestion }: OutgoingSessionContext): number {
  return Math.max(1, Math.floor(congestion.window));
}

export function helloOrder(context: OutgoingSessionContext, to: SocketAddress): RequestOrder {
  return {
    question: { type: 'Hello', flags: 0, name: context.ownName },
    to,
    answerKey: context.key,
    answerName: context.nameKnown ? context.name : undefined,
    firstTimeoutMs: timing.helloTimeout,
    maxSends: mayTraverse(context) ? limits.helloSendsBeforeTraversal : limits.helloSends,
    zeroEndingId: context.zeroEndingIds,
    requester: undefined,
  };
}

export function rootOrder(
  context: OutgoingSessionContext,
  to: SocketAddress,
  requester: RootWanted['requester'] | undefined,
): RequestOrder {
  return {
    question: { type: 'RootRequest' },
    to,
    answerKey: context.key,
    answerName: undefined,
    firstTimeoutMs: context.congestion.timeoutMs,
    maxSends: limits.requestSends,
    zeroEndingId: context.zeroEndingIds,
    requester,
  };
}

export function nodesOrder(context: OutgoingSessionContext, to: SocketAddress, wanted: NodesWanted): NodesOrder {
  const { hashes, requester, ticket } = wanted;
  return {
    hashes,
    to,
    firstTimeoutMs: context.congestion.timeoutMs,
    maxSends: limits.requestSends,
    zeroEndingIds: context.zeroEndingIds,
    requester,
    ticket,
  };
}

/** What the requester is told when a RootRequest is over. */
export function rootAnswer(context: OutgoingSessionContext, ended: RequestEnded): RootResult | undefined {
  const { outcome, sends } = ended;
  const window = windowOf(context);
  if (outcome.kind !== 'answered') {
    const refused = outcome.kind === 'refused';
    return { type: 'root.failed', failure: failureOf(ended, context.name), refused, sends, window };
  }
  if (outcome.answer.type !== 'Root') return undefined;
  const atMs = ended.atMs ?? context.openedAtMs;
  const authenticated = context.key !== undefined;
  return { type: 'root.received', root: outcome.answer.hash, authenticated, sends, window, atMs };
}

/** What the requester is told when requests for nodes are over. */
export function nodesAnswers(context: OutgoingSessionContext, ended: NodesEnded): NodesResult[] {
  const { outcome, sends, order } = ended;
  const window = windowOf(context);
  if (outcome.kind !== 'answered') {
    const refused = outcome.kind === 'refused';
    const hashes = outcome.kind === 'refused' ? [outcome.hash] : outcome.hashes;
    const failure = failureOf(ended, context.name);
    return [{ type: 'nodes.failed', hashes, ticket: order.ticket, failure, refused, sends, window }];
  }
  const { nodes, absent } = outcome;
  const atMs = ended.atMs ?? context.openedAtMs;
  const answers: NodesResult[] = [];
  if (nodes.length > 0) answers.push({ type: 'nodes.received', nodes, sends, window, atMs });
  if (absent.length > 0) answers.push({ type: 'nodes.absent', hashes: absent, sends, window, atMs });
  return answers;
}

/** Why there was no answer, in a sentence. */
export function failureOf(ended: RequestEnded | NodesEnded, name: string): Failure {
  const { order, outcome, sends } = ended;
  const who = name === '' ? formatAddress(order.to) : `${name} (${formatAddress(order.to)})`;
  if (outcome.kind === 'refused') {
    return { code: 'peer-unreachable', message: `${who} refused our request: ${outcome.text}` };
  }
  const waited = outcome.kind === 'unanswered' ? Math.round(outcome.waitedMs / 1000) : 0;
  const what = ended.type === 'nodes.ended' ? 'GetDatum' : ended.order.question.type;
  const times = sends === 1 ? 'once' : `${sends} times`;
  return {
    code: 'peer-unreachable',
    message: `${who} did not answer ${what}, sent ${times} in ${waited} s; try again later`,
  };
}
