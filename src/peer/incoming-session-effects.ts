/** The effects of incoming sessions: finding the key of the sender of a Hello, and reading the nodes that it asks for. */

import type { BulkRequest, NodeRequest } from '../../machines/events.ts';
import { incomingSessionMachine } from '../../machines/incoming-session.machine.ts';
import type { NodeRead } from '../../machines/incoming-session-context.ts';
import type { SocketRef } from '../../machines/messages.ts';
import type { PublicKey } from '../identity/public-key.ts';
import { laterTreeNodeOf } from '../merkle/later-tree.ts';
import type { CallOf, SharedEffects, VerifyParams } from '../runtime/shared-effects.ts';
import type { Hash } from '../wire/hash.ts';
import { isValidName } from '../wire/name.ts';
import { formatAddress, type SocketAddress } from '../wire/socket-address.ts';
import { type FoundKey, KeyFinder } from './key-finder.ts';
import { NodeServer } from './node-server.ts';
import type { KnownDirectory, PeerDependencies } from './peer-dependencies.ts';

export function provideIncomingSession(
  { store, http, gate, clock, wallClock }: PeerDependencies,
  { isGenuine, sendSigned, addressProof }: SharedEffects,
  directory: KnownDirectory,
) {
  const wallNow = () => wallClock.now();
  const keys = new KeyFinder({
    pinnedKey: (name) => store.peer(name)?.key,
    pinKey: (name, key) => void store.pinKey(name, key, wallNow()),
    lookUp: (name) => http.peer(name),
    directory: () => directory,
    isValidName,
    monotonicNow: () => clock.monotonicNow(),
  });

  /** A root that its author has replaced is never served: the one who asks may be that author, after a restore (docs/adr/0016). */
  const nodeForOthers = (hash: Hash) => (store.isSuperseded(hash) ? undefined : store.getNode(hash));

  /** Whether we have a later tree of the asking peer than the one it asks about. */
  const nodeForAuthor = (name: string, hash: Hash) =>
    laterTreeNodeOf(hash, name, store.currentRoot(name), (child) => store.getNode(child));

  const nodeServer = new NodeServer({ named: nodeForOthers, children: (hashes) => store.getNodes(hashes) }, wallClock);

  /** The session is told about every failure: it ignores the Hello, and the other side repeats it. */
  const findKey = async (name: string, from: SocketAddress): Promise<FoundKey> => {
    try {
      return await keys.find(name, from);
    } catch {
      return { key: undefined, trusted: false };
    }
  };

  const confirmKey = (name: string, key: PublicKey): void => {
    // The directory's key comes from elsewhere.
    if (name === '') return;
    try {
      keys.confirm(name, key);
    } catch {
      // It could not be stored, for example on a full disk: it will be asked for again.
    }
  };

  return incomingSessionMachine.provide({
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
          // A disk that cannot be read does not mean that we lack the node. No answer is sent, so the request is repeated.
        }
      },
      serveNodes: ({ enter }: CallOf<'incoming-session'>, { requests, to, socket }: ServeParams) =>
        nodeServer.serve(formatAddress(to), requests, (datagrams) =>
          enter(socket, { type: 'datagrams.send', datagrams, to }),
        ),
    }),
  });
}

type ReadParams = { requests: readonly NodeRequest[]; name: string };
type ServeParams = { requests: readonly BulkRequest[]; to: SocketAddress; socket: SocketRef };
