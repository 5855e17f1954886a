/**
 * Whom a peer is in contact with: our sessions towards others, the sessions of others towards us, and who is at which address.
 * One table for all, since most questions about one of these are answered by another; pure.
 */
import type { PublicKey } from '../src/identity/public-key.ts';
import {
  emptyTable,
  entriesOf,
  entryOf,
  type Key,
  type Table,
  withEntry,
  withoutEntry,
} from '../src/merkle/hash-table.ts';
import { formatAddress, hostOf, isIPv6, type SocketAddress } from '../src/wire/socket-address.ts';
import type { SocketRef } from './messages.ts';
import { limits } from './timing.ts';

/** Our session towards somebody. */
export interface OutgoingEntry {
  /** Empty for a directory, or an address given by hand. */
  readonly name: string;
  /** The path in use; set while the session is established. */
  readonly address: SocketAddress | undefined;
  readonly key: PublicKey | undefined;
  /** When a Hello over the path in use was answered first; undefined while there is none. It may have been renewed since. */
  readonly openedAtMs: number | undefined;
  /** Ids of our latest Hello that was answered there. Bounded: three. */
  readonly provenBy: readonly number[];
}

/** Somebody's session towards us. */
export interface IncomingEntry {
  readonly name: string | undefined;
  readonly key: PublicKey | undefined;
  readonly proven: boolean;
  readonly openedAtMs: number;
  readonly address: SocketAddress;
  readonly socket: SocketRef;
  /** What their latest Hello that we answered says of extensions, and its id. */
  readonly said: { readonly flags: number; readonly id: number } | undefined;
}

/** Who is at an address. */
interface Place {
  /** Ids of the outgoing sessions whose path leads here. Bounded: one a name. */
  readonly sessions: readonly string[];
  readonly incoming: IncomingEntry | undefined;
}

export interface Contacts {
  /** By the id of the session's actor. Bounded by `limits.outgoingSessions`, and whoever we ask ourselves. */
  readonly outgoing: Table<OutgoingEntry>;
  /** By address. Bounded by the sessions in both directions. */
  readonly places: Table<Place>;
  /** Incoming sessions by host. Bounded by `limits.incomingSessions`. */
  readonly hosts: Table<number>;
  /** The same by network. Bounded by `limits.incomingSessions`. */
  readonly networks: Table<number>;
  /** Bounded by `limits.incomingSessions`. */
  readonly incomingCount: number;
}

export const noContacts: Contacts = {
  outgoing: emptyTable<OutgoingEntry>(),
  places: emptyTable<Place>(),
  hosts: emptyTable<number>(),
  networks: emptyTable<number>(),
  incomingCount: 0,
};

const NOBODY: Place = { sessions: [], incoming: undefined };

function placeAt({ places }: Contacts, address: SocketAddress): Place {
  return entryOf(places, formatAddress(address)) ?? NOBODY;
}

function withPlace(contacts: Contacts, address: SocketAddress, place: Place): Contacts {
  const key = formatAddress(address);
  const isEmpty = place.sessions.length === 0 && place.incoming === undefined;
  return { ...contacts, places: isEmpty ? withoutEntry(contacts.places, key) : withEntry(contacts.places, key, place) };
}

/* Outgoing sessions */

export function outgoingOf({ outgoing }: Contacts, id: string): OutgoingEntry | undefined {
  return entryOf(outgoing, id);
}

/** The session with this id is established. */
export function isEstablished(contacts: Contacts, id: string): boolean {
  return outgoingOf(contacts, id)?.address !== undefined;
}

/** With the session as it is now, wherever it led before. */
export function withOutgoing(contacts: Contacts, id: string, entry: OutgoingEntry): Contacts {
  const left = withoutPath(contacts, id);
  const known = { ...left, outgoing: withEntry(left.outgoing, id, entry) };
  if (entry.address === undefined) return known;
  const place = placeAt(known, entry.address);
  return withPlace(known, entry.address, { ...place, sessions: [...place.sessions, id] });
}

export function withoutOutgoing(contacts: Contacts, id: string): Contacts {
  const left = withoutPath(contacts, id);
  return { ...left, outgoing: withoutEntry(left.outgoing, id) };
}

function withoutPath(contacts: Contacts, id: string): Contacts {
  const address = outgoingOf(contacts, id)?.address;
  if (address === undefined) return contacts;
  const place = placeAt(contacts, address);
  return withPlace(contacts, address, { ...place, sessions: place.sessions.filter((session) => session !== id) });
}

/** Sessions that are established, in the order of the table. */
export function establishedIn({ outgoing }: Contacts): { readonly id: string; readonly entry: EstablishedEntry }[] {
  return [...entriesOf(outgoing)].flatMap(([id, entry]: readonly [Key, OutgoingEntry]) =>
    entry.address === undefined ? [] : [{ id: String(id), entry: { ...entry, address: entry.address } }],
  );
}
type EstablishedEntry = OutgoingEntry & { readonly address: SocketAddress };

export function outgoingIds({ outgoing }: Contacts): string[] {
  return [...entriesOf(outgoing)].map(([id]) => String(id));
}

/** Of those that are not established, and those established before then. */
export function outgoingOpenedBefore({ outgoing }: Contacts, atMs: number): string[] {
  const opened = [...entriesOf(outgoing)].filter(([, { openedAtMs = 0 }]) => openedAtMs <= atMs);
  return opened.map(([id]) => String(id));
}

/** We hold a session with somebody at this address. */
export function isReached(contacts: Contacts, address: SocketAddress): boolean {
  return placeAt(contacts, address).sessions.length > 0;
}

/** Our session with this name at this address: it answered a Hello of ours from there. */
export function sessionAt(contacts: Contacts, name: string, at: SocketAddress): OutgoingEntry | undefined {
  const id = placeAt(contacts, at).sessions.find((session) => outgoingOf(contacts, session)?.name === name);
  return id === undefined ? undefined : outgoingOf(contacts, id);
}

/** Ids of our sessions without a key that lead to this address under another name: only one program can be there. */
export function namelessAt(contacts: Contacts, at: SocketAddress, name: string): string[] {
  return placeAt(contacts, at).sessions.filter((session) => {
    const entry = outgoingOf(contacts, session);
    return entry !== undefined && entry.key === undefined && entry.name !== '' && entry.name !== name;
  });
}

/* Incoming sessions */

export function incomingAt(contacts: Contacts, address: SocketAddress): IncomingEntry | undefined {
  return placeAt(contacts, address).incoming;
}

export function withIncoming(contacts: Contacts, entry: IncomingEntry): Contacts {
  const place = placeAt(contacts, entry.address);
  const counted = place.incoming === undefined ? countedAt(contacts, entry.address, 1) : contacts;
  return withPlace(counted, entry.address, { ...place, incoming: entry });
}

export function withoutIncoming(contacts: Contacts, address: SocketAddress): Contacts {
  const place = placeAt(contacts, address);
  if (place.incoming === undefined) return contacts;
  return withPlace(countedAt(contacts, address, -1), address, { ...place, incoming: undefined });
}

function countedAt(contacts: Contacts, address: SocketAddress, change: number): Contacts {
  const hosts = withCount(contacts.hosts, hostOf(address), change);
  const networks = withCount(contacts.networks, networkOf(address), change);
  return { ...contacts, hosts, networks, incomingCount: contacts.incomingCount + change };
}

function withCount(counts: Table<number>, key: string, change: number): Table<number> {
  const count = (entryOf(counts, key) ?? 0) + change;
  return count === 0 ? withoutEntry(counts, key) : withEntry(counts, key, count);
}

/** One owner's addresses often lie together: 24 bits of an IPv4 address; of IPv6, what a host has. */
function networkOf(address: SocketAddress): string {
  return isIPv6(address) ? hostOf(address) : address.ip.slice(0, address.ip.lastIndexOf('.'));
}

export function incomingEntries({ places }: Contacts): IncomingEntry[] {
  return [...entriesOf(places)].flatMap(([, { incoming }]) => incoming ?? []);
}

/** Who is at this address, by a session in either direction; undefined: nobody we know. */
export function knownPeerAt(
  contacts: Contacts,
  from: SocketAddress,
): { readonly name: string; readonly key: PublicKey | undefined } | undefined {
  const { sessions, incoming } = placeAt(contacts, from);
  const isNamed = incoming?.name !== undefined;
  if (isNamed && incoming.proven) return { name: incoming.name as string, key: incoming.key };
  const [id] = sessions;
  if (id !== undefined) return outgoingOf(contacts, id);
  return isNamed ? { name: incoming.name as string, key: incoming.key } : undefined;
}

/**
 * No place is left for one more incoming session: in all, for this host, or, once three quarters of all are taken, for its network, so
 * that no few of them lock everybody else out (protocol §9). `isFriend`: of whom that is not true, nor of this machine.
 */
export function isCrowded(contacts: Contacts, from: SocketAddress, isFriend: boolean): boolean {
  if (contacts.incomingCount >= limits.incomingSessions || isHostCrowded(contacts, hostOf(from))) return true;
  return !isFriend && isNetworkCrowded(contacts, from);
}

function isHostCrowded({ hosts }: Contacts, host: string): boolean {
  return (entryOf(hosts, host) ?? 0) >= limits.incomingSessionsPerHost;
}

function isNetworkCrowded({ incomingCount, networks }: Contacts, from: SocketAddress): boolean {
  if (isLoopback(from) || incomingCount < SCARCE * limits.incomingSessions) return false;
  return (entryOf(networks, networkOf(from)) ?? 0) >= limits.incomingSessionsPerNetwork;
}

const SCARCE = 3 / 4;

function isLoopback({ ip }: SocketAddress): boolean {
  return ip.startsWith('127.') || ip === '::1';
}

/**
 * The incoming session that makes room for one from there: the oldest unproven one, of the same host or network if it is that which has
 * too many; never a proven one (protocol §9).
 */
export function evictable(contacts: Contacts, from: SocketAddress): IncomingEntry | undefined {
  const isFull = contacts.incomingCount >= limits.incomingSessions;
  const anywhere = () => '';
  const inNetwork = !isFull && isNetworkCrowded(contacts, from) ? networkOf : anywhere;
  const scope = isHostCrowded(contacts, hostOf(from)) ? hostOf : inNetwork;
  let oldest: IncomingEntry | undefined;
  for (const entry of incomingEntries(contacts)) {
    if (entry.proven || scope(entry.address) !== scope(from)) continue;
    if (oldest === undefined || entry.openedAtMs < oldest.openedAtMs) oldest = entry;
  }
  return oldest;
}
