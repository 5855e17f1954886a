/** A peer as its children and listeners see it: they only take notes. `begin` makes another one of it. */
import { type Actor, createActor, type EventObject, fromCallback } from 'xstate';
import { actorId } from '../../machines/actor-ids.ts';
import type { Search } from '../../machines/path-checks.machine.ts';
import { peerMachine } from '../../machines/peer.machine.ts';
import type { PeerInput } from '../../machines/peer-context.ts';
import type { PeerEvent, PeerFact } from '../../machines/peer-events.ts';
import { limits } from '../../machines/timing.ts';
import { seededRandom } from '../../src/simulation/seeded-random.ts';
import type { Datagram } from '../../src/wire/datagram.ts';
import { type Hash, hashOf, ZERO_HASH } from '../../src/wire/hash.ts';
import { formatAddress } from '../../src/wire/socket-address.ts';
import { Outside } from './outside.ts';

export const own = { ip: '10.0.0.7', port: 4_000 };
const directory = { ip: '192.0.2.9', port: 1_194 };
export const at = (last: number, port = 1) => ({ ip: `192.0.2.${last}`, port });
export const root = (n: number) => hashOf(Uint8Array.of(n));
export const failure = { code: 'unexpected', message: 'no' } as const;
const signature = new Uint8Array(64).fill(1);

export let outside: Outside;
export let peer: Actor<typeof peerMachine>;
/** What children were told and effects were asked for, "WHO: WHAT"; what the peer emitted, "! FACT". */
let notes: string[];
export let facts: PeerFact[];

export function begin(input: Partial<PeerInput> = {}): void {
  outside = new Outside();
  notes = [];
  facts = [];
  const child = fromCallback<EventObject & { readonly root?: Hash; readonly searches?: readonly Search[] }>(
    ({ receive, self }) =>
      receive(({ type, root: hash, searches = [] }) => {
        const news = type === 'root.changed' ? ` ${hash ?? 'nothing'}` : '';
        const where = searches.map(({ name, to }) => ` ${name} at ${formatAddress(to)}`).join(',');
        notes.push(`${self.id}: ${type}${news}${where}`);
      }),
  );
  const note = (what: string) => () => void notes.push(what);
  const machine = peerMachine.provide({
    actors: {
      socket: child,
      directoryClient: child,
      outgoingSession: child,
      incomingSession: child,
      merkleWalk: child,
      historyCheck: child,
      addressProof: child,
      ping: child,
      pathChecks: child,
    } as never,
    actions: {
      sealRoot: (_, params) => notes.push(`sign: ${params.root}`),
      compareRoot: (_, params) => notes.push(`compare: ${params.name} ${params.root}`),
      verifyAnnouncement: (_, params) => notes.push(`verify: ${params.name} ${params.root}`),
      carryOutWish: (_, { wish }) => notes.push(`store: ${wish.type}`),
      publishDue: note('store: publish what is due'),
      forgetConnections: note('forget connections'),
      sendSigned: note('sign and send'),
      sealKeepAlive: note('sign: keep-alive'),
      rememberAddress: note('store: address'),
      rememberReader: note('store: reader'),
      lookForPeers: note('directory: where?'),
      askForChanges: note('directory: what has changed?'),
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
  peer.on('*', (fact) => {
    facts.push(fact);
    notes.push(`! ${fact.type}`);
  });
  peer.start();
}

export const send = (event: PeerEvent) => peer.send(event);
export const ready = (index = 0) => send({ type: 'socket.ready', index, address: own, socket: outside.socket });
export const known = () => send({ type: 'directory.known', addresses: [directory], key: 'key', atMs: outside.nowMs });
export const list = (...addresses: (typeof own)[]) =>
  send({ type: 'registration.listed', addresses, wasUnheard: false, atMs: outside.nowMs });
export const sweep = (laterMs = 0) => send({ type: 'sweep', atMs: outside.nowMs + laterMs });
export const told = () => [...notes];
export function toldBy(work: () => void): string[] {
  notes.length = 0;
  work();
  return told();
}
export const children = (prefix: string) =>
  Object.keys(peer.getSnapshot().children).filter((id) => id.startsWith(prefix));
export function establish(name: string, address = at(1)): void {
  send({ type: 'session.wanted', name, requester: outside.nobody('walk'), atMs: outside.nowMs });
  const session = actorId.outgoingSession(name);
  send({ type: 'session.established', session, name, address, key: 'key', provenBy: [7], atMs: outside.nowMs });
}
export const asked = (
  from: typeof own,
  datagram: Datagram,
  type: 'stranger.asked' | 'datagram.unsolicited',
  sign = true,
) =>
  send({
    type,
    received: { datagram, signed: new Uint8Array(7), ...(sign && { signature }) },
    from,
    size: 80,
    atMs: outside.nowMs,
    socket: outside.socket,
  });
export const hello = (from: typeof own, name = 'alice') =>
  asked(from, { type: 'Hello', id: 7, flags: 0, name }, 'stranger.asked');
export function accept(from: typeof own, name: string): void {
  hello(from, name);
  send({ type: 'session.accepted', name, address: from, key: 'key', proven: true, atMs: outside.nowMs });
}
export const broken = (actor: string) =>
  send({ type: `xstate.error.actor.${actor}`, actorId: actor, error: new Error('a fault') } as never);
export const done = (actor: string, output: object) =>
  send({ type: `xstate.done.actor.${actor}`, actorId: actor, output } as never);
