/** What the root peer actor hears (`PeerEvent`) and tells (`PeerFact`). */

import type { DoneActorEvent, ErrorActorEvent } from 'xstate';
import type { PublicKey } from '../src/identity/public-key.ts';
import type { Hash } from '../src/wire/hash.ts';
import type { SocketAddress } from '../src/wire/socket-address.ts';
import type { AddressProofOutput } from './address-proof.machine.ts';
import type { DirectoryClientReport } from './directory-client-context.ts';
import type {
  Failure,
  HistoryCheck,
  IncomingSessionReport,
  OutgoingSessionReport,
  OwnHistory,
  SocketReport,
  WalkReport,
} from './events.ts';
import type { HistoryCheckOutput } from './history-check.machine.ts';
import type { MerkleWalkOutput } from './merkle-walk-context.ts';
import type { Waiter } from './outgoing-session-context.ts';
import type { PingOutput } from './ping.machine.ts';
import type { Wish, WishAnswer } from './wishes.ts';

interface SyncProgressed {
  readonly type: 'sync.progressed';
  readonly peer: string;
  readonly nodesFetched: number;
  readonly nodesWanted: number;
}

/** What a peer reports: emitted by the root actor. */
export type PeerFact =
  /** `index`: of the local address that was asked for. Reported again if the socket had to be bound again. */
  | { readonly type: 'socket.bound'; readonly index: number; readonly address: SocketAddress }
  | { readonly type: 'socket.failed'; readonly why: string }
  /** This machine slept, its clock was set, or its addresses changed: everything is registered and proven again. */
  | { readonly type: 'network.changed'; readonly why: NetworkChange }
  | { readonly type: 'peer.listed'; readonly addresses: readonly SocketAddress[] }
  /** It cannot be asked, or does not list us. Not repeated as long as it fails in the same way. */
  | { readonly type: 'directory.unreachable'; readonly failure: Failure; readonly retryInMs: number }
  | { readonly type: 'root.published'; readonly root: Hash }
  | {
      readonly type: 'session.opened';
      readonly direction: 'outgoing' | 'incoming';
      readonly name: string;
      readonly address: SocketAddress;
      readonly authenticated: boolean;
    }
  /** `address`: of one that was greeted by address, such as a directory, whose name is empty. */
  | {
      readonly type: 'session.failed';
      readonly name: string;
      readonly address?: SocketAddress;
      readonly failure: Failure;
    }
  /** A followed peer, or one that reads from us, has fallen silent in an established session, and is looked for; or it answers again. */
  | { readonly type: 'peer.silent'; readonly name: string; readonly address: SocketAddress }
  | { readonly type: 'peer.answers'; readonly name: string; readonly address: SocketAddress }
  | SyncProgressed
  | { readonly type: 'sync.started'; readonly peer: string }
  | { readonly type: 'sync.finished'; readonly report: WalkReport }
  /** The user has accepted its new key, or its Roots without a signature: it is asked again. */
  | { readonly type: 'trust.changed'; readonly name: string }
  /** The address that was asked, if there is a session. `roundTripMs` is null if the request had to be repeated. */
  | {
      readonly type: 'ping.finished';
      readonly peer: string;
      readonly address: SocketAddress | null;
      readonly authenticated: boolean;
      readonly roundTripMs: number | null;
      readonly failure?: Failure;
    }
  | { readonly type: 'history.checked'; readonly check: HistoryCheck }
  /** Others know a later history of ours, or another program publishes under our name and key: from now on, this peer only reads. */
  | { readonly type: 'publishing.stopped'; readonly failure: Failure }
  /** The text as received: it must be made safe before it is shown. */
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
  | {
      readonly type: 'session.wanted';
      readonly name: string;
      readonly requester: Waiter;
      readonly atMs: number;
    }
  | SyncProgressed
  /** Do these know a later history than this one? */
  | {
      readonly type: 'history.wanted';
      readonly names: readonly string[];
      readonly history: OwnHistory;
      readonly atMs: number;
    }
  /** The peers of these sessions did not answer as expected. `isAlone`: nobody who was asked has answered at all. */
  | { readonly type: 'checks.failed'; readonly sessions: readonly string[]; readonly isAlone: boolean }
  /** A peer that had fallen silent has answered a Hello from there; nothing of that is verified. */
  | { readonly type: 'peer.found'; readonly name: string; readonly address: SocketAddress; readonly atMs: number }
  | { readonly type: 'publishing.stop'; readonly failure: Failure }
  /** The user's trust in this peer has changed: sessions that were opened under its former key end. */
  | { readonly type: 'trust.changed'; readonly name: string; readonly atMs: number }
  | { readonly type: 'blocked.changed'; readonly names: readonly string[] }
  /** When the next scheduled message is due; undefined if there is none. */
  | { readonly type: 'schedule.known'; readonly dueInMs: number | undefined }
  | { readonly type: 'schedule.due' }
  | { readonly type: 'schedule.failed'; readonly failure: Failure }
  | { readonly type: 'following.changed'; readonly names: readonly string[]; readonly atMs: number }
  | {
      readonly type: 'root.published';
      readonly root: Hash;
      /** If others are to be asked about it. */
      readonly history?: OwnHistory | undefined;
      /** What another copy of this home has published is in it. */
      readonly isMerged?: boolean;
      readonly atMs: number;
    }
  /** Our signed Root, to be pushed. */
  | { readonly type: 'root.sealed'; readonly root: Hash; readonly bytes: Uint8Array }
  | {
      readonly type: 'announcement.verified';
      readonly name: string;
      readonly root: Hash;
      readonly valid: boolean;
      readonly atMs: number;
    }
  | { readonly type: 'sweep'; readonly atMs: number }
  /** This machine slept, its clock was set, or its addresses changed (protocol §5). */
  | {
      readonly type: 'network.changed';
      readonly why: NetworkChange;
      readonly localIps: readonly string[];
      readonly atMs: number;
    }
  | { readonly type: 'keepAlive.sealed'; readonly bytes: Uint8Array }
  /** How the directory lists the peers that it was asked about. */
  | { readonly type: 'presence.found'; readonly listings: readonly Listing[]; readonly atMs: number }
  /** Followed peers that were proven again or are listed elsewhere since the last cursor, and those that are no longer listed. */
  | {
      readonly type: 'presence.changed';
      readonly listings: readonly Listing[];
      readonly removed: readonly string[];
      /** Where it lists ourselves, if that has changed. */
      readonly own?: readonly SocketAddress[] | undefined;
      readonly cursor: string;
      readonly atMs: number;
    }
  /** The current cursor of the directory's list. It no longer knows what changed before. */
  | { readonly type: 'cursor.issued'; readonly cursor: string; readonly atMs: number }
  /** This directory does not tell what has changed. */
  | { readonly type: 'cursor.unavailable'; readonly atMs: number }
  /** The directory could not be asked. */
  | { readonly type: 'presence.failed' }
  | { readonly type: 'peer.stop' }
  | ChildEnded;

/** By kind of child: the first part of its id. */
type ChildEnded =
  | DoneActorEvent<MerkleWalkOutput, `merkle-walk.${string}`>
  | DoneActorEvent<HistoryCheckOutput, `history-check.${string}`>
  | DoneActorEvent<PingOutput, `ping.${string}`>
  | DoneActorEvent<AddressProofOutput, `address-proof.${string}`>
  | ErrorActorEvent<unknown, `merkle-walk.${string}`>
  | ErrorActorEvent<unknown, `history-check.${string}`>
  | ErrorActorEvent<unknown, `ping.${string}`>
  | ErrorActorEvent<unknown, `address-proof.${string}`>
  | ErrorActorEvent<unknown, `outgoing-session.${string}`>
  | ErrorActorEvent<unknown, `incoming-session.${string}`>
  | ErrorActorEvent<unknown, `socket.${string}`>
  | ErrorActorEvent<unknown, 'directory-client'>
  | ErrorActorEvent<unknown, 'path-checks'>;

export type NetworkChange = 'start' | 'sleep' | 'clock' | 'addresses';

/** How the directory lists a peer. Without addresses, it does not list it. */
export interface Listing {
  readonly name: string;
  readonly addresses: readonly SocketAddress[];
  readonly key: PublicKey | undefined;
}
