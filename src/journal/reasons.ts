/** Where an actor stands and why, in sentences; of an actor that runs, and of one in a recording. */
import type { CurrentRequest, Faults } from '../../machines/request-context.ts';
import { formatAddress } from '../wire/socket-address.ts';
import type { Transition } from './trace.ts';
import { eventInWords, guardInWords } from './words.ts';

export interface Standing {
  readonly path: string;
  readonly state: string;
  /** Of the state. */
  readonly description: string;
  readonly failure: string | undefined;
  /** What changed its state last. */
  readonly last: Reason | undefined;
  /** Its requests that are in flight. */
  readonly waiting: readonly Waiting[];
}

export type Reason = Pick<Transition, 'atMs' | 'event' | 'guard' | 'from' | 'to'>;

export interface Waiting {
  readonly request: CurrentRequest;
  /** Its last send. */
  readonly sentAtMs: number;
}

/** The state of requests that are in flight. */
export const WAITING = 'open.awaitingAnswer';

/** Those that count. A repeated request stays in its state: each send does. */
export function isReason({ from, to, event }: Pick<Reason, 'from' | 'to' | 'event'>): boolean {
  return from !== to || event.startsWith('after ');
}

/** The most telling first. */
export function sentencesOf({ path, state, description, failure, last, waiting }: Standing, nowMs: number): string[] {
  const how = last === undefined ? '' : ` for ${seconds(nowMs - last.atMs)}`;
  const sentences = [`${path} is ${state}${how}: ${description}`];
  if (failure !== undefined) sentences.push(`It failed: ${failure}.`);
  // "RootRequest to … was sent 3 times, …"
  const requests = waiting.map((it) => requestSentence(it, nowMs));
  sentences.push(...requests.slice(0, 3));
  if (requests.length > 3) sentences.push(`${requests.length - 3} more requests are in flight.`);
  if (last !== undefined) sentences.push(sentenceOf(last));
  return sentences;
}

export function sentencesOfEnded({ path, last }: Pick<Standing, 'path' | 'last'>): string[] {
  return last === undefined ? [`${path} has ended.`] : [`${path} has ended as ${last.to}.`, sentenceOf(last)];
}

function sentenceOf({ event, guard, from, to }: Reason): string {
  const when = `when ${eventInWords(event)}${guard === undefined ? '' : `, because ${guardInWords(guard)}`}`;
  return from === to ? `Last, it stayed there ${when}.` : `It went from ${from} to ${to} ${when}.`;
}

function requestSentence({ request, sentAtMs }: Waiting, nowMs: number): string {
  const { order, sends, timeoutMs, waitedMs, faults } = request;
  const sinceMs = nowMs - sentAtMs;
  const what = `${order.question.type} to ${formatAddress(order.to)}`;
  const times = sends === 1 ? 'once' : `${sends} times`;
  const left = order.maxSends - sends;
  const next = `in ${seconds(timeoutMs - sinceMs)}`;
  const then = left > 0 ? `retrying ${next}; ${left} more ${left === 1 ? 'try' : 'tries'}` : `giving up ${next}`;
  const got = refusals(faults) ?? 'no answer';
  return `${what} was sent ${times}, and got ${got} for ${seconds(waitedMs + sinceMs)}; ${then}.`;
}

/** Answers that came and were not believed: "2 answers that were refused (unsigned)". */
function refusals(faults: Faults): string | undefined {
  const kinds = Object.keys(faults);
  const count = Object.values(faults).reduce((sum, number) => sum + number, 0);
  if (count === 0) return undefined;
  return `${count === 1 ? 'one answer that was' : `${count} answers that were`} refused (${kinds.join(', ')})`;
}

function seconds(ms: number): string {
  return `${(Math.max(0, ms) / 1_000).toFixed(1)} s`;
}
