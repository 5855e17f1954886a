/**
 * A message as it is shown: to the user, and in JSON output. Dates get here as claims of strangers, and leave as
 * something to rely on.
 */
import type { Hash } from '../wire/hash.ts';
import { safeLine, safeText } from './safe-text.ts';

/** Everything in it is safe to print as it is. */
export interface Message {
  readonly hash: Hash;
  readonly author: string;
  /** What the author claims, ISO 8601 UTC. */
  readonly date: string;
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

/** A message as it is kept: what `Message` is made of. */
export interface KeptMessage {
  readonly hash: Hash;
  readonly author: string;
  /** Seconds since 2022-01-01T00:00:00Z, as on the wire. */
  readonly date: number;
  readonly inReplyTo: Hash | null;
  /** As in the node. */
  readonly body: string;
  /** Unix milliseconds. */
  readonly receivedAtMs: number;
  readonly authenticated: boolean;
  readonly read: boolean;
}

/** 2022-01-01T00:00:00Z, from which dates on the wire count (protocol §2). */
export const WIRE_EPOCH_MS = Date.UTC(2022, 0, 1);

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * The instant a message claims to be from, in Unix milliseconds. `date` is the field of the node (unsigned 32 bits,
 * seconds). One known peer writes Unix seconds: a date more than a day ahead is read so if that brings it within a day
 * (protocol §2).
 */
export function claimedMs(date: number, nowMs: number): number {
  const latest = nowMs + DAY_MS;
  const asSpecified = WIRE_EPOCH_MS + date * 1000;
  const asUnix = date * 1000;
  return asSpecified > latest && asUnix <= latest ? asUnix : asSpecified;
}

/** The instant to sort by: nobody gets to the end of the timeline by claiming a later date (protocol §2). */
export function orderingMs(claimedMs: number, firstSeenMs: number): number {
  return Math.min(claimedMs, firstSeenMs);
}

/** Whether a message claims to be from an instant that has not come yet (protocol §2: such a message is marked). */
export function isFuture(claimedMs: number, nowMs: number): boolean {
  return claimedMs > nowMs;
}

/**
 * Makes a kept message fit to be shown at `nowMs`: dates resolved, body made safe. The author's name is made safe as
 * well.
 */
export function toMessage(kept: KeptMessage, nowMs: number): Message {
  const claimed = claimedMs(kept.date, nowMs);
  return {
    hash: kept.hash,
    author: safeLine(kept.author),
    date: new Date(claimed).toISOString(),
    receivedAt: new Date(kept.receivedAtMs).toISOString(),
    inReplyTo: kept.inReplyTo,
    body: safeText(kept.body),
    authenticated: kept.authenticated,
    read: kept.read,
    ...(isFuture(claimed, nowMs) && { future: true }),
  };
}
