/**
 * Whom the directory has answered a Hello of: rows, not actors, since there are thousands of them. They are in maps that their machine's
 * actions change in place, because a copy for each Hello of a flood would cost more than everything else about it. Nobody else
 * holds them, and the same events in the same order give the same rows.
 */
import { isYounger } from '../src/wire/age.ts';
import { formatAddress, type SocketAddress } from '../src/wire/socket-address.ts';
import { timing } from './timing.ts';

/** A row is some 300 bytes. */
export const MAX_SESSIONS = 65_536;
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

/** By source address, those that were kept last at the end. BOUNDED by `MAX_SESSIONS`, both together. */
export interface Sessions {
  readonly proven: Map<string, SessionRow>;
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

/** If there are too many, the oldest unproven one makes room; false if there is none: proven ones stay (protocol §9). */
export function keepSession(sessions: Sessions, row: SessionRow): boolean {
  const { proven, unproven } = sessions;
  forgetSession(sessions, row.address);
  if (proven.size + unproven.size >= MAX_SESSIONS) {
    const oldest = unproven.keys().next();
    if (oldest.done) return false;
    unproven.delete(oldest.value);
  }
  (row.provenAtMs === undefined ? unproven : proven).set(formatAddress(row.address), row);
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
