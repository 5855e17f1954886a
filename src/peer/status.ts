/** Where a running peer stands: with its directory, with each peer it is in session with, and with those it follows. */
import type { SnapshotFrom } from 'xstate';
import { actorId } from '../../machines/actor-ids.ts';
import { establishedIn, incomingEntries } from '../../machines/contacts.ts';
import type { directoryClientMachine } from '../../machines/directory-client.machine.ts';
import type { Failure } from '../../machines/events.ts';
import type { peerMachine } from '../../machines/peer.machine.ts';
import { isDirectoryAt, isPresent, isSilentPeer, unreachedReadersIn } from '../../machines/peer-context.ts';
import { timing } from '../../machines/timing.ts';
import { entriesOf, entryOf } from '../merkle/hash-table.ts';
import type { Store } from '../store/store.ts';
import type { SocketAddress } from '../wire/socket-address.ts';
import type { SyncReports } from './sync-reports.ts';

/** What the directory has done, not what is hoped of it. */
export interface DirectoryStanding {
  /**
   * `connecting`: it does not list us yet, or is to list us anew. `connected`: it lists us. `unreachable`: it failed since it last
   * answered. `unlisted`: it answers, and does not list us.
   */
  readonly status: 'connecting' | 'connected' | 'unreachable' | 'unlisted';
  /** Addresses under which it lists us, or did when it answered last. */
  readonly listed: readonly SocketAddress[];
  /** When it last answered, Unix ms; null: not in this run. */
  readonly answeredMs: number | null;
  /** Why it is unreachable, or does not list us; null: it is, or does. */
  readonly failure: Failure | null;
}

export interface SessionStanding {
  /** `''`: a directory, or whoever was greeted by address. */
  readonly peer: string;
  readonly isDirectory: boolean;
  readonly direction: 'outgoing' | 'incoming';
  readonly address: SocketAddress;
  /** The other side has proven that it has this address. */
  readonly proven: boolean;
}

export interface FollowedStanding {
  readonly peer: string;
  /**
   * `downloading`; `waiting` for others to end, or for the directory to say where it is; `idle`; `silent`: it does not answer, though it is
   * listed; `absent`: neither listed nor in session, so that it is not asked.
   */
  readonly state: 'downloading' | 'waiting' | 'idle' | 'silent' | 'absent';
  /** When it was last known that all it has is here, Unix ms; null: never. */
  readonly lastSyncMs: number | null;
  /** Why the last download failed; null: it did not. */
  readonly failure: Failure | null;
  /** When it is asked next, if it does not push before. Unix ms; null: when it is listed again, or in session. */
  readonly nextPollMs: number | null;
}

/** Somebody who has read from us within the last day. */
export interface ReaderStanding {
  readonly peer: string;
  /** `silent`: it does not answer, so that nothing can be pushed to it. */
  readonly state: 'idle' | 'silent';
}

export interface PeerStatus {
  readonly sessions: readonly SessionStanding[];
  readonly following: readonly FollowedStanding[];
  readonly readers: readonly ReaderStanding[];
  /** Why nothing is published from here any more; null: it is. */
  readonly retirement: Failure | null;
}

type PeerSnapshot = SnapshotFrom<typeof peerMachine>;
/** From the time that the machines know to Unix ms. */
type ToWall = (atMs: number) => number;

export function directoryStanding(snapshot: PeerSnapshot, toWall: ToWall): DirectoryStanding {
  const client = snapshot.children[actorId.directoryClient]?.getSnapshot() as
    | SnapshotFrom<typeof directoryClientMachine>
    | undefined;
  const { listed, presenceAnsweredAtMs = Number.NEGATIVE_INFINITY, retirement } = snapshot.context;
  const { answeredAtMs: clientAnsweredAtMs = Number.NEGATIVE_INFINITY } = client?.context ?? {};
  const answeredAtMs = Math.max(clientAnsweredAtMs, presenceAnsweredAtMs);
  const isListed = client !== undefined && LISTED.has(client.value);
  // Whoever publishes no more is not to be listed.
  const failure = isListed ? null : (retirement ?? client?.context.failure ?? null);
  const status = isListed ? 'connected' : statusFor(failure);
  return {
    status,
    listed: status === 'connected' || status === 'unreachable' ? listed : [],
    answeredMs: Number.isFinite(answeredAtMs) ? toWall(answeredAtMs) : null,
    failure,
  };
}

/** States of the directory client in which nothing speaks against its being listed. */
const LISTED: ReadonlySet<string> = new Set(['registered', 'checking', 'verifying']);

function statusFor(failure: Failure | null): DirectoryStanding['status'] {
  if (failure === null) return 'connecting';
  return failure.code === 'directory-unreachable' ? 'unreachable' : 'unlisted';
}

export interface StatusSources {
  readonly store: Store;
  readonly reports: SyncReports;
  readonly toWall: ToWall;
}

export function statusIn(snapshot: PeerSnapshot, sources: StatusSources): PeerStatus {
  const { context } = snapshot;
  return {
    sessions: sessionsIn(snapshot),
    following: context.following.map((peer) => followedStanding(context, peer, sources)),
    readers: readersIn(context),
    retirement: context.retirement ?? null,
  };
}

function readersIn(context: PeerSnapshot['context']): ReaderStanding[] {
  const silent = new Set(unreachedReadersIn(context));
  return [...entriesOf(context.readers)]
    .map(([name]) => String(name))
    .sort()
    .map((peer) => ({ peer, state: silent.has(peer) || isSilentPeer(context, peer) ? 'silent' : 'idle' }));
}

function sessionsIn({ context }: PeerSnapshot): SessionStanding[] {
  const { contacts } = context;
  const at = (address: SocketAddress) => ({ address, isDirectory: isDirectoryAt(context, address) });
  const outgoing = establishedIn(contacts).map(({ entry: { name, address } }): SessionStanding => {
    return { peer: name, direction: 'outgoing', ...at(address), proven: true };
  });
  const incoming = incomingEntries(contacts).map(({ name, address, proven }): SessionStanding => {
    return { peer: name ?? '', direction: 'incoming', ...at(address), proven };
  });
  return [...outgoing, ...incoming];
}

function followedStanding(
  context: PeerSnapshot['context'],
  peer: string,
  { store, reports, toWall }: StatusSources,
): FollowedStanding {
  const { succeededAtMs, failure = null } = reports.lastEnd(peer) ?? {};
  // The store knows when something was downloaded last, also in an earlier run.
  const lastSyncMs = succeededAtMs === undefined ? (store.peer(peer)?.lastSyncMs ?? null) : toWall(succeededAtMs);
  const isAbsent = !isPresent(context, peer);
  const nextPollMs = isAbsent ? null : toWall(context.followedAtMs + timing.followInterval);
  return { peer, state: stateOf(context, peer, isAbsent), lastSyncMs, nextPollMs, failure };
}

function stateOf(context: PeerSnapshot['context'], peer: string, isAbsent: boolean): FollowedStanding['state'] {
  // A download that waits for somebody who has fallen silent downloads nothing.
  if (isSilentPeer(context, peer)) return 'silent';
  if (entryOf(context.walks, peer) !== undefined) return 'downloading';
  if (context.toWalk.includes(peer)) return 'waiting';
  if (!isAbsent) return 'idle';
  return entryOf(context.presence, peer) === undefined ? 'waiting' : 'absent';
}
