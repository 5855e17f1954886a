/** A registered peer whose children and effects only take notes of what they are told. `begin` makes another one of it. */
import { type Actor, createActor, type EventObject, fromCallback } from 'xstate';
import { actorId } from '../../machines/actor-ids.ts';
import { peerMachine } from '../../machines/peer.machine.ts';
import type { PeerInput } from '../../machines/peer-context.ts';
import type { PeerEvent } from '../../machines/peer-events.ts';
import { limits } from '../../machines/timing.ts';
import { seededRandom } from '../../src/simulation/seeded-random.ts';
import { ZERO_HASH } from '../../src/wire/hash.ts';
import { Outside } from './outside.ts';

export const directory = { ip: '192.0.2.9', port: 1194 };
export const own = { ip: '10.0.0.7', port: 4_000 };
export const outer = { ip: '198.51.100.7', port: 4_000 };
export const at = (last: number) => ({ ip: `192.0.2.${last}`, port: 1 });
export const bytes = new Uint8Array(103);
/** Asked over UDP whether it still knows us. */
export const DOUBT = 'directory-client: directory.doubted';

export let outside: Outside;
export let peer: Actor<typeof peerMachine>;
/** What children were told and effects were asked for: "WHO: WHAT". */
export let told: string[];

export function begin(input: Partial<PeerInput> = {}): void {
  outside = new Outside();
  told = [];
  const child = fromCallback<EventObject>(({ receive, self }) =>
    receive(({ type }) => {
      if (type !== 'sweep' && type !== 'sockets.changed') told.push(`${self.id}: ${type}`);
    }),
  );
  const note = (what: string) => () => void told.push(what);
  const machine = peerMachine.provide({
    actors: {
      socket: child,
      directoryClient: child,
      outgoingSession: child,
      incomingSession: child,
      merkleWalk: child,
      historyCheck: child,
      ping: child,
    } as never,
    actions: {
      sendSigned: note('sign and send'),
      sealRoot: note('sign: Root'),
      sealKeepAlive: note('sign: HelloReply'),
      verifyAnnouncement: note('verify'),
      forgetConnections: note('directory: close connections'),
      rememberAddress: () => {},
      rememberReader: (_, { name }) => told.push(`store: ${name} reads`),
      lookForPeers: (_, { names }) => told.push(`directory: where are ${names.join(', ')}?`),
      askForChanges: (_, { cursor }) => told.push(`directory: what has changed since "${cursor}"?`),
    },
  });
  const rest = { name: 'bob', random: seededRandom(1), root: ZERO_HASH, binds: [], following: [], register: true };
  peer = createActor(machine, {
    id: 'peer',
    clock: outside.clock,
    input: {
      ...rest,
      quota: limits.messageQuota,
      formerReaders: [],
      guardedKey: undefined,
      history: undefined,
      flags: 0,
      ...input,
    },
  });
  peer.start();
  send({ type: 'socket.ready', index: 0, address: own, socket: outside.socket });
  send({ type: 'network.changed', why: 'start', localIps: [own.ip], atMs: outside.nowMs });
  send({ type: 'directory.known', addresses: [directory], key: 'key', atMs: outside.nowMs });
  told.length = 0;
}

export const send = (event: PeerEvent) => peer.send(event);
export function toldBy(work: () => void): string[] {
  told.length = 0;
  work();
  return [...told];
}
export function establish(name: string, address = at(1)): void {
  send({ type: 'session.wanted', name, requester: outside.nobody('walk'), atMs: outside.nowMs });
  const session = actorId.outgoingSession(name);
  send({ type: 'session.established', session, name, address, key: 'key', provenBy: [7], atMs: outside.nowMs });
}
/** As when we register. */
export function establishWithDirectory(): void {
  send({ type: 'directory.greetingWanted', atMs: outside.nowMs });
  const session = actorId.outgoingSessionTo(directory);
  send({
    type: 'session.established',
    session,
    name: '',
    address: directory,
    key: 'key',
    provenBy: [7],
    atMs: outside.nowMs,
  });
}
export const isReading = (name: string, hasNewest: boolean) =>
  send({ type: 'reader.seen', name, hasNewest, atMs: outside.nowMs });
export const seal = () => send({ type: 'root.sealed', root: ZERO_HASH, bytes });
export const sweep = (laterMs = 0) => send({ type: 'sweep', atMs: outside.nowMs + laterMs });
export const issue = (cursor: string) => send({ type: 'cursor.issued', cursor, atMs: outside.nowMs });
export const listed = (addresses: (typeof own)[], wasUnheard: boolean) =>
  send({ type: 'registration.listed', addresses, wasUnheard, atMs: outside.nowMs });
export const list = (...addresses: (typeof own)[]) => listed(addresses, false);
