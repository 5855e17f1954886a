/** What the root peer actor spawns, has done outside, and asks itself before it acts. */

import { assertEvent, setup } from 'xstate';
import type { PublicKey } from '../src/identity/public-key.ts';
import { entryOf } from '../src/merkle/hash-table.ts';
import { type Datagram, RETIRED_FLAG } from '../src/wire/datagram.ts';
import type { Hash } from '../src/wire/hash.ts';
import type { SocketAddress } from '../src/wire/socket-address.ts';
import { addressProofMachine } from './address-proof.machine.ts';
import { knownPeerAt } from './contacts.ts';
import { directoryClientMachine } from './directory-client.machine.ts';
import { effect } from './effects.ts';
import { historyCheckMachine } from './history-check.machine.ts';
import { incomingSessionMachine } from './incoming-session.machine.ts';
import { merkleWalkMachine } from './merkle-walk.machine.ts';
import type { SocketRef } from './messages.ts';
import { outgoingSessionMachine } from './outgoing-session.machine.ts';
import { pathChecksMachine } from './path-checks.machine.ts';
import {
  isCopy,
  isDirectoryInSession,
  mayOweError,
  type PeerContext,
  type PeerInput,
  wasListedBefore,
} from './peer-context.ts';
import type { PeerEvent, PeerFact } from './peer-events.ts';
import { pingMachine } from './ping.machine.ts';
import { socketMachine } from './socket.machine.ts';
import { limits, timing } from './timing.ts';
import type { StoreWish } from './wishes.ts';

export const base = setup({
  types: {
    context: {} as PeerContext,
    events: {} as PeerEvent,
    input: {} as PeerInput,
    emitted: {} as PeerFact,
  },
  actors: {
    socket: socketMachine,
    directoryClient: directoryClientMachine,
    outgoingSession: outgoingSessionMachine,
    incomingSession: incomingSessionMachine,
    merkleWalk: merkleWalkMachine,
    historyCheck: historyCheckMachine,
    ping: pingMachine,
    pathChecks: pathChecksMachine,
    addressProof: addressProofMachine,
  },
  actions: {
    /** Signs and hands the bytes to the socket as a `datagrams.send`. */
    sendSigned: effect<{ datagram: Datagram; to: SocketAddress; socket: SocketRef }>('sendSigned'),
    /** Signs our HelloReply with id 0, once: `keepAlive.sealed`. */
    sealKeepAlive: effect<undefined>('sealKeepAlive'),
    /** Connections to the directory that are open are of no use any more. */
    forgetConnections: effect<undefined>('forgetConnections'),
    /** Keeps in the store that this peer reads from us. */
    rememberReader: effect<{ name: string }>('rememberReader'),
    /** Keeps in the store where this peer has just answered under its key. */
    rememberAddress: effect<{ name: string; address: SocketAddress }>('rememberAddress'),
    /** How the directory lists these: `presence.found`, or nothing while it cannot be asked. */
    lookForPeers: effect<{ names: readonly string[] }>('lookForPeers'),
    /**
     * What has changed in its list that concerns these: `presence.changed`, `cursor.issued` or `cursor.unavailable`, or
     * `presence.failed` while it cannot be asked.
     */
    askForChanges: effect<{ cursor: string; names: readonly string[] }>('askForChanges'),
    /** Signs our Root with id 0, once for all it is pushed to: `root.sealed`. */
    sealRoot: effect<{ root: Hash }>('sealRoot'),
    /** Does in the store what is asked for; the outcome is a `WishAnswer`. */
    carryOutWish: effect<{ wish: StoreWish & { readonly atMs: number } }>('carryOutWish'),
    /** Publishes what is due: a `message.published` for each, and then `schedule.known` or `schedule.failed`. */
    publishDue: effect<undefined>('publishDue'),
    /** If it is not the current one of this followed peer: `announcement.verified`, or `sync.wanted` if it is not authenticated. */
    compareRoot: effect<{ name: string; root: Hash; authenticated: boolean; atMs: number }>('compareRoot'),
    /** `announcement.verified`, unless the root is current. */
    verifyAnnouncement: effect<{
      name: string;
      root: Hash;
      key: PublicKey;
      signed: Uint8Array;
      signature: Uint8Array;
      atMs: number;
    }>('verifyAnnouncement'),
  },
  guards: {
    isHello: ({ event }) => datagramOf(event).type === 'Hello',
    isBlockedHello: ({ context, event }) => {
      const datagram = datagramOf(event);
      return datagram.type === 'Hello' && context.blocked.includes(datagram.name);
    },
    isBlocked: ({ context, event }) => {
      assertEvent(event, 'session.accepted');
      return context.blocked.includes(event.name);
    },
    isAnnouncement: ({ context, event }) => announcementIn(context, event) !== undefined,
    isError: ({ event }) => datagramOf(event).type === 'Error',
    isTraversalOrder: ({ context, event }) => {
      assertEvent(event, 'datagram.unsolicited');
      return (
        event.received.datagram.type === 'NatTraversalServer' &&
        isDirectoryInSession(context, event.from) &&
        context.traversals < limits.traversalsPerSweep
      );
    },
    isStart: ({ event }) => {
      assertEvent(event, 'network.changed');
      return event.why === 'start';
    },
    isForged: ({ event }) => {
      assertEvent(event, 'announcement.verified');
      return !event.valid;
    },
    mayOweError: ({ context, event }) => {
      assertEvent(event, 'error.owed');
      return mayOweError(context, event.to);
    },
    isSyncing: ({ context, event }) => {
      assertEvent(event, ['sync.wanted', 'announcement.verified']);
      return entryOf(context.walks, event.name) !== undefined;
    },
    /** Others may learn our root. */
    maySpeak: ({ context }) => context.retirement === undefined && context.root !== undefined,
    /** A seal that took longer than the next one is of a former root. */
    isOwnRoot: ({ context, event }) => {
      assertEvent(event, 'root.sealed');
      return event.root === context.root && context.retirement === undefined;
    },
    isPublishing: ({ context }) => context.retirement === undefined,
    /** A Hello of ours was answered under our own name and key, by a program that publishes, and was there before this one. */
    isEarlierCopy: ({ context, event }) => {
      assertEvent(event, 'xstate.done.actor.address-proof.*');
      const { proven, flags, address } = event.output;
      if (!proven || (flags & RETIRED_FLAG) !== 0 || context.retirement !== undefined) return false;
      return wasListedBefore(context, address);
    },
    /** A child that fails again and again stays down until the next sweep. */
    mayRestart: ({ context }) => context.restarts < limits.restarts,
    isFollowDue: ({ context, event }) => {
      assertEvent(event, 'sweep');
      return context.register && event.atMs - context.followedAtMs >= timing.followInterval;
    },
  },
});

export type Enqueueing = Parameters<Parameters<typeof base.enqueueActions>[0]>[0];

/** What came unasked, or from a stranger. */
function datagramOf(event: PeerEvent): Datagram {
  assertEvent(event, ['stranger.asked', 'datagram.unsolicited']);
  return event.received.datagram;
}

/** A signed Root from a copy of this home, or from somebody with a key whom we follow, over a session in either direction (protocol §5). */
export function announcementIn(context: PeerContext, event: PeerEvent) {
  assertEvent(event, 'datagram.unsolicited');
  const { datagram, signature, signed } = event.received;
  if (datagram.type !== 'Root') return undefined;
  const peer = knownPeerAt(context.contacts, event.from);
  if (signature === undefined || peer?.key === undefined) return undefined;
  if (!context.following.includes(peer.name) && !isCopy(context, peer)) return undefined;
  return { name: peer.name, key: peer.key, root: datagram.hash, signed, signature, atMs: event.atMs };
}
