/**
 * Proves that whoever said Hello really is at its source address (protocol §5): only a Hello of ours that is answered from
 * there, under the expected name and key, shows that the address was not forged.
 */

import { assertEvent, setup } from 'xstate';
import type { PublicKey } from '../src/identity/public-key.ts';
import type { SocketAddress } from '../src/wire/socket-address.ts';
import { actorId } from './actor-ids.ts';
import type { Random } from './effects.ts';
import type { AnswersDelivered } from './events.ts';
import type { RefFor } from './messages.ts';
import { requestMachine } from './request.machine.ts';
import type { RequestEnded, RequestProgressed, RequestReleased, RequestStalled } from './request-context.ts';
import { timing } from './timing.ts';

export interface AddressProofInput {
  readonly address: SocketAddress;
  /** The name the other side gave; its HelloReply must carry it. */
  readonly name: string;
  readonly key: PublicKey | undefined;
  readonly ownName: string;
  readonly socket: RefFor<'request', 'socket'>;
  readonly random: Random;
  /** Of our Hello: the extensions that we have. */
  readonly flags: number;
  /** Sends of our Hello: no more than the bytes received entitle to. */
  readonly maxSends: number;
  readonly atMs: number;
}

export interface AddressProofOutput {
  readonly proven: boolean;
  readonly address: SocketAddress;
  readonly name: string;
  readonly key: PublicKey | undefined;
  /** Ids of our Hello, once it was answered. Bounded: three. */
  readonly provenBy: readonly number[];
  /** Our Hello was answered only when it announced no extension. */
  readonly isBare: boolean;
  /** Of the HelloReply. */
  readonly flags: number;
  /** When the answer came, Unix ms. */
  readonly atMs: number;
  /** From the Hello that asked for the proof to the answer to ours, if that was sent once. */
  readonly roundTripMs?: number | undefined;
}

export type AddressProofEvent =
  | RequestEnded
  | RequestProgressed
  | RequestReleased
  | RequestStalled
  | AnswersDelivered
  /** Further datagrams from there have paid for another send. */
  | { readonly type: 'hello.overtaken' };

export interface AddressProofContext extends AddressProofInput {
  readonly provenAtMs: number | undefined;
  readonly roundTripMs: number | undefined;
  readonly provenBy: readonly number[];
  readonly isBare: boolean;
  readonly replyFlags: number;
}

const base = setup({
  types: {
    context: {} as AddressProofContext,
    events: {} as AddressProofEvent,
    input: {} as AddressProofInput,
    output: {} as AddressProofOutput,
  },
  actors: { request: requestMachine },
  guards: {
    isAnswered: ({ event }) => {
      assertEvent(event, 'request.ended');
      return event.outcome.kind === 'answered';
    },
  },
});

const addressProofSetup = base.extend({
  actions: {
    sendHello: base.enqueueActions(({ context, enqueue, self }) => {
      const { address, name, key, ownName, socket, random, flags, maxSends, atMs } = context;
      enqueue.spawnChild('request', { id: actorId.request(0), input: { slot: 0, owner: self, random } });
      enqueue.sendTo<RefFor<'address-proof', 'request'>>(actorId.request(0), {
        type: 'request.open',
        order: {
          question: { type: 'Hello', flags, name: ownName },
          to: address,
          answerKey: key,
          answerName: name,
          firstTimeoutMs: maxSends > 1 ? timing.helloTimeout : timing.lonelyHelloTimeout,
          roundTripMs: undefined,
          maxSends,
          socket,
          zeroEndingIds: false,
          requester: undefined,
          ticket: 0,
          sentBefore: 0,
          heard: 0,
        },
        atMs,
      });
    }),

    repeatHello: base.sendTo<RefFor<'address-proof', 'request'>>(actorId.request(0), {
      type: 'request.overtaken',
    }),

    noteProof: base.assign(({ context, event }) => {
      assertEvent(event, 'request.ended');
      const { outcome } = event;
      const provenBy = outcome.kind === 'answered' ? outcome.ids : [];
      const isReply = outcome.kind === 'answered' && outcome.answer.type === 'HelloReply';
      const replyFlags = isReply ? outcome.answer.flags : 0;
      const { atMs = context.atMs, sends } = event;
      const isBare = outcome.kind === 'answered' && outcome.form === 'bare';
      return {
        provenAtMs: atMs,
        provenBy,
        isBare,
        replyFlags,
        roundTripMs: sends === 1 ? atMs - context.atMs : undefined,
      };
    }),
  },
});

export const addressProofMachine = addressProofSetup.createMachine({
  id: 'address-proof',
  description: 'Proves by a Hello of our own that a source address is not forged (protocol §5).',
  context: ({ input }) => ({
    ...input,
    provenAtMs: undefined,
    roundTripMs: undefined,
    provenBy: [],
    isBare: false,
    replyFlags: 0,
  }),
  output: ({ context: { address, name, key, provenBy, isBare, replyFlags, provenAtMs, roundTripMs, atMs } }) => ({
    proven: provenAtMs !== undefined,
    address,
    name,
    key,
    provenBy,
    isBare,
    flags: replyFlags,
    atMs: provenAtMs ?? atMs,
    roundTripMs,
  }),
  initial: 'greeting',
  states: {
    greeting: {
      description: 'Our Hello is on its way to the address that is to be proven.',
      entry: 'sendHello',
      on: {
        'request.ended': [{ guard: 'isAnswered', target: 'proven', actions: 'noteProof' }, { target: 'unproven' }],
        'hello.overtaken': { actions: 'repeatHello' },
        'request.stalled': { description: 'It is about this address and no other, so the Hello goes on.' },
      },
    },
    proven: {
      type: 'final',
      description: 'The Hello was answered under the right name and key.',
    },
    unproven: {
      type: 'final',
      description: 'No answer, or a refusal: nothing large is sent there.',
    },
  },
});
