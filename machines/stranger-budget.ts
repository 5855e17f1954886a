/**
 * How many datagrams of strangers one socket hands on (protocol §9): whatever is over that is dropped after a look at its header, before
 * anything is decoded, looked up or spawned for it, so that those who have proven their address are answered during a flood as well.
 * Strangers of three classes have a bucket of tokens each, so that a flood of one class leaves something to the others: those whose host was
 * handed something on a short while ago, those whose host was not, and those among the latter who were dropped and ask again from the same
 * address, as whoever is there does and as forged sources do not. And one host must not use up what is there for all. Pure.
 */
import { emptyTable, entryOf, type Table, withEntry } from '../src/merkle/hash-table.ts';
import { hostOf, isIPv6, type SocketAddress } from '../src/wire/socket-address.ts';
import { type DroppedAddresses, isWaiting, NOBODY_DROPPED, withDropped } from './dropped-addresses.ts';
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

/** Of what is there for all, each class has so much for itself; and of the buckets of others, what is over one half of them. */
const SHARES = { known: 1 / 4, fresh: 1 / 2, patient: 1 / 4 };
type Class = keyof typeof SHARES;
const CLASSES = Object.keys(SHARES) as Class[];

export interface StrangerBudget {
  readonly limit: StrangerLimit;
  readonly buckets: Readonly<Record<Class, Bucket>>;
  /** Hosts to which something was handed on of late, and before that. Each BOUNDED by `MAX_HOSTS`, and by what is handed on in `HOSTS_MS`. */
  readonly hosts: Table<Bucket>;
  readonly formerHosts: Table<Bucket>;
  readonly hostsSinceMs: number;
  readonly dropped: DroppedAddresses;
}

/** Each may cost a session, a look-up and two signatures: one or two milliseconds. As many as may be looked up (src/peer/key-finder.ts). */
export const STRANGERS_OF_PEER: StrangerLimit = { perSecond: 64, atOnce: 1_024, ofHost: 1 / 2 };
/**
 * HelloReplies, each with a Hello of ours, that go out though the Hello was too short to pay for them (protocol §5): programs of 2022 begin
 * so. 16 to one host, and one more every four seconds.
 */
export const UNPAID_GREETINGS: StrangerLimit = { perSecond: 16, atOnce: 1_024, ofHost: 1 / 64 };
/** Each costs a row; and after a start, everybody is one. */
export const STRANGERS_OF_DIRECTORY: StrangerLimit = { perSecond: 500, atOnce: 2_048, ofHost: 1 / 2 };
const MAX_HOSTS = 4_096;
/** So long, and up to twice as long, a host counts as known: longer than its bucket takes to be full again. */
const HOSTS_MS = 64 * SECOND;

export function strangerBudget(limit: StrangerLimit): StrangerBudget {
  const full = (share: number) => ({ tokens: share * limit.atOnce, atMs: 0 });
  return {
    limit,
    buckets: { known: full(SHARES.known), fresh: full(SHARES.fresh), patient: full(SHARES.patient) },
    hosts: emptyTable<Bucket>(),
    formerHosts: emptyTable<Bucket>(),
    hostsSinceMs: 0,
    dropped: NOBODY_DROPPED,
  };
}

export interface Decided {
  readonly isAdmitted: boolean;
  readonly left: StrangerBudget;
}

/** Whether a datagram from there is handed on, and the budget after that. */
export function decide(before: StrangerBudget, from: SocketAddress, atMs: number): Decided {
  const budget = atMs - before.hostsSinceMs < HOSTS_MS ? before : withNewHosts(before, atMs);
  const { limit, hosts, formerHosts, dropped } = budget;
  const host = isIPv6(from) ? hostOf(from) : from.ip;
  const known = entryOf(hosts, host) ?? entryOf(formerHosts, host);
  const own = filled(known ?? { tokens: limit.atOnce * limit.ofHost, atMs }, limit, limit.ofHost, atMs);
  // Whoever has used up its own share takes no place among those that wait.
  if (own < 1) return { isAdmitted: false, left: budget };
  const payer = payerFor(budget, classOf(budget, known, from, atMs), atMs);
  if (payer === undefined) {
    const left = known === undefined ? { ...budget, dropped: withDropped(dropped, from, atMs) } : budget;
    return { isAdmitted: false, left };
  }
  const paid = { tokens: tokensOf(budget, payer, atMs) - 1, atMs };
  const { hosts: noted, ...rest } = hosts.size < MAX_HOSTS ? budget : withNewHosts(budget, atMs);
  const left = {
    ...rest,
    buckets: { ...budget.buckets, [payer]: paid },
    hosts: withEntry(noted, host, { tokens: own - 1, atMs }),
  };
  return { isAdmitted: true, left };
}

function classOf({ dropped }: StrangerBudget, known: Bucket | undefined, from: SocketAddress, atMs: number): Class {
  if (known !== undefined) return 'known';
  return isWaiting(dropped, from, atMs) ? 'patient' : 'fresh';
}

/** The class whose bucket pays: its own, or one that has more than half of what it can have. */
function payerFor(budget: StrangerBudget, own: Class, atMs: number): Class | undefined {
  if (tokensOf(budget, own, atMs) >= 1) return own;
  const half = (of: Class) => (SHARES[of] * budget.limit.atOnce) / 2;
  return CLASSES.find((of) => tokensOf(budget, of, atMs) >= half(of) + 1);
}

function tokensOf({ buckets, limit }: StrangerBudget, of: Class, atMs: number): number {
  return filled(buckets[of], limit, SHARES[of], atMs);
}

function withNewHosts(budget: StrangerBudget, atMs: number): StrangerBudget {
  return { ...budget, hosts: emptyTable<Bucket>(), formerHosts: budget.hosts, hostsSinceMs: atMs };
}

function filled(
  { tokens, atMs: sinceMs }: Bucket,
  { perSecond, atOnce }: StrangerLimit,
  share: number,
  atMs: number,
): number {
  return Math.min(share * atOnce, tokens + (share * perSecond * Math.max(0, atMs - sinceMs)) / SECOND);
}
