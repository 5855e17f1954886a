/** What the root peer actor knows, hears and tells; and the questions that its guards ask of that. */
import type { AnyActorRef } from 'xstate';
import type { PublicKey } from '../src/identity/public-key.ts';
import { emptyTable, entriesOf, entryOf, type Table } from '../src/merkle/hash-table.ts';
import type { Hash } from '../src/wire/hash.ts';
import { formatAddress, hostOf, type SocketAddress, sameAddress } from '../src/wire/socket-address.ts';
import type { DirectoryClientReport } from './directory-client.machine.ts';
import type { Random } from './effects.ts';
import type {
  Failure,
  HistoryCheck,
  IncomingSessionReport,
  OutgoingSessionReport,
  SocketReport,
  Sockets,
  SyncReport,
} from './events.ts';
import { limits } from './timing.ts';
import type { Wish, WishAnswer } from './wishes.ts';

/** What others may learn from a peer: emitted by the root actor. */
export type PeerFact =
  /** `index`: of the local address that was asked for. Again, if it had to be bound again. */
  | { readonly type: 'socket.bound'; readonly index: number; readonly address: SocketAddress }
  | { readonly type: 'socket.failed'; readonly why: string }
  | { readonly type: 'peer.listed'; readonly addresses: readonly SocketAddress[] }
  | { readonly type: 'directory.unreachable'; readonly failure: Failure; readonly retryInMs: number }
  | { readonly type: 'root.published'; readonly root: Hash }
  | {
      readonly type: 'session.opened';
      readonly direction: 'outgoing' | 'incoming';
      readonly name: string;
      readonly address: SocketAddress;
      readonly authenticated: boolean;
    }
  | { readonly type: 'session.failed'; readonly name: string; readonly failure: Failure }
  | {
      readonly type: 'sync.progressed';
      readonly peer: string;
      readonly nodesFetched: number;
      readonly nodesWanted: number;
    }
  | { readonly type: 'sync.finished'; readonly report: SyncReport }
  | { readonly type: 'history.checked'; readonly check: HistoryCheck }
  /** Text as received: whoever shows it makes it safe. */
  | {
      readonly type: 'error.received';
      readonly from: SocketAddress;
      readonly name: string | undefined;
      readonly text: string;
    }
  | { readonly type: 'peer.warning'; readonly message: string }
  | WishAnswer;

export type PeerEvent =
  | (Wish & { readonly atMs: number })
  | WishAnswer
  | SocketReport
  | OutgoingSessionReport
  | IncomingSessionReport
  | DirectoryClientReport
  | { readonly type: 'session.wanted'; readonly name: string; readonly requester: AnyActorRef; readonly atMs: number }
  | {
      readonly type: 'sync.progressed';
      readonly peer: string;
      readonly nodesFetched: number;
      readonly nodesWanted: number;
    }
  /** Do those whom we follow know a later history than the one with this root, and this newest message in it? */
  | { readonly type: 'history.wanted'; readonly root: Hash; readonly leaf: Hash; readonly atMs: number }
  | { readonly type: 'following.changed'; readonly names: readonly string[]; readonly atMs: number }
  | { readonly type: 'root.published'; readonly root: Hash }
  /** Our signed Root, to be pushed. */
  | { readonly type: 'root.sealed'; readonly bytes: Uint8Array }
  | {
      readonly type: 'announcement.verified';
      readonly name: string;
      readonly root: Hash;
      readonly valid: boolean;
      readonly atMs: number;
    }
  | { readonly type: 'sweep'; readonly atMs: number }
  | { readonly type: 'peer.stop' };

export interface PeerInput {
  readonly name: string;
  readonly random: Random;
  /** Undefined: nobody is to learn it from us. */
  readonly root: Hash | undefined;
  readonly binds: readonly SocketAddress[];
  readonly following: readonly string[];
  readonly register: boolean;
  readonly quota: number;
}

export interface OutgoingEntry {
  readonly name: string;
  /** Set while the session is established. */
  readonly address: SocketAddress | undefined;
  readonly key: PublicKey | undefined;
}

export interface IncomingEntry {
  readonly name: string | undefined;
  readonly key: PublicKey | undefined;
  readonly proven: boolean;
  readonly openedAtMs: number;
  readonly address: SocketAddress;
  readonly socket: AnyActorRef;
}

export interface PeerContext extends PeerInput {
  readonly sockets: Sockets;
  readonly directoryAddresses: readonly SocketAddress[];
  readonly directoryKey: PublicKey | undefined;
  readonly isListed: boolean;
  /** By actor id. */
  readonly outgoing: Table<OutgoingEntry>;
  /** By source address. */
  readonly incoming: Table<IncomingEntry>;
  /** Names of running walks, with a root announced meanwhile. */
  readonly walks: Table<Hash | null>;
  /** Checks of our history that still run. */
  readonly historyChecks: number;
  /** Errors sent since the last sweep, in all and by source. */
  readonly errorsSent: number;
  readonly errorsTo: Table<number>;
  readonly traversals: number;
  readonly restarts: number;
  readonly followedAtMs: number;
}

export function initialPeerContext(input: PeerInput): PeerContext {
  return {
    ...input,
    sockets: {},
    directoryAddresses: [],
    directoryKey: undefined,
    isListed: false,
    outgoing: emptyTable<OutgoingEntry>(),
    incoming: emptyTable<IncomingEntry>(),
    walks: emptyTable<Hash | null>(),
    historyChecks: 0,
    errorsSent: 0,
    errorsTo: emptyTable<number>(),
    traversals: 0,
    restarts: 0,
    followedAtMs: 0,
  };
}

/** Errors are limited per source and in all (protocol §9). */
export function mayOweError(context: PeerContext, to: SocketAddress): boolean {
  const toSource = entryOf(context.errorsTo, formatAddress(to)) ?? 0;
  return context.errorsSent < limits.errorsInAll && toSource < limits.errorsPerSource;
}

/** Who is at this address, by a session in either direction; undefined: nobody we know. */
export function knownPeerAt(
  context: PeerContext,
  from: SocketAddress,
): { readonly name: string; readonly key: PublicKey | undefined } | undefined {
  const incoming = entryOf(context.incoming, formatAddress(from));
  if (incoming?.name !== undefined && incoming.proven) return { name: incoming.name, key: incoming.key };
  for (const [, entry] of entriesOf(context.outgoing)) {
    if (entry.address !== undefined && sameAddress(entry.address, from)) return entry;
  }
  return incoming?.name === undefined ? undefined : { name: incoming.name, key: incoming.key };
}

/** We hold a session with this name at this address: it answered a Hello of ours from there. */
export function isInSession(context: PeerContext, name: string, at: SocketAddress): boolean {
  return entriesOf(context.outgoing).some(
    ([, entry]) => entry.name === name && entry.address !== undefined && sameAddress(entry.address, at),
  );
}

export function isDirectoryAt(context: PeerContext, from: SocketAddress): boolean {
  return context.directoryAddresses.some((address) => sameAddress(address, from));
}

/** A directory with which we hold a session: only such a one may give orders (protocol §8). */
export function isDirectoryInSession(context: PeerContext, from: SocketAddress): boolean {
  const inSession = entriesOf(context.outgoing).some(([, { address }]) => address && sameAddress(address, from));
  return inSession && isDirectoryAt(context, from);
}

/** No place is left for one more incoming session: in all, or for this host (protocol §9). */
export function isCrowded(context: PeerContext, from: SocketAddress): boolean {
  return context.incoming.size >= limits.incomingSessions || isHostCrowded(context, hostOf(from));
}

function isHostCrowded({ incoming }: PeerContext, host: string): boolean {
  if (incoming.size < limits.incomingSessionsPerHost) return false;
  const ofHost = entriesOf(incoming).filter(([, { address }]) => hostOf(address) === host);
  return [...ofHost].length >= limits.incomingSessionsPerHost;
}

/**
 * The incoming session that makes room for one from there: the oldest unproven one, of the same host if it is that which has
 * too many; never a proven one (protocol §9).
 */
export function evictable(context: PeerContext, from: SocketAddress): IncomingEntry | undefined {
  const host = isHostCrowded(context, hostOf(from)) ? hostOf(from) : undefined;
  let oldest: IncomingEntry | undefined;
  for (const [, entry] of entriesOf(context.incoming)) {
    if (entry.proven || (host !== undefined && hostOf(entry.address) !== host)) continue;
    if (oldest === undefined || entry.openedAtMs < oldest.openedAtMs) oldest = entry;
  }
  return oldest;
}
