/**
 * The effects that peers and directories share: sockets and signatures. What comes of them enters through the gate.
 */
import { addressProofMachine } from '../../machines/address-proof.machine.ts';
import type { Outside, RefFor, SocketRef } from '../../machines/messages.ts';
import { requestMachine } from '../../machines/request.machine.ts';
import { socketMachine } from '../../machines/socket.machine.ts';
import type { PublicKey } from '../identity/public-key.ts';
import { appendSignature, type Datagram, encodeDatagram } from '../wire/datagram.ts';
import { failureFrom } from '../wire/murmure-error.ts';
import type { SocketAddress } from '../wire/socket-address.ts';
import { BoundedQueue } from './bounded-queue.ts';
import type { Clock } from './clock.ts';
import type { Call, Gate } from './gate.ts';
import type { SocketBank } from './socket-bank.ts';

export type Sign = (message: Uint8Array) => Promise<Uint8Array>;
export type Verify = (key: PublicKey, message: Uint8Array, signature: Uint8Array) => Promise<boolean>;

/** From an actor of a kind: what it may hear from an effect is checked. */
export type CallOf<TKind extends keyof Outside> = Call<RefFor<'outside', TKind>>;

export interface VerifyParams {
  readonly id: number;
  readonly key: PublicKey;
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

export interface SendSignedParams {
  readonly datagram: Datagram;
  readonly to: SocketAddress;
  readonly socket: SocketRef;
}

export interface SharedDependencies {
  readonly sockets: SocketBank;
  readonly clock: Clock;
  readonly gate: Gate;
  readonly sign: Sign;
  readonly verify: Verify;
}

export type SharedEffects = ReturnType<typeof shareEffects>;

export function shareEffects({ sockets, clock, gate, sign, verify }: SharedDependencies) {
  /** Verifications run off the thread; a flood of Hellos waits here, or is dropped (protocol §9). */
  const verifications = new BoundedQueue({ concurrency: 32, capacity: 512 });
  const isGenuine = async ({ key, signed, signature }: Omit<VerifyParams, 'id'>): Promise<boolean> => {
    try {
      return (await verifications.run(() => verify(key, signed, signature))) ?? false;
    } catch {
      return false;
    }
  };

  /** Undefined if it could not be signed: nobody waits for what is sent unasked, and an answer is asked for again. */
  const sealBytes = async (bytes: Uint8Array): Promise<Uint8Array | undefined> => {
    try {
      return appendSignature(bytes, await sign(bytes));
    } catch {
      return undefined;
    }
  };
  const seal = (datagram: Datagram) => sealBytes(encodeDatagram(datagram));

  /** Answers to a flood wait here as well; those for which there is no place are asked for again. */
  const signatures = new BoundedQueue({ concurrency: 32, capacity: 512 });
  const sendSigned = async ({ enter }: Call, { datagram, to, socket }: SendSignedParams): Promise<void> => {
    const bytes = await signatures.run(() => seal(datagram));
    if (bytes !== undefined) enter(socket, { type: 'datagrams.send', datagrams: [bytes], to });
  };

  const request = requestMachine.provide({
    actions: gate.effects({
      sign: async ({ self, enter }: CallOf<'request'>, { id, bytes }: { id: number; bytes: Uint8Array }) => {
        try {
          enter(self, { type: 'datagram.signed', id, signature: await sign(bytes) });
        } catch (error) {
          enter(self, { type: 'send.failed', why: `our signature could not be made: ${failureFrom(error).message}` });
        }
      },
      verify: async ({ self, enter }: CallOf<'request'>, params: VerifyParams) => {
        enter(self, { type: 'answer.verified', id: params.id, valid: await isGenuine(params) });
      },
    }),
  });

  const addressProof = addressProofMachine.provide({ actors: { request } });

  const socket = socketMachine.provide({
    actions: gate.effects({
      openSocket: ({ self, enter }: CallOf<'socket'>, { bind }: { bind: SocketAddress }) =>
        void sockets.open(self.id, bind, {
          onOpen: (address, receiveBufferBytes) =>
            enter(self, {
              type: 'socket.opened',
              address,
              ...(receiveBufferBytes === undefined ? {} : { receiveBufferBytes }),
            }),
          onFailure: (why) => enter(self, { type: 'socket.failed', why }),
          onTrouble: (why, refused) =>
            gate.submit(
              self,
              refused === undefined
                ? { type: 'datagrams.dropped', why: 'could not be sent', count: 1 }
                : { type: 'datagrams.refused', to: refused, why },
            ),
          onArrivals: (arrivals) => gate.submit(self, { type: 'datagrams.received', arrivals, atMs: clock.now() }),
        }),
      closeSocket: ({ self }: CallOf<'socket'>) => sockets.close(self.id),
      transmit: (
        { self }: CallOf<'socket'>,
        { datagrams, to }: { datagrams: readonly Uint8Array[]; to: SocketAddress },
      ) => {
        for (const bytes of datagrams) {
          gate.sending(bytes, to);
          sockets.send(self.id, bytes, to);
        }
      },
    }),
  });

  return { isGenuine, sealBytes, seal, sendSigned, request, addressProof, socket };
}
