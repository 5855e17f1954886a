/** Our session with alice as an outsider sees it, and what comes to it from others. */
import { createActor } from 'xstate';
import type { Located } from '../../machines/events.ts';
import { outgoingSessionMachine } from '../../machines/outgoing-session.machine.ts';
import type { OutgoingSessionEvent } from '../../machines/outgoing-session-context.ts';
import type { PublicKey } from '../../src/identity/public-key.ts';
import { seededRandom } from '../../src/simulation/seeded-random.ts';
import { BULK_FLAG } from '../../src/wire/bulk.ts';
import { type Hash, hashOf } from '../../src/wire/hash.ts';
import { type SocketAddress, sameAddress } from '../../src/wire/socket-address.ts';
import { Outside, type Signed } from './outside.ts';

/** One of alice's addresses. */
export const at = (last: number): SocketAddress => ({ ip: `192.0.2.${last}`, port: 1 });
export const key: PublicKey = 'key';
/** Of alice's tree. */
export const root = hashOf(Uint8Array.of(2, 7));
export const LOOK_UP = 'directory: where is alice?';

type Asked = 'Hello' | 'RootRequest' | 'GetDatum';

export class SeenSession {
  readonly outside = new Outside();
  readonly session;
  readonly states: string[];

  constructor(located?: Located, name = 'alice') {
    const { outside } = this;
    const machine = outgoingSessionMachine.provide({
      actors: { request: outside.request },
      actions: {
        locatePeer: (_, params) => outside.told.push(`directory: where is ${params.name}?`),
        recallTrust: () => {},
        rememberHabit: (_, params) => outside.told.push(`store: ${params.address.ip} needs ids that end in zero`),
      },
    });
    this.session = createActor(machine, {
      id: 'outgoing-session.alice',
      clock: outside.clock,
      input: {
        id: 'outgoing-session.alice',
        name,
        ownName: 'bob',
        owner: outside.nobody('peer'),
        random: seededRandom(1),
        flags: BULK_FLAG,
        sockets: { ipv4: outside.socket },
        located,
        nameKnown: true,
      },
    });
    this.states = outside.statesOf(this.session);
    this.session.start();
    outside.told.length = 0;
  }

  send(event: OutgoingSessionEvent): void {
    this.session.send(event);
  }

  open(): void {
    this.send({ type: 'session.open', waiter: this.outside.nobody('walk'), atMs: this.outside.nowMs });
  }

  locate(...addresses: SocketAddress[]): void {
    this.send({ type: 'peer.located', addresses, key, atMs: this.outside.nowMs });
  }

  adopt(address: SocketAddress, under: PublicKey | undefined = key): void {
    this.send({ type: 'session.adopt', address, key: under, atMs: this.outside.nowMs });
  }

  wantRoot(): void {
    this.send({ type: 'root.wanted', requester: this.outside.nobody('walk'), atMs: this.outside.nowMs });
  }

  wantNodes(...hashes: Hash[]): void {
    const requester = this.outside.nobody('walk');
    this.send({ type: 'nodes.wanted', hashes, requester, ticket: 5, atMs: this.outside.nowMs });
  }

  idsTo(type: Asked, address: SocketAddress): number[] {
    return this.outside.sentOf(type).flatMap(({ to, datagram }) => (sameAddress(to, address) ? [datagram.id] : []));
  }

  lastTo(type: Asked, address: SocketAddress): number {
    return this.idsTo(type, address).at(-1) as number;
  }

  replyFrom(address: SocketAddress, signed: Signed = 'signed', name = 'alice'): void {
    this.outside.receive(address, { type: 'HelloReply', id: this.lastTo('Hello', address), flags: 0, name }, signed);
  }

  answerRootFrom(address: SocketAddress): void {
    this.outside.receive(address, { type: 'Root', id: this.lastTo('RootRequest', address), hash: root }, 'signed');
  }

  refuseFrom(address: SocketAddress): void {
    this.outside.receive(address, { type: 'Error', id: this.lastTo('RootRequest', address), text: 'no session' });
  }

  /** In session over the address 1, whose answers take half a second. */
  async establish(): Promise<void> {
    this.open();
    this.locate(at(1));
    await this.outside.clock.advance(500);
    this.replyFrom(at(1));
    this.outside.told.length = 0;
  }
}
