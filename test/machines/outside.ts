/**
 * Machines as an outsider sees them: real ones, with effects that are done at once or only noted, on a virtual clock. What an
 * actor sends goes through a real socket actor as bytes, and what others send comes in the same way.
 */
import { type AnyActorRef, type AnyMachineSnapshot, createActor, type EventObject, fromCallback } from 'xstate';
import { requestMachine } from '../../machines/request.machine.ts';
import { socketMachine } from '../../machines/socket.machine.ts';
import { STRANGERS_OF_PEER } from '../../machines/stranger-budget.ts';
import { stateText } from '../../src/runtime/actor-tree.ts';
import { VirtualClock } from '../../src/simulation/virtual-clock.ts';
import { appendSignature, type Datagram, decodeDatagram, encodeDatagram } from '../../src/wire/datagram.ts';
import type { SocketAddress } from '../../src/wire/socket-address.ts';

export interface Sent {
  /** Since the beginning. */
  readonly atMs: number;
  readonly to: SocketAddress;
  readonly datagram: Datagram;
  readonly isSigned: boolean;
}

/** Of the right key, of another one, or none. */
export type Signed = 'signed' | 'forged' | 'unsigned';

const LOCAL: SocketAddress = { ip: '0.0.0.0', port: 4_000 };

export const signature = new Uint8Array(64).fill(1);
const forgery = new Uint8Array(64).fill(2);

export function isGenuine(bytes: Uint8Array): boolean {
  return bytes[0] === signature[0];
}

export class Outside {
  readonly clock = new VirtualClock();
  /** All datagrams that went out. */
  readonly sent: Sent[] = [];
  /** What actors that are nobody were told, as "WHO: EVENT". */
  readonly told: string[] = [];
  /** The same with the whole event. */
  readonly events: { readonly to: string; readonly event: EventObject & Record<string, unknown> }[] = [];
  /** False: signatures wait until a test gives them. */
  signsAtOnce = true;
  /** Sockets that open at once, and note what they send. */
  readonly socketMachine = this.#provideSocket();
  readonly socket = createActor(this.socketMachine, {
    id: 'socket',
    input: { index: 0, bind: LOCAL, owner: this.nobody('peer'), strangers: STRANGERS_OF_PEER },
    clock: this.clock,
  }).start();

  get nowMs(): number {
    return this.clock.now();
  }

  /** Somebody who only takes notes. */
  nobody(id: string) {
    const logic = fromCallback<EventObject>(({ receive }) =>
      receive((event) => {
        this.told.push(`${id}: ${event.type}`);
        this.events.push({ to: id, event });
      }),
    );
    // It accepts whatever the machine under test says.
    return createActor(logic, { id, clock: this.clock }).start() as AnyActorRef as never;
  }

  /** The last event of this type. @throws Error if there was none */
  last(type: string): EventObject & Record<string, unknown> {
    const found = this.events.findLast(({ event }) => event.type === type);
    if (found === undefined) throw new Error(`nobody was told ${type}; they were told: ${this.told.join(', ')}`);
    return found.event;
  }

  /** A request machine that signs and verifies. */
  readonly request = requestMachine.provide({
    actions: {
      sign: ({ self }, { id }) => {
        if (this.signsAtOnce) self.send({ type: 'datagram.signed', id, signature });
      },
      verify: ({ self }, params) =>
        self.send({ type: 'answer.verified', id: params.id, valid: isGenuine(params.signature) }),
    },
  });

  /** States that an actor goes through, none twice in a row. */
  statesOf(actor: AnyActorRef): string[] {
    const states: string[] = [];
    const note = (snapshot: AnyMachineSnapshot) => {
      const state = stateText(snapshot.value);
      if (states.at(-1) !== state) states.push(state);
    };
    actor.subscribe(note);
    return states;
  }

  /** A datagram comes in. */
  receive(
    from: SocketAddress,
    datagram: Datagram,
    signed: Signed = 'unsigned',
    socket: AnyActorRef = this.socket,
  ): void {
    const plain = encodeDatagram(datagram);
    const bytes = signed === 'unsigned' ? plain : appendSignature(plain, signed === 'signed' ? signature : forgery);
    socket.send({ type: 'datagrams.received', arrivals: [{ bytes, from }], atMs: this.nowMs });
  }

  sentOf<T extends Datagram['type']>(type: T): (Sent & { readonly datagram: Datagram & { readonly type: T } })[] {
    return this.sent.filter(({ datagram }) => datagram.type === type) as never;
  }

  /** Where datagrams of this type went, and when. */
  whereTo(type: Datagram['type']): (readonly [string, number])[] {
    return this.sentOf(type).map(({ to, atMs }) => [to.ip, atMs] as const);
  }

  #provideSocket() {
    return socketMachine.provide({
      actions: {
        openSocket: ({ self }, { bind }) => self.send({ type: 'socket.opened', address: bind }),
        closeSocket: () => {},
        transmit: (_, { datagrams, to }) => {
          for (const bytes of datagrams) this.#note(bytes, to);
        },
      },
    });
  }

  #note(bytes: Uint8Array, to: SocketAddress): void {
    const decoded = decodeDatagram(bytes);
    if (!decoded.ok) throw new Error(`a malformed datagram went out: ${decoded.why}`);
    const { datagram, signature: signed } = decoded.value;
    this.sent.push({ atMs: this.clock.elapsedMs, to, datagram, isSigned: signed !== undefined });
  }
}
