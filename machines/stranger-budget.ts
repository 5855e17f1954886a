/**
 * How many datagrams of strangers one socket hands on (protocol §9): whatever is over that is dropped after a look at its header, before
 * anything is decoded, looked up or spawned for it, so that those who have proven their address are answered during a flood as well.
 * A bucket of tokens for all strangers, and one for each host, since one host must not use up what is there for all. Pure.
 */
import { emptyTable, entryOf, type Table, withEntry } from '../src/merkle/hash-table.ts';
import { hostOf, isIPv6, type SocketAddress } from '../src/wire/socket-address.ts';
import { SECOND } from './timing.ts';

export interface StrangerLimit {
  readonly perSecond: number;
  readonly atOnce: number;
  /** What one host may use of that. */
  readonly ofHost: number;
}

interface Bucket {
  readonly tokens: number;
  readonly atMs: number;
}

export interface StrangerBudget {
  readonly limit: StrangerLimit;
  readonly all: Bucket;
  /** BOUNDED by `MAX_HOSTS`: when there are more, all are forgotten, and their buckets are full again. */
  readonly hosts: Table<Bucket>;
}

/** Each may cost a session, with a look-up and two signatures: one or two milliseconds. As many as may be looked up (src/peer/key-finder.ts). */
export const STRANGERS_OF_PEER: StrangerLimit = { perSecond: 64, atOnce: 1_024, ofHost: 1 / 2 };
/**
 * HelloReplies, each with a Hello of ours, that go out though the Hello was too short to pay for them (protocol §5): programs of 2022 begin
 * so. 16 to one host, and one more every four seconds.
 */
export const UNPAID_GREETINGS: StrangerLimit = { perSecond: 16, atOnce: 1_024, ofHost: 1 / 64 };
/** Each costs a row; and after a start, everybody is one. */
export const STRANGERS_OF_DIRECTORY: StrangerLimit = { perSecond: 500, atOnce: 2_048, ofHost: 1 / 2 };
const MAX_HOSTS = 4_096;

export function strangerBudget(limit: StrangerLimit): StrangerBudget {
  return { limit, all: { tokens: limit.atOnce, atMs: 0 }, hosts: emptyTable<Bucket>() };
}

/** The budget after one datagram from there; undefined: there is nothing left for it. */
export function admitted(budget: StrangerBudget, from: SocketAddress, atMs: number): StrangerBudget | undefined {
  const { limit } = budget;
  const all = filled(budget.all, limit, 1, atMs);
  if (all < 1) return undefined;
  const host = isIPv6(from) ? hostOf(from) : from.ip;
  const known = entryOf(budget.hosts, host) ?? { tokens: limit.atOnce * limit.ofHost, atMs };
  const own = filled(known, limit, limit.ofHost, atMs);
  if (own < 1) return undefined;
  const hosts = budget.hosts.size < MAX_HOSTS ? budget.hosts : emptyTable<Bucket>();
  return { limit, all: { tokens: all - 1, atMs }, hosts: withEntry(hosts, host, { tokens: own - 1, atMs }) };
}

function filled(
  { tokens, atMs: sinceMs }: Bucket,
  { perSecond, atOnce }: StrangerLimit,
  share: number,
  atMs: number,
): number {
  return Math.min(share * atOnce, tokens + (share * perSecond * Math.max(0, atMs - sinceMs)) / SECOND);
}
