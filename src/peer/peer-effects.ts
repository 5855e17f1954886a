/**
 * The effects of the peer's machines: what they ask for is done here, and what comes of it enters them again as an event,
 * always through the gate's `enter` – the one place where a peer hears from outside.
 */

import { addressProofMachine } from '../../machines/address-proof.machine.ts';
import { directoryClientMachine } from '../../machines/directory-client.machine.ts';
import type { BulkRequest, Failure, NodeRequest, ReceivedNode } from '../../machines/events.ts';
import { incomingSessionMachine } from '../../machines/incoming-session.machine.ts';
import type { NodeRead } from '../../machines/incoming-session-context.ts';
import { merkleWalkMachine } from '../../machines/merkle-walk.machine.ts';
import { brokenDown, type LookedUp } from '../../machines/merkle-walk-context.ts';
import type { Message as MessageTo, SocketRef } from '../../machines/messages.ts';
import { outgoingSessionMachine } from '../../machines/outgoing-session.machine.ts';
import { peerMachine } from '../../machines/peer.machine.ts';
import type { Listing } from '../../machines/peer-events.ts';
import { type Message, toMessage } from '../feed/message.ts';
import type { PublicKey } from '../identity/public-key.ts';
import { laterTreeNodeOf } from '../merkle/later-tree.ts';
import { type Clock, nextTurn } from '../runtime/clock.ts';
import { type CallOf, type SharedDependencies, shareEffects, type VerifyParams } from '../runtime/shared-effects.ts';
import { requireUnblocked } from '../store/blocked.ts';
import type { Store } from '../store/store.ts';
import type { Hash } from '../wire/hash.ts';
import { failureFrom } from '../wire/murmure-error.ts';
import { isValidName } from '../wire/name.ts';
import { formatAddress, parseAddress, type SocketAddress } from '../wire/socket-address.ts';
import type { Changes, DirectoryHttp } from './directory-http.ts';
import { type FoundKey, KeyFinder } from './key-finder.ts';
import { NodeBuffer } from './node-buffer.ts';
import { NodeServer } from './node-server.ts';
import { withinReach } from './private-addresses.ts';
import { carryOutWishes, publishDue } from './wishes.ts';

/** Facts that come from the store rather than from a machine. */
export type StoreFact =
  /** New ones, oldest first: at most the newest 1,000. `messages`: those of them that are stored still. */
  | {
      readonly type: 'messages.received';
      readonly peer: string;
      readonly hashes: readonly Hash[];
      readonly messages: readonly Message[];
    }
  | { readonly type: 'history.wentBack'; readonly name: string; readonly root: Hash }
  | { readonly type: 'key.changed'; readonly name: string };

export interface PeerDependencies extends SharedDependencies {
  readonly wallClock: Clock;
  readonly name: string;
  readonly publicKey: PublicKey;
  readonly store: Store;
  readonly http: DirectoryHttp;
  readonly tell: (fact: StoreFact) => void;
  readonly localIps: () => readonly string[];
}

/** The directory does not list a peer of this name now. */
export function notListed(name: string): Failure {
  return { code: 'peer-unknown', message: `the directory knows no peer ${name} that is online now; see murmure peers` };
}

/** The peer machine, ready to run on these dependencies. */
export function providePeer(dependencies: PeerDependencies) {
  const { name: ownName, publicKey, store, http, clock, wallClock, gate, tell, localIps } = dependencies;
  const buffer = new NodeBuffer(store, wallClock);
  const { isGenuine, seal, sendSigned, request, socket } = shareEffects(dependencies);
  let directory: { addresses: readonly SocketAddress[]; key: PublicKey | undefined } = {
    addresses: [],
    key: undefined,
  };

  /** For intervals and ages. */
  const now = () => clock.now();
  /** For what people read. */
  const wallNow = () => wallClock.now();
  const keys = new KeyFinder({
    pinnedKey: (name) => store.peer(name)?.key,
    pinKey: (name, key) => void store.pinKey(name, key, wallNow()),
    lookUp: (name) => http.peer(name),
    directory: () => directory,
    isValidName,
    monotonicNow: () => clock.monotonicNow(),
  });

  const directoryClient = directoryClientMachine.provide({
    actions: gate.effects({
      findDirectory: async ({ self, enter }: CallOf<'directory-client'>) => {
        try {
          const [addresses, key] = await Promise.all([http.udpAddresses(), http.serverKey()]);
          directory = { addresses, key };
          enter(self, { type: 'directory.found', addresses, key, atMs: now() });
        } catch (error) {
          enter(self, { type: 'directory.failed', failure: failureFrom(error), atMs: now() });
        }
      },
      register: async ({ self, enter }: CallOf<'directory-client'>) => {
        try {
          await http.register(ownName, publicKey);
          enter(self, { type: 'registration.accepted', atMs: now() });
        } catch (error) {
          enter(self, { type: 'directory.failed', failure: failureFrom(error), atMs: now() });
        }
      },
      checkListing: async ({ self, enter }: CallOf<'directory-client'>) => {
        try {
          const addresses = (await http.peer(ownName))?.addresses ?? [];
          enter(self, { type: 'listing.checked', addresses, atMs: now() });
        } catch (error) {
          enter(self, { type: 'directory.failed', failure: failureFrom(error), atMs: now() });
        }
      },
    }),
  });

  const reached = (addresses: readonly SocketAddress[]) =>
    withinReach(addresses, { directory: directory.addresses, localIps: localIps() });

  const located = (name: string, key: PublicKey | undefined, known: readonly SocketAddress[]) => {
    const addresses = reached(known);
    const habits = addresses.map((address) => store.habitOf(formatAddress(address), key ?? null));
    const zeroEndingIds = habits.some((habit) => habit?.zeroEndingIds === true);
    const noFlags = habits.some((habit) => habit?.noFlags === true);
    const trustsUnsigned = key !== undefined && store.trustsUnsigned(name, key);
    return { type: 'peer.located' as const, addresses, key, zeroEndingIds, noFlags, trustsUnsigned, atMs: now() };
  };

  /** While the directory is away: where it answered last. Whoever answers there has to do so under the pinned key. */
  const whereLast = (name: string) => {
    try {
      const key = store.peer(name)?.key;
      const address = parseAddress(store.addressOf(name) ?? '');
      return key !== undefined && address.ok ? located(name, key, [address.value]) : undefined;
    } catch {
      // The store cannot be read now: it is looked for again in a moment.
      return undefined;
    }
  };

  /** Addresses and key of a peer; a key other than the pinned one is an authentication failure (protocol §7). */
  const locate = async (name: string): Promise<MessageTo<'outside', 'outgoing-session'>> => {
    const notLocated = (failure: Failure) => ({ type: 'peer.notLocated' as const, failure });
    try {
      requireUnblocked(store, name);
      const found = await http.peer(name);
      if (found === undefined) return notLocated(notListed(name));
      const pinned = store.peer(name)?.key;
      const isChanged =
        found.key === undefined ? pinned !== undefined : store.pinKey(name, found.key, wallNow()) === 'changed';
      if (isChanged) {
        tell({ type: 'key.changed', name });
        const message = `${name} now has a different key from the one known here; ask ${name} whether its new fingerprint is right, then accept it with "murmure trust ${name}"`;
        return notLocated({ code: 'authentication', message });
      }
      return located(name, found.key, found.addresses);
    } catch (error) {
      const failure = failureFrom(error);
      return (failure.code === 'directory-unreachable' && whereLast(name)) || notLocated(failure);
    }
  };

  const outgoingSession = outgoingSessionMachine.provide({
    actors: { request },
    actions: gate.effects({
      locatePeer: async ({ self, enter }: CallOf<'outgoing-session'>, { name }: { name: string }) =>
        enter(self, await locate(name)),
      recallTrust: (
        { self, enter }: CallOf<'outgoing-session'>,
        { name, key }: { name: string; key: PublicKey | undefined },
      ) => {
        try {
          if (key !== undefined && store.trustsUnsigned(name, key)) enter(self, { type: 'trust.recalled', key });
        } catch {
          // Not believed, then.
        }
      },
      rememberHabit: (_: unknown, { address, key, noFlags }: HabitParams) => {
        try {
          store.noteHabit(formatAddress(address), key ?? null, { zeroEndingIds: true, noFlags }, wallNow());
        } catch {
          // On a full disk it is known for this run only.
        }
      },
    }),
  });

  /** Nobody is given a root that its author has left behind: who asks for it may be its author, after a restore (docs/adr/0016). */
  const nodeForOthers = (hash: Hash) => (store.isSuperseded(hash) ? undefined : store.getNode(hash));

  /** Of a store that cannot be read now, the download will tell. */
  const isCurrent = (name: string, root: Hash) => {
    try {
      return store.isCurrent(name, root);
    } catch {
      return false;
    }
  };

  /** Whether we hold a later tree of whoever asks than the one that it asks about. */
  const nodeForAuthor = (name: string, hash: Hash) =>
    laterTreeNodeOf(hash, name, store.currentRoot(name), (child) => store.getNode(child));

  const nodeServer = new NodeServer({ named: nodeForOthers, children: (hashes) => store.getNodes(hashes) }, wallClock);

  /** Whatever goes wrong, the session learns of it: the Hello is ignored, and the other side repeats it. */
  const findKey = async (name: string, from: SocketAddress): Promise<FoundKey> => {
    try {
      return await keys.find(name, from);
    } catch {
      return { key: undefined, trusted: false };
    }
  };

  const confirmKey = (name: string, key: PublicKey): void => {
    // The directory's key is known otherwise.
    if (name === '') return;
    try {
      keys.confirm(name, key);
    } catch {
      // On a full disk it is asked for again next time.
    }
  };

  /** What a download needs of the store, on a disk that may fail: the download ends then, and says why. */
  const inStore = ({ self, enter }: CallOf<'merkle-walk'>, work: () => void) => {
    try {
      work();
    } catch (error) {
      enter(self, { type: 'store.failed', failure: failureFrom(error) });
    }
  };

  const addressProof = addressProofMachine.provide({ actors: { request } });

  const incomingSession = incomingSessionMachine.provide({
    actors: { addressProof },
    actions: gate.effects({
      findKey: async (
        { self, enter }: CallOf<'incoming-session'>,
        { name, from }: { name: string; from: SocketAddress },
      ) => {
        enter(self, { type: 'key.found', ...(await findKey(name, from)) });
      },
      verifyHello: async ({ self, enter }: CallOf<'incoming-session'>, params: VerifyParams & { name: string }) => {
        const valid = await isGenuine(params);
        if (valid) confirmKey(params.name, params.key);
        enter(self, { type: 'hello.verified', id: params.id, valid });
      },
      sendSigned,
      readNodes: ({ self, enter }: CallOf<'incoming-session'>, { requests, name }: ReadParams) => {
        try {
          const nodeFor = (hash: Hash) => nodeForOthers(hash) ?? nodeForAuthor(name, hash);
          const nodes = requests.map(({ id, hash }): NodeRead => ({ id, hash, value: nodeFor(hash) }));
          enter(self, { type: 'nodes.read', nodes });
        } catch {
          // A disk that cannot be read does not mean that the node is not there: whoever asks repeats it.
        }
      },
      serveNodes: ({ enter }: CallOf<'incoming-session'>, { requests, to, socket }: ServeParams) =>
        nodeServer.serve(formatAddress(to), requests, (datagrams) =>
          enter(socket, { type: 'datagrams.send', datagrams, to }),
        ),
    }),
  });

  const merkleWalk = merkleWalkMachine.provide({
    actions: gate.effects({
      beginWalk: ({ self, enter }: CallOf<'merkle-walk'>, { name, root, authenticated, quota }: BeginParams) =>
        inStore({ self, enter }, () => {
          const isCurrent = store.isCurrent(name, root);
          const isSuperseded = store.wasCurrent(name, root);
          const known = store.peer(name);
          // What an earlier walk has just fetched counts as known.
          buffer.flush();
          if (!isCurrent) store.beginWalk(name, root, wallNow(), { authenticated, quota: known?.quota ?? quota });
          const totalMessages = known?.messages ?? 0;
          const own = known?.quota === undefined ? {} : { quota: known.quota };
          enter(self, { type: 'walk.begun', isCurrent, isSuperseded, totalMessages, ...own, atMs: now() });
        }),
      lookUp: ({ self, enter }: CallOf<'merkle-walk'>, { hashes }: { hashes: readonly Hash[] }) =>
        inStore({ self, enter }, () => {
          const statuses = store.statusOf(hashes);
          const found = hashes.flatMap((hash, index): LookedUp[] => {
            const status = statuses[index] ?? 'missing';
            if (status === 'missing') return [];
            const value = status === 'partial' ? store.getNode(hash) : undefined;
            return [value === undefined ? { hash } : { hash, value }];
          });
          enter(self, { type: 'nodes.lookedUp', found });
        }),
      keepNodes: (call: CallOf<'merkle-walk'>, { nodes }: { nodes: readonly ReceivedNode[] }) =>
        inStore(call, () => buffer.add(nodes)),
      adoptTree: async ({ self, enter }: CallOf<'merkle-walk'>, { name, root, ...rest }: AdoptParams) => {
        try {
          buffer.flush();
          const input = { feed: name, root, ...rest, nowMs: wallNow() };
          let adoption = store.adopt(input);
          while (adoption.status === 'underway') {
            await nextTurn(wallClock);
            // The peer was closed, and so may be the store: the next walk goes on.
            if (self.getSnapshot().status !== 'active') return;
            adoption = store.adopt(input);
          }
          if (adoption.status !== 'incomplete' && adoption.status !== 'withdraws') store.endWalk(name);
          enter(self, { type: 'tree.adopted', adoption, atMs: now() });
          if (adoption.status !== 'adopted') return;
          if (adoption.added.length > 0) {
            const messages = store.messagesWith(adoption.added).map((kept) => toMessage(kept, wallNow()));
            tell({ type: 'messages.received', peer: name, hashes: adoption.added, messages });
          }
          if (adoption.wentBack) tell({ type: 'history.wentBack', name, root });
        } catch (error) {
          enter(self, { type: 'adoption.failed', failure: brokenDown(name, error) });
        }
      },
    }),
  });

  const peer = peerMachine.provide({
    actors: { socket, directoryClient, outgoingSession, incomingSession, merkleWalk, addressProof },
    actions: gate.effects({
      sendSigned,
      carryOutWish: carryOutWishes({ name: ownName, store, time: clock, clock: wallClock }),
      publishDue: publishDue({ name: ownName, store, clock: wallClock }),
      sealRoot: async ({ self, enter }: CallOf<'peer'>, { root }: { root: Hash }) => {
        const bytes = await seal({ type: 'Root', id: 0, hash: root });
        if (bytes !== undefined) enter(self, { type: 'root.sealed', bytes });
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
          const changes = await http.changes(cursor);
          const atMs = now();
          if (changes === undefined) enter(self, { type: 'cursor.unavailable', atMs });
          else if (changes.isExpired) enter(self, { type: 'cursor.issued', cursor: changes.cursor, atMs });
          else
            enter(self, { type: 'presence.changed', ...among(names, changes, reached), cursor: changes.cursor, atMs });
        } catch {
          enter(self, { type: 'presence.failed' });
        }
      },
      compareRoot: ({ self, enter }: CallOf<'peer'>, { name, root, authenticated, atMs }: SeenRoot) => {
        if (isCurrent(name, root)) return;
        if (authenticated) enter(self, { type: 'announcement.verified', name, root, valid: true, atMs });
        else enter(self, { type: 'sync.wanted', name, atMs });
      },
      verifyAnnouncement: async ({ self, enter }: CallOf<'peer'>, params: AnnouncementParams) => {
        const { name, root, atMs } = params;
        if (isCurrent(name, root)) return;
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

type BeginParams = { name: string; root: Hash; authenticated: boolean; quota: number };
type AdoptParams = BeginParams & { mayWithdraw: boolean };
type HabitParams = { address: SocketAddress; key: PublicKey | undefined; noFlags: boolean };
type ReadParams = { requests: readonly NodeRequest[]; name: string };
type ServeParams = { requests: readonly BulkRequest[]; to: SocketAddress; socket: SocketRef };
type AnnouncementParams = Omit<VerifyParams, 'id'> & { name: string; root: Hash; atMs: number };
