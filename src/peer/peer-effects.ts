/**
 * The effects of the peer's machines: what they ask for is done here, and what comes of it enters them again as an event,
 * always through the gate's `enter` – the one place where a peer hears from outside.
 */

import { peerMachine } from '../../machines/peer.machine.ts';
import type { Listing } from '../../machines/peer-events.ts';
import { type CallOf, shareEffects, type VerifyParams } from '../runtime/shared-effects.ts';
import type { Hash } from '../wire/hash.ts';
import { formatAddress, type SocketAddress } from '../wire/socket-address.ts';
import { provideDirectoryClient } from './directory-client-effects.ts';
import type { Changes } from './directory-http.ts';
import { provideIncomingSession } from './incoming-session-effects.ts';
import { NodeBuffer } from './node-buffer.ts';
import { provideOutgoingSession } from './outgoing-session-effects.ts';
import { providePathChecks } from './path-check-effects.ts';
import type { KnownDirectory, PeerDependencies } from './peer-dependencies.ts';
import { withinReach } from './private-addresses.ts';
import { provideMerkleWalk } from './walk-effects.ts';
import { carryOutWishes, publishDue } from './wishes.ts';

/** The peer machine, ready to run on these dependencies. */
export function providePeer(dependencies: PeerDependencies) {
  const { name: ownName, store, http, clock, wallClock, gate, localIps } = dependencies;
  const buffer = new NodeBuffer(store, wallClock);
  const shared = shareEffects(dependencies);
  const { isGenuine, seal, sendSigned, addressProof, socket } = shared;
  const directory: KnownDirectory = { addresses: [], key: undefined };

  /** For intervals and ages. */
  const now = () => clock.now();
  /** For what people read. */
  const wallNow = () => wallClock.now();

  const reached = (addresses: readonly SocketAddress[]) =>
    withinReach(addresses, { directory: directory.addresses, localIps: localIps() });

  const directoryClient = provideDirectoryClient(dependencies, directory);
  const outgoingSession = provideOutgoingSession(dependencies, shared.request, reached);
  const incomingSession = provideIncomingSession(dependencies, shared, directory);
  const merkleWalk = provideMerkleWalk(dependencies, buffer);
  const pathChecks = providePathChecks(dependencies, shared.sealBytes);

  /** Of a store that cannot be read now, the download will tell. */
  const isCurrent = (name: string, root: Hash, authenticated: boolean) => {
    try {
      return store.isCurrent(name, root, { authenticated });
    } catch {
      return false;
    }
  };

  const peer = peerMachine.provide({
    actors: { socket, directoryClient, outgoingSession, incomingSession, merkleWalk, addressProof, pathChecks },
    actions: gate.effects({
      sendSigned,
      carryOutWish: carryOutWishes({ name: ownName, store, time: clock, clock: wallClock }),
      publishDue: publishDue({ name: ownName, store, clock: wallClock }),
      sealRoot: async ({ self, enter }: CallOf<'peer'>, { root }: { root: Hash }) => {
        const bytes = await seal({ type: 'Root', id: 0, hash: root });
        if (bytes !== undefined) enter(self, { type: 'root.sealed', root, bytes });
      },
      sealKeepAlive: async ({ self, enter }: CallOf<'peer'>) => {
        const bytes = await seal({ type: 'HelloReply', id: 0, flags: 0, name: ownName });
        if (bytes !== undefined) enter(self, { type: 'keepAlive.sealed', bytes });
      },
      forgetConnections: () => http.forgetConnections?.(),
      rememberAddress: (_: unknown, { name, address }: { name: string; address: SocketAddress }) => {
        try {
          store.noteAddress(name, formatAddress(address));
        } catch {
          // On a full disk only the directory can tell.
        }
      },
      rememberReader: (_: unknown, { name }: { name: string }) => {
        try {
          store.noteReader(name, wallNow());
        } catch {
          // On a full disk it is known for this run only, and learnt again after the next.
        }
      },
      lookForPeers: async ({ self, enter }: CallOf<'peer'>, { names }: { names: readonly string[] }) => {
        const answers = await Promise.allSettled(names.map(async (name) => http.peer(name)));
        const listings = names.flatMap((name, index): Listing[] => {
          const answer = answers[index];
          if (answer?.status !== 'fulfilled') return [];
          return [{ name, addresses: reached(answer.value?.addresses ?? []), key: answer.value?.key }];
        });
        // Others are asked about again in a moment; that the directory cannot be asked, its client reports.
        if (listings.length > 0) enter(self, { type: 'presence.found', listings, atMs: now() });
      },
      askForChanges: async (
        { self, enter }: CallOf<'peer'>,
        { cursor, names }: { cursor: string; names: readonly string[] },
      ) => {
        try {
          const changes = await http.changes(cursor, names);
          const atMs = now();
          if (changes === undefined) enter(self, { type: 'cursor.unavailable', atMs });
          else if (changes.isExpired) enter(self, { type: 'cursor.issued', cursor: changes.cursor, atMs });
          else
            enter(self, {
              type: 'presence.changed',
              ...among(names, changes, reached),
              own: changes.peers.find(({ name }) => name === ownName)?.addresses,
              cursor: changes.cursor,
              atMs,
            });
        } catch {
          enter(self, { type: 'presence.failed' });
        }
      },
      compareRoot: ({ self, enter }: CallOf<'peer'>, { name, root, authenticated, atMs }: SeenRoot) => {
        if (isCurrent(name, root, authenticated)) return;
        if (authenticated) enter(self, { type: 'announcement.verified', name, root, valid: true, atMs });
        else enter(self, { type: 'sync.wanted', name, atMs });
      },
      verifyAnnouncement: async ({ self, enter }: CallOf<'peer'>, params: AnnouncementParams) => {
        const { name, root, atMs } = params;
        if (isCurrent(name, root, true)) return;
        enter(self, { type: 'announcement.verified', name, root, valid: await isGenuine(params), atMs });
      },
    }),
  });

  return { peer, flush: () => buffer.flush() };
}

interface SeenRoot {
  readonly name: string;
  readonly root: Hash;
  readonly authenticated: boolean;
  readonly atMs: number;
}

/** Of all that changed at the directory, what concerns these. */
function among(
  names: readonly string[],
  { peers, removed }: Changes,
  reached: (addresses: readonly SocketAddress[]) => readonly SocketAddress[],
) {
  const wanted = new Set(names);
  return {
    listings: peers
      .filter(({ name }) => wanted.has(name))
      .map(({ name, addresses, key }): Listing => ({ name, addresses: reached(addresses), key })),
    removed: removed.filter((name) => wanted.has(name)),
  };
}

type AnnouncementParams = Omit<VerifyParams, 'id'> & { name: string; root: Hash; atMs: number };
