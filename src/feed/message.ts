/**
 * A message as it is shown: to the user, and in JSON output. Dates get here as claims of strangers, and leave as
 * something to rely on.
 */
import type { Hash } from '../wire/hash.ts';
import { MurmureError } from '../wire/murmure-error.ts';
import type { MessageFields } from '../wire/node.ts';
import { safeLine, safeText } from './safe-text.ts';

/** Everything in it is safe to print as it is. */
export interface Message {
  readonly hash: Hash;
  readonly author: string;
  /** What the author claims, ISO 8601 UTC; null for a message without a date. */
  readonly date: string | null;
  /** When this home first held it, ISO 8601 UTC. */
  readonly receivedAt: string;
  readonly inReplyTo: Hash | null;
  readonly body: string;
  /** The root that brought it was signed by the author's pinned key. */
  readonly authenticated: boolean;
  readonly read: boolean;
  /** Present if the claimed date has not come yet (protocol §2). */
  readonly future?: true;
}

/** A message as a store keeps it: what `Message` is made of. Date and body are as in the node: not to be believed, nor safe to show. */
export interface StoredMessage extends MessageFields {
  readonly hash: Hash;
  readonly author: string;
  /** When this home first held it, Unix ms. */
  readonly receivedAtMs: number;
  /** The root that brought it was signed by the author's pinned key. */
  readonly authenticated: boolean;
  readonly read: boolean;
}

/** 2022-01-01T00:00:00Z, from which dates on the wire count (protocol §2). */
const WIRE_EPOCH_MS = Date.UTC(2022, 0, 1);

/** The last second that a date on the wire can name: 2158-02-07T06:28:15Z. */
const LAST_DATE = 0xffffffff;

/** The clock says a time that no message can be dated with. */
export class ImpossibleClockError extends MurmureError {
  override readonly name = 'ImpossibleClockError';

  constructor(nowMs: number) {
    const says = new Date(nowMs).toISOString().slice(0, 16);
    super(
      'unexpected',
      `the clock of this machine says ${says.replace('T', ' ')} UTC, and messages can only be dated from 2022 to 2158: set the clock, then try again`,
    );
  }
}

/** The date of a message that is written at `nowMs` (protocol §2). @throws ImpossibleClockError */
export function wireDate(nowMs: number): number {
  const date = Math.floor((nowMs - WIRE_EPOCH_MS) / 1000);
  if (date < 0 || date > LAST_DATE) throw new ImpossibleClockError(nowMs);
  return date;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** The date field of a node as the specification reads it, in Unix ms. */
export function specifiedMs(date: number): number {
  return WIRE_EPOCH_MS + date * 1000;
}

/**
 * The instant a message claims to be from, in Unix ms. `date` is the field of the node (unsigned 32 bits, seconds). One known peer
 * writes Unix seconds: a date that lies more than a day ahead is read so if that brings it within a day. A reading before 2022 is no
 * date: undefined. (Protocol §2.)
 */
export function claimedMs(date: number, nowMs: number): number | undefined {
  const latest = nowMs + DAY_MS;
  const asSpecified = specifiedMs(date);
  const asUnix = date * 1000;
  if (asSpecified <= latest || asUnix > latest) return asSpecified;
  return asUnix < WIRE_EPOCH_MS ? undefined : asUnix;
}

/** The instant to sort by: nobody gets to the end of the timeline by claiming a later date, or none (protocol §2). */
export function orderingMs(claimedMs: number | undefined, firstSeenMs: number): number {
  return Math.min(claimedMs ?? firstSeenMs, firstSeenMs);
}

/** Whether a message claims to be from an instant that has not come yet (protocol §2: such a message is marked). */
export function isFuture(claimedMs: number | undefined, nowMs: number): boolean {
  return claimedMs !== undefined && claimedMs > nowMs;
}

/** Makes a stored message fit to be shown at `nowMs`: its date is read, its text and its author's name are made safe. */
export function toMessage(kept: StoredMessage, nowMs: number): Message {
  const claimed = claimedMs(kept.date, nowMs);
  return {
    hash: kept.hash,
    author: safeLine(kept.author),
    date: claimed === undefined ? null : new Date(claimed).toISOString(),
    receivedAt: new Date(kept.receivedAtMs).toISOString(),
    inReplyTo: kept.inReplyTo,
    body: safeText(kept.body),
    authenticated: kept.authenticated,
    read: kept.read,
    ...(isFuture(claimed, nowMs) && { future: true }),
  };
}
