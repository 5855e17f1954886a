/** What a request is asked to do, what it knows while it is under way, and how it ends; pure. */
import type { PublicKey } from '../src/identity/public-key.ts';
import { type Datagram, encodeDatagram, type ReceivedDatagram } from '../src/wire/datagram.ts';
import { type Hash, hashOf } from '../src/wire/hash.ts';
import type { SocketAddress } from '../src/wire/socket-address.ts';
import {
  type BulkAnswer,
  type BulkQuestion,
  entryFor,
  type Harvest,
  hashesIn,
  NO_HARVEST,
  noAnswer,
  unserved,
  type Wanted,
} from './bulk-answer.ts';
import type { Random } from './effects.ts';
import type { AnswerReceived, AnswersDelivered, AnswersReceived, NodesResult, RootResult } from './events.ts';
import type { Ref, RefFor } from './messages.ts';
import { drawId } from './retransmission.ts';

/** What to ask; the slot adds the id. */
export type Question =
  | { readonly type: 'Hello'; readonly flags: number; readonly name: string }
  | { readonly type: 'RootRequest' }
  | { readonly type: 'GetDatum'; readonly hash: Hash }
  | BulkQuestion;

export interface RequestOrder {
  readonly question: Question;
  readonly to: SocketAddress;
  readonly socket: RefFor<'request', 'socket'>;
  /** The answer must verify under this key; undefined: the other side has none. */
  readonly answerKey: PublicKey | undefined;
  /** HelloReply must carry this name; undefined: any. */
  readonly answerName: string | undefined;
  readonly firstTimeoutMs: number;
  /** Of the path, smoothed; undefined before it was measured. */
  readonly roundTripMs: number | undefined;
  readonly maxSends: number;
  /** Every id ends in a zero byte, for peers that copy only the first three (protocol §11, C). */
  readonly zeroEndingIds: boolean;
  /** For whom the session asks; undefined: for itself. */
  readonly requester: Requester | undefined;
  /** The requester's own mark, handed back to it. */
  readonly ticket: number;
  /** How often it was sent already, over a path that was lost. */
  readonly sentBefore: number;
  /** How many answers had come from this address when the request was opened. */
  readonly heard: number;
}

/** Hears what became of what it asked for; of the question depends which of these comes. */
export type Requester = Ref<RootResult | NodesResult>;

/** What was wrong with an answer. Bounded: one count a kind. */
export type Fault = 'unsigned' | 'forged' | 'other name' | 'other hash' | 'other type';
export type Faults = Readonly<Partial<Record<Fault, number>>>;

/**
 * A Hello has up to three forms (protocol §6, §11): as it is; under an id that ends in zero; and without flags as well.
 * Everything else has one.
 */
export type FormKind = 'plain' | 'zero-ending' | 'bare';

export interface Form {
  readonly kind: FormKind;
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly isSigned: boolean;
}

export type RequestOutcome =
  | {
      readonly kind: 'answered';
      readonly answer: Datagram;
      readonly from: SocketAddress;
      readonly form: FormKind;
      /** Of all its sends: the other side proved with each of them that it is there. */
      readonly ids: readonly number[];
    }
  /** Nodes have come. `isCut`: not all of them, or too late; what is still under way is reported, and the slot is not free yet. */
  | {
      readonly kind: 'served';
      readonly harvest: Harvest;
      readonly unserved: readonly Wanted[];
      readonly isCut: boolean;
      /** Any node has come. */
      readonly hasServed: boolean;
    }
  | { readonly kind: 'refused'; readonly text: string }
  | { readonly kind: 'unanswered'; readonly waitedMs: number; readonly faults: Faults }
  /** The operating system refuses to send there. */
  | { readonly kind: 'unsendable'; readonly why: string };

/** What a slot tells its owner when the request is over; the slot is free again. */
export interface RequestEnded {
  readonly type: 'request.ended';
  readonly slot: number;
  readonly order: RequestOrder;
  readonly outcome: RequestOutcome;
  /** To the address in the order. */
  readonly sends: number;
  /** Datagrams with answers that were under way until now. */
  readonly freed: number;
  /** How many of them were no timeout's, but because later requests were answered first. */
  readonly overtaken: number;
  /** When it was opened; undefined if a timer caused it, or if it was redirected: then no round trip is measured. */
  readonly openedAtMs: number | undefined;
  /** When the answer came; undefined for a request without one. */
  readonly atMs: number | undefined;
}

/** Some Nodes have come, and more are expected; or they are late, and the request is over. */
export interface RequestProgressed {
  readonly type: 'request.progressed';
  readonly slot: number;
  readonly order: RequestOrder;
  readonly harvest: Harvest;
  readonly sends: number;
  readonly freed: number;
  readonly openedAtMs: number | undefined;
  readonly atMs: number;
}

/** Nothing more is expected of a request that was cut: its slot is free. */
export interface RequestReleased {
  readonly type: 'request.released';
  readonly slot: number;
}

/** Three timeouts or more in a row; the request goes on. */
export interface RequestStalled {
  readonly type: 'request.stalled';
  readonly slot: number;
  readonly order: RequestOrder;
  readonly sends: number;
  readonly waitedMs: number;
}

/** From now on the request, unless that is where it was sent, is sent to `to`, as often and with such timeouts as a new one. */
export interface RequestRedirected {
  readonly type: 'request.redirected';
  readonly to: SocketAddress;
  readonly socket: RefFor<'request', 'socket'>;
  readonly firstTimeoutMs: number;
  /** How many answers have come from `to`. */
  readonly heard: number;
}

export type RequestEvent =
  | { readonly type: 'request.open'; readonly order: RequestOrder; readonly atMs: number | undefined }
  | RequestRedirected
  /** Later requests are answered: it was lost (RFC 9002 §6.1). */
  | { readonly type: 'request.overtaken' }
  /** No answer is to be waited for any longer. */
  | { readonly type: 'request.abandoned' }
  /** Its outcome is of no interest any more and is not reported; late answers come here no more. */
  | { readonly type: 'request.cancelled' }
  | { readonly type: 'datagram.signed'; readonly id: number; readonly signature: Uint8Array }
  | AnswerReceived
  | AnswersReceived
  | { readonly type: 'answer.verified'; readonly id: number; readonly valid: boolean }
  | { readonly type: 'send.failed'; readonly why: string };

/** Whoever opens requests. That answers were delivered is told to those only that have asked for nodes. */
export type RequestOwner = Ref<RequestEnded | RequestProgressed | RequestReleased | RequestStalled | AnswersDelivered>;

export interface RequestInput {
  readonly slot: number;
  readonly owner: RequestOwner;
  readonly random: Random;
}

/** What the slot is busy with. */
export interface CurrentRequest {
  readonly order: RequestOrder;
  /** Bounded: three. */
  readonly forms: readonly Form[];
  /** The form of the latest send. */
  readonly kind: FormKind;
  /** As in its end. */
  readonly openedAtMs: number | undefined;
  /** How often it was sent to where it goes now, the send that is being prepared included. */
  readonly sends: number;
  /** How many of them because later requests were answered first: these do not count towards its end (protocol §6). */
  readonly overtaken: number;
  readonly timeoutMs: number;
  readonly waitedMs: number;
  /** An answer whose signature is being verified. */
  readonly held: AnswerReceived | undefined;
  readonly faults: Faults;
  /** What has come of a GetNodes, and what came last. */
  readonly nodes: BulkProgress | undefined;
}

export interface BulkProgress {
  readonly question: BulkQuestion;
  readonly answer: BulkAnswer;
  readonly harvest: Harvest;
}

export interface RequestContext extends RequestInput {
  /** Once the slot is idle again, its last request; undefined before the first. */
  readonly current: CurrentRequest | undefined;
  /** Ids whose answers come here, and those of the request before. Bounded: three each. */
  readonly ids: readonly number[];
  readonly formerIds: readonly number[];
}

/** The request that the slot is busy with. Called only in states that have one. */
export function currentOf({ current }: RequestContext): CurrentRequest {
  if (current === undefined) throw new Error('no request was opened in this slot');
  return current;
}

export function openRequest(
  { random }: RequestContext,
  order: RequestOrder,
  openedAtMs: number | undefined,
): CurrentRequest {
  const form = makeForm(random, order, 'plain');
  return {
    order,
    forms: [form],
    kind: 'plain',
    openedAtMs,
    sends: 1,
    overtaken: 0,
    timeoutMs: order.firstTimeoutMs,
    waitedMs: 0,
    held: undefined,
    faults: {},
    nodes: progressOf(order.question),
  };
}

function progressOf(question: Question): BulkProgress | undefined {
  if (question.type !== 'GetNodes') return undefined;
  return { question, answer: noAnswer(question), harvest: NO_HARVEST };
}

/** What has come of a GetNodes. Called only where there is one. */
export function nodesOf(context: RequestContext): BulkProgress {
  const { nodes } = currentOf(context);
  if (nodes === undefined) throw new Error('the request in this slot is no GetNodes');
  return nodes;
}

/** Its end, with what came last. */
export function servedWith(context: RequestContext, isCut: boolean, atMs: number | undefined): RequestEnded {
  const { question, answer, harvest } = nodesOf(context);
  const left = unserved(question, answer);
  // Whoever serves nothing is not asked in this way again and again.
  const hasServed = answer.bytes > 0;
  const single = hasServed ? harvest.single : [...harvest.single, ...left.flatMap(hashesIn)];
  const served = { harvest: { ...harvest, single }, unserved: hasServed ? left : [] };
  return endedWith(context, { kind: 'served', ...served, isCut, hasServed }, atMs);
}

function makeForm(random: Random, order: RequestOrder, kind: FormKind): Form {
  const { question, zeroEndingIds } = order;
  const id = drawId(random, zeroEndingIds || kind !== 'plain');
  return { kind, id, bytes: encodeDatagram({ ...askedWith(question, kind), id }), isSigned: false };
}

function askedWith(question: Question, kind: FormKind) {
  if (question.type !== 'GetNodes')
    return question.type === 'Hello' && kind === 'bare' ? { ...question, flags: 0 } : question;
  const { type, proof, gap, grant, wanted } = question;
  return { type, proof, gap, grant, entries: wanted.map(entryFor) };
}

/**
 * The form of the next send: the second and the last Hello try what helps peers that have no answer to the first. A copy of this home needs
 * none of that, and would believe the last one that comes, which announces nothing.
 */
export function nextKind({
  order: { question, answerName, maxSends, zeroEndingIds },
  sends,
}: CurrentRequest): FormKind {
  if (question.type !== 'Hello' || question.name === answerName) return 'plain';
  const next = sends + 1;
  if (next === maxSends && question.flags !== 0) return 'bare';
  return !zeroEndingIds && (next === 2 || next === maxSends) ? 'zero-ending' : 'plain';
}

export function withForm(current: CurrentRequest, random: Random): CurrentRequest {
  return { ...current, forms: [...current.forms, makeForm(random, current.order, current.kind)] };
}

export function formInUse({ forms, kind }: CurrentRequest): Form {
  return (forms.find((form) => form.kind === kind) ?? forms[0]) as Form;
}

/** Why an answer does not fit; the socket has seen to id and source. An Error fits everything. */
export function faultIn(
  { order: { question, answerKey, answerName } }: CurrentRequest,
  { datagram, signature }: ReceivedDatagram,
): Fault | undefined {
  if (datagram.type === 'Error') return undefined;
  switch (question.type) {
    case 'Hello':
      if (datagram.type !== 'HelloReply') return 'other type';
      if (answerName !== undefined && datagram.name !== answerName) return 'other name';
      return answerKey !== undefined && signature === undefined ? 'unsigned' : undefined;
    case 'RootRequest':
      if (datagram.type !== 'Root') return 'other type';
      return answerKey !== undefined && signature === undefined ? 'unsigned' : undefined;
    case 'GetDatum':
      if (datagram.type !== 'Datum' && datagram.type !== 'NoDatum') return 'other type';
      if (datagram.hash !== question.hash) return 'other hash';
      return datagram.type === 'Datum' && hashOf(datagram.value) !== question.hash ? 'other hash' : undefined;
    case 'GetNodes':
      return 'other type';
  }
}

/** What the path before has taught is of no use here: neither its round trip, nor that it was silent. */
export function redirected(
  current: CurrentRequest,
  { to, socket, firstTimeoutMs, heard }: RequestRedirected,
): CurrentRequest {
  return {
    ...current,
    order: {
      ...current.order,
      to,
      socket,
      firstTimeoutMs,
      heard,
      sentBefore: current.order.sentBefore + current.sends,
    },
    openedAtMs: undefined,
    sends: 1,
    overtaken: 0,
    timeoutMs: firstTimeoutMs,
    waitedMs: 0,
  };
}

/** Waits from now on as long as it has just begun to. */
export function withOvertaking(current: CurrentRequest): CurrentRequest {
  return { ...current, sends: current.sends + 1, overtaken: current.overtaken + 1 };
}

/** Sends that a timeout ended, or is to end. */
export function timedSends({ sends, overtaken }: CurrentRequest): number {
  return sends - overtaken;
}

export function withFault(current: CurrentRequest, fault: Fault): CurrentRequest {
  return { ...current, faults: { ...current.faults, [fault]: (current.faults[fault] ?? 0) + 1 } };
}

export function endedWith(context: RequestContext, outcome: RequestOutcome, atMs: number | undefined): RequestEnded {
  const { order, sends, overtaken, openedAtMs, nodes } = currentOf(context);
  const freed =
    nodes === undefined ? 1 : nodes.question.grant - nodes.answer.sequences.come.size + nodes.harvest.arrivals.length;
  return { type: 'request.ended', slot: context.slot, order, outcome, sends, overtaken, freed, openedAtMs, atMs };
}
