/** What the root peer actor knows, and what its guards derive from that. */

import type { PublicKey } from '../src/identity/public-key.ts';
import { emptyTable, entriesOf, entryOf, type Table } from '../src/merkle/hash-table.ts';
import type { Hash } from '../src/wire/hash.ts';
import { formatAddress, isIPv6, type SocketAddress, sameAddress } from '../src/wire/socket-address.ts';
import { actorId } from './actor-ids.ts';
import type { Allowance } from './announcements.ts';
import { type Contacts, isEstablished, isReached, noContacts, outgoingOf } from './contacts.ts';
import type { Random } from './effects.ts';
import type { Failure, OwnHistory, Sockets } from './events.ts';
import { type StrangerBudget, strangerBudget, UNPAID_GREETINGS } from './stranger-budget.ts';
import { limits, timing } from './timing.ts';

export interface PeerInput {
  readonly name: string;
  readonly random: Random;
  /** Undefined: nobody is to learn it from us. */
  readonly root: Hash | undefined;
  readonly binds: readonly SocketAddress[];
  /** Of our Hellos to peers: the extensions that we have (protocol §10). */
  readonly flags: number;
  readonly following: readonly string[];
  readonly register: boolean;
  /** Our own key, if it is to be noticed that another program publishes with it. */
  readonly guardedKey: PublicKey | undefined;
  /** Ours, if each peer is to be asked whether it knows a later one before it learns our root. */
  readonly history: OwnHistory | undefined;
  readonly quota: number;
  /** Peers that have read from us within the last day. */
  readonly formerReaders: readonly string[];
  /** Whom the person neither serves nor greets. Default: nobody. */
  readonly blocked?: readonly string[];
}

export interface PeerContext extends PeerInput {
  /** BOUNDED by what a person decides. */
  readonly blocked: readonly string[];
  readonly sockets: Sockets;
  /** Ports that were bound. Bounded by the local addresses, and how often they had to be bound anew. */
  readonly ports: readonly number[];
  readonly directoryAddresses: readonly SocketAddress[];
  readonly directoryKey: PublicKey | undefined;
  readonly contacts: Contacts;
  /** Our Root with id 0, signed: what is pushed. */
  readonly sealedRoot: Uint8Array | undefined;
  /** Our HelloReply with id 0, signed: what keeps NATs open. */
  readonly keepAlive: Uint8Array | undefined;
  readonly keptAliveAtMs: number;
  /** Addresses under which the directory lists us. Bounded by what a directory may answer. */
  readonly listed: readonly SocketAddress[];
  /** Our sessions with the directory that were told to say Hello, and have not failed since. Bounded by its addresses. */
  readonly greetedDirectory: readonly string[];
  /** What was told last of how the directory fails; undefined since it listed us. */
  readonly toldOfDirectory: string | undefined;
  /** The directory does not answer: nobody may be able to reach us. */
  readonly isCutOff: boolean;
  /** IP addresses of this machine, as far as they are known. */
  readonly localIps: readonly string[];
  /** When a peer last read from us, by name. Bounded by `limits.readers`. */
  readonly readers: Table<number>;
  /** Readers that are to learn where we are now. Bounded by `limits.readers`. */
  readonly toGreet: readonly string[];
  /** Where the directory lists followed peers; by name, as far as it was asked. Bounded by those we follow. */
  readonly presence: Table<readonly SocketAddress[]>;
  /** What has changed in its list, or who is listed, was asked and is not answered yet. */
  readonly isPresenceAwaited: boolean;
  /** When such a question was last answered; undefined: not yet. */
  readonly presenceAnsweredAtMs: number | undefined;
  /** Followed peers and readers that have not answered since they were last asked, or told something. Bounded by both. */
  readonly silent: Table<boolean>;
  /** Rounds of path checks so far: followed peers take turns in them. */
  readonly checkRounds: number;
  /** The root of each followed peer at its last download, by name. BOUNDED: by the peers that we follow. */
  readonly rootsRead: Table<Hash>;
  /** What has changed in the directory's list since then is known; empty: it has not been asked yet. Undefined: it does not tell. */
  readonly cursor: string | undefined;
  /** When the sessions were last asked whether they are over. */
  readonly sweptAtMs: number;
  /** What is left of each peer's allowance for announced roots, by name. Bounded by those we follow. */
  readonly allowances: Table<Allowance>;
  /** Followed peers whose download waits for others to end. Bounded by those we follow. */
  readonly toWalk: readonly string[];
  /** Names of running walks, with a root announced meanwhile. */
  readonly walks: Table<Hash | null>;
  /** Peers that are being asked about our history. Bounded by `limits.historyChecks`. */
  readonly checking: readonly string[];
  /** Those that are to be asked when others have answered. Bounded by the outgoing sessions, and those we follow. */
  readonly toCheck: readonly WaitingCheck[];
  /** Peers that may learn our root: they know no later one, or, false, have not answered. Bounded by the outgoing sessions. */
  readonly asked: Table<boolean>;
  /** Who says that it has a later tree of ours, until another copy of this home was looked for: nobody learns our root. */
  readonly refusedBy: string | undefined;
  /** Of the copy of this home that was read last. */
  readonly copyRoot: Hash | undefined;
  /** They did not answer before, do so now, and are to be asked again. Bounded by the outgoing sessions. */
  readonly returned: readonly string[];
  /** Somebody has what we have. */
  readonly isConfirmed: boolean;
  /** When it was last looked for other programs under our name; undefined: never. */
  readonly copiesSoughtAtMs: number | undefined;
  /** Where it is being looked for them, as text; undefined: a slot that is free. Bounded by the addresses that a directory lists under our name. */
  readonly searches: readonly (string | undefined)[];
  /** Why it only reads from now on: it does not register, and tells nobody its root. Undefined: it publishes. */
  readonly retirement: Failure | undefined;
  /** Errors sent since the last sweep, in all and by source. */
  readonly errorsSent: number;
  readonly errorsTo: Table<number>;
  /** For those whose Hello is too short to pay for the answer. */
  readonly unpaidGreetings: StrangerBudget;
  readonly traversals: number;
  /** Whether it was asked since the last sweep if it is us who are cut off. */
  readonly hasDoubted: boolean;
  /** Whether the directory was asked since the last sweep if it still knows us where we are. */
  readonly hasDoubtedPosition: boolean;
  /** Addresses to be opened for us once the directory has answered our Hello. Bounded by `limits.traversalsPerSweep`. */
  readonly traversalTargets: readonly SocketAddress[];
  readonly restarts: number;
  readonly followedAtMs: number;
}

export interface WaitingCheck {
  readonly name: string;
  readonly history: OwnHistory;
  readonly isRepeated?: boolean;
  readonly atMs: number;
}

export function initialPeerContext(input: PeerInput): PeerContext {
  return {
    ...input,
    blocked: input.blocked ?? [],
    sockets: {},
    ports: [],
    directoryAddresses: [],
    directoryKey: undefined,
    contacts: noContacts,
    sealedRoot: undefined,
    keepAlive: undefined,
    keptAliveAtMs: 0,
    listed: [],
    greetedDirectory: [],
    toldOfDirectory: undefined,
    isCutOff: false,
    localIps: [],
    readers: emptyTable<number>(),
    toGreet: [],
    presence: emptyTable<readonly SocketAddress[]>(),
    cursor: '',
    isPresenceAwaited: false,
    presenceAnsweredAtMs: undefined,
    silent: emptyTable<boolean>(),
    checkRounds: 0,
    rootsRead: emptyTable<Hash>(),
    sweptAtMs: 0,
    allowances: emptyTable<Allowance>(),
    toWalk: [],
    walks: emptyTable<Hash | null>(),
    checking: [],
    toCheck: [],
    asked: emptyTable<boolean>(),
    refusedBy: undefined,
    copyRoot: undefined,
    returned: [],
    isConfirmed: false,
    copiesSoughtAtMs: undefined,
    searches: [],
    retirement: undefined,
    errorsSent: 0,
    errorsTo: emptyTable<number>(),
    unpaidGreetings: strangerBudget(UNPAID_GREETINGS),
    traversals: 0,
    hasDoubted: false,
    hasDoubtedPosition: false,
    traversalTargets: [],
    restarts: 0,
    followedAtMs: 0,
  };
}

/**
 * It must not learn our root before it was asked whether it knows a later one: exactly those could lose something by it. Who has no place
 * for a session of ours cannot be asked.
 */
export function isWithheld(context: PeerContext, name: string): boolean {
  const { history, refusedBy, asked, contacts } = context;
  // A copy of this home loses nothing: it adds what it learns to what it has.
  if (history === undefined || name === '' || name === context.name) return false;
  if (refusedBy !== undefined) return true;
  if (entryOf(asked, name) !== undefined) return false;
  const canBeAsked = contacts.outgoing.size < limits.outgoingSessions;
  return canBeAsked || outgoingOf(contacts, actorId.outgoingSession(name)) !== undefined;
}

/** Another program under our own name and key, while it is looked for such. */
export function isCopy(
  { name, guardedKey }: PeerContext,
  peer: { readonly name: string; readonly key: PublicKey | undefined },
): boolean {
  return guardedKey !== undefined && peer.name === name && peer.key === guardedKey;
}

/** Our root, as far as this peer may learn it. */
export function rootFor(context: PeerContext, name: string): Hash | undefined {
  const isTold = name === context.name || (context.retirement === undefined && !isWithheld(context, name));
  return isTold ? context.root : undefined;
}

/** Errors are limited per source and in all (protocol §9). */
export function mayOweError(context: PeerContext, to: SocketAddress): boolean {
  const toSource = entryOf(context.errorsTo, formatAddress(to)) ?? 0;
  return context.errorsSent < limits.errorsInAll && toSource < limits.errorsPerSource;
}

export function isDirectoryAt(context: PeerContext, from: SocketAddress): boolean {
  return context.directoryAddresses.some((address) => sameAddress(address, from));
}

/** A directory with which we hold a session: only such a one may give orders (protocol §8). */
export function isDirectoryInSession(context: PeerContext, from: SocketAddress): boolean {
  return isReached(context.contacts, from) && isDirectoryAt(context, from);
}

/** The directory knows us under other addresses than our own: what comes from outside passes only where we have sent lately. */
export function isBehindNat({ listed, localIps }: PeerContext): boolean {
  return listed.some(({ ip }) => !localIps.includes(ip));
}

export function isOwnAddress({ localIps, ports }: PeerContext, { ip, port }: SocketAddress): boolean {
  return localIps.includes(ip) && ports.includes(port);
}

/**
 * Of two programs under one name the list names first, within a family, the one that has proven its address last (protocol §3). Where it is
 * not known which of the addresses is ours, the other one counts as the earlier.
 */
export function wasListedBefore(context: PeerContext, address: SocketAddress): boolean {
  const family = context.listed.filter((listed) => isIPv6(listed) === isIPv6(address));
  const own = family.findLastIndex((listed) => isOwnAddress(context, listed));
  return own === -1 || family.findIndex((listed) => sameAddress(listed, address)) > own;
}

/** Where the directory lists this followed peer, as far as that is known. */
export function listedAt({ presence }: PeerContext, name: string): readonly SocketAddress[] {
  return entryOf(presence, name) ?? [];
}

/** The directory does not list this followed peer. */
function isUnlisted({ presence }: PeerContext, name: string): boolean {
  return entryOf(presence, name)?.length === 0;
}

/** Our session with this peer is established. */
export function isInSession({ contacts }: PeerContext, name: string): boolean {
  return isEstablished(contacts, actorId.outgoingSession(name));
}

/** We have a session with this peer, or the directory lists it. */
export function isPresent(context: PeerContext, name: string): boolean {
  return isInSession(context, name) || listedAt(context, name).length > 0;
}

/** A followed peer that does not answer, though the directory lists it, or nobody has asked it yet. */
export function isSilentPeer(context: PeerContext, name: string): boolean {
  return entryOf(context.silent, name) !== undefined && !isUnlisted(context, name);
}

export function silentIn(context: PeerContext): string[] {
  return context.following.filter((name) => isSilentPeer(context, name));
}

/** Peers that read from us, and do not answer: what is published cannot be pushed to them. */
export function unreachedReadersIn({ silent, readers, following }: PeerContext): string[] {
  const names = [...entriesOf(silent)].map(([name]) => String(name));
  return names.filter((name) => entryOf(readers, name) !== undefined && !following.includes(name));
}

/** Followed peers that the directory no longer lists, and with which we have no session. */
export function unlistedIn(context: PeerContext): string[] {
  return context.following.filter((name) => isUnlisted(context, name) && !isPresent(context, name));
}

/** It has read from us within the last day: it is told of new roots (protocol §5). */
export function isReader({ readers }: PeerContext, name: string, atMs: number): boolean {
  const readAtMs = entryOf(readers, name);
  return readAtMs !== undefined && atMs - readAtMs < timing.readerMemory;
}
