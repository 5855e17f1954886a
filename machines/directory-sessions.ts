/**
 * Whom the directory has answered a Hello of: rows, not actors, since there are thousands of them. They are in maps that their machine's
 * actions change in place, because a copy for each Hello of a flood would cost more than everything else about it. Nobody else
 * holds them, and the same events in the same order give the same rows.
 */
import { dropOldest } from '../src/merkle/bounded-map.ts';
import { isYounger } from '../src/wire/age.ts';
import { formatAddress, type SocketAddress } from '../src/wire/socket-address.ts';
import { timing } from './timing.ts';

/** Rows of about 300 bytes each, for addresses that have answered within the hour under a registered name. */
const MAX_PROVEN = 1_048_576;
/** Each of these costs an attacker one datagram from a forged source. */
export const MAX_UNPROVEN = 65_536;
/** Rows that one sweep forgets: tens of thousands at once would keep datagrams waiting. The next sweep goes on. */
const FORGOTTEN_A_SWEEP = 4_096;

export interface SessionRow {
  readonly address: SocketAddress;
  readonly openedAtMs: number;
  /** When the address was last proven under its name; undefined: never. */
  readonly provenAtMs: number | undefined;
  readonly name: string;
  /** Of the last Hello from there. */
  readonly helloId: number;
  /** Of a Hello that may be answered only once its address is proven: it was too short for our answer. */
  readonly unansweredId: number | undefined;
}

/** By source address, the latest last. A Map hashes with a secret key, so nobody can choose addresses that collide. */
export interface Sessions {
  /** BOUNDED by `MAX_PROVEN`. */
  readonly proven: Map<string, SessionRow>;
  /** BOUNDED by `MAX_UNPROVEN`. */
  readonly unproven: Map<string, SessionRow>;
}

export const noSessions = (): Sessions => ({ proven: new Map(), unproven: new Map() });

export function sessionAt({ proven, unproven }: Sessions, address: SocketAddress): SessionRow | undefined {
  const text = formatAddress(address);
  return proven.get(text) ?? unproven.get(text);
}

/** Has an answer of ours shown that somebody is there? */
export function isProvenAt(sessions: Sessions, address: SocketAddress): boolean {
  return sessions.proven.has(formatAddress(address));
}

/** One that has not expired. */
export function liveSessionAt(sessions: Sessions, address: SocketAddress, atMs: number): SessionRow | undefined {
  const row = sessionAt(sessions, address);
  return row !== undefined && isYounger(row.openedAtMs, timing.sessionLifetime, atMs) ? row : undefined;
}

/** The oldest unproven ones make room for another; proven ones stay (protocol §9): false if there are too many of them. */
export function keepSession(sessions: Sessions, row: SessionRow): boolean {
  const { proven, unproven } = sessions;
  forgetSession(sessions, row.address);
  const isProven = row.provenAtMs !== undefined;
  if (isProven && proven.size >= MAX_PROVEN) return false;
  (isProven ? proven : unproven).set(formatAddress(row.address), row);
  dropOldest(unproven, MAX_UNPROVEN);
  return true;
}

export function forgetSession({ proven, unproven }: Sessions, address: SocketAddress): void {
  const text = formatAddress(address);
  proven.delete(text);
  unproven.delete(text);
}

/** They stand in the order in which they were kept, so that the first that is young enough ends the search. */
export function forgetExpiredSessions({ proven, unproven }: Sessions, atMs: number): void {
  const rememberedMs = timing.sessionLifetime + timing.expiredSessionMemory;
  let left = FORGOTTEN_A_SWEEP;
  for (const rows of [proven, unproven]) {
    for (const [text, { openedAtMs }] of rows) {
      if (left === 0 || isYounger(openedAtMs, rememberedMs, atMs)) break;
      left -= 1;
      rows.delete(text);
    }
  }
}
