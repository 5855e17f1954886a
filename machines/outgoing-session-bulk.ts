/** What an outgoing session does about bulk (protocol §10.1): whether it is in force, what it asks for, and what comes of that. */
import { assertEvent } from 'xstate';
import { BULK_FLAG } from '../src/wire/bulk.ts';
import { type SocketAddress, sameAddress } from '../src/wire/socket-address.ts';
import { hashesIn, type Wanted } from './bulk-answer.ts';
import { type Failure, socketFor } from './events.ts';
import {
  type Bulk,
  costOf,
  failureOf,
  type Gathered,
  gatherHarvest,
  isBulkInForce,
  type OutgoingSessionContext,
  orderFor,
} from './outgoing-session-context.ts';
import { withPace } from './outgoing-session-pace.ts';
import { send } from './outgoing-session-requests.ts';
import { base, type Enqueueing } from './outgoing-session-setup.ts';
import { afterNodes } from './path.ts';
import { gapUs, queued } from './path-allowance.ts';
import { opened } from './path-controller.ts';
import type { PathController } from './path-state.ts';
import type { RequestEnded, Requester } from './request-context.ts';
import { giveBack } from './slots.ts';
import { limits } from './timing.ts';

/** What the peer's latest Hello from there says; that the extension has failed in this session is not forgotten. */
function learned(
  { bulk, flags: own }: OutgoingSessionContext,
  hello: { readonly address: SocketAddress; readonly flags: number; readonly id: number },
): Bulk | undefined {
  if ((own & hello.flags & BULK_FLAG) === 0) return undefined;
  const former =
    bulk !== undefined && sameAddress(bulk.address, hello.address) ? bulk : { refusals: 0, silences: 0, isOff: false };
  return { ...former, address: hello.address, proof: hello.id };
}

/** What a GetNodes that is over says of the extension. */
function judged(bulk: Bulk, { outcome }: RequestEnded): Bulk {
  switch (outcome.kind) {
    case 'served':
      // Whoever serves nothing may as well be silent.
      return { ...bulk, refusals: 0, silences: outcome.hasServed ? 0 : bulk.silences + 1 };
    case 'refused':
      return { ...bulk, refusals: bulk.refusals + 1, isOff: bulk.isOff || bulk.refusals + 1 >= limits.bulkRefusals };
    case 'unanswered':
      return { ...bulk, silences: bulk.silences + 1 };
    default:
      return bulk;
  }
}

function returnBulk({ context, event, enqueue }: Enqueueing): void {
  assertEvent(event, 'bulk.wanted');
  const freed = event.requests.reduce((sum, { grant }) => sum + grant, 0);
  const single = event.requests.flatMap(({ wanted }) => wanted.flatMap(hashesIn));
  const cost = { ...costOf(context, 0, 0, freed), isBulk: false };
  const atMs = event.atMs ?? context.atMs ?? 0;
  enqueue.sendTo(event.requester, { type: 'nodes.received', nodes: [], unserved: [], single, ...cost, atMs });
}

export const withBulk = withPace.extend({
  actions: {
    learnFlags: base.assign(({ context, event }) => {
      assertEvent(event, 'flags.learned');
      return event.key === context.key ? { bulk: learned(context, event) } : {};
    }),

    /** A GetNodes for each of these, or nothing if that is not in force any more. */
    askBulk: base.enqueueActions((args) => {
      const { context, event, enqueue } = args;
      assertEvent(event, 'bulk.wanted');
      const { path, bulk } = context;
      const socket = path && socketFor(context.sockets, path.address);
      if (!isBulkInForce(context) || bulk === undefined || path === undefined || socket === undefined) {
        returnBulk(args);
        return;
      }
      const to = path.address;
      const { proof } = bulk;
      // Whoever has extensions need not be tried with few requests first.
      let controller: PathController = { ...path.controller, firstWindow: limits.initialWindow };
      const gap = gapUs(controller);
      const atMs = Math.max(event.atMs ?? context.atMs ?? 0, controller.rate.deliveredAtMs);
      let { requests } = context;
      for (const { wanted, grant } of event.requests) {
        const question = { type: 'GetNodes', proof, gap, grant, wanted } as const;
        // It accepts what comes of this question.
        const requester = event.requester as Requester;
        const order = orderFor(context, { question, to, socket, requester, maxSends: limits.bulkSends });
        const { slot, slots } = send(args, requests, order);
        requests = slots;
        controller = queued(opened(controller, { id: slot, grant, atMs }), grant, atMs);
      }
      enqueue.assign({ requests, path: { ...path, controller } });
    }),

    /** Not asked: whoever wants these nodes asks for them one by one. */
    returnBulkWanted: base.enqueueActions(returnBulk),

    noteProgress: base.assign(({ context, event }) => {
      assertEvent(event, 'request.progressed');
      const { path, bulk } = context;
      const isHere = path !== undefined && sameAddress(path.address, event.order.to);
      return {
        atMs: event.atMs,
        path: isHere ? afterNodes(path, event) : path,
        bulk: bulk && event.harvest.nodes.length > 0 ? { ...bulk, refusals: 0, silences: 0 } : bulk,
        gathered: gatherHarvest(context.gathered, event, event),
      };
    }),

    freeSlot: base.assign(({ context, event }) => {
      assertEvent(event, 'request.released');
      return { requests: giveBack(context.requests, event.slot) };
    }),

    judgeBulk: base.assign(({ context, event }) => {
      assertEvent(event, 'request.ended');
      return { bulk: context.bulk && judged(context.bulk, event) };
    }),

    /** A GetNodes is over. What came of it in this turn waits for the end of the turn; what no datagram brought is told at once. */
    passOnBulk: base.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'request.ended');
      const { order, outcome, sends, freed, atMs } = event;
      const { requester, question } = order;
      if (requester === undefined || question.type !== 'GetNodes') return;
      const isServed = outcome.kind === 'served';
      const isThere = context.path !== undefined;
      if (isServed) {
        const { harvest } = outcome;
        const unserved = isThere ? outcome.unserved : [];
        if (atMs !== undefined)
          enqueue.assign({ gathered: gatherHarvest(context.gathered, event, { harvest, unserved }) });
        else tellUnserved({ unserved, single: harvest.single, isBulk: isBulkInForce(context) });
        if (!isThere && outcome.unserved.length > 0) tellFailed(outcome.unserved, GONE, 0);
      } else if (isThere) {
        // What a GetNodes did not bring, single requests may.
        tellUnserved({ unserved: [], single: question.wanted.flatMap(hashesIn), isBulk: false });
      } else tellFailed(question.wanted, failureOf(event, context.name), freed);

      function tellUnserved(left: Pick<Gathered, 'unserved' | 'single'> & { readonly isBulk: boolean }): void {
        const cost = costOf(context, order.sentBefore + sends, 1, freed);
        const now = atMs ?? context.atMs ?? 0;
        enqueue.sendTo(requester as Requester, { type: 'nodes.received', nodes: [], ...cost, ...left, atMs: now });
      }

      function tellFailed(wanted: readonly Wanted[], failure: Failure, given: number): void {
        const hashes = wanted.flatMap(hashesIn);
        const cost = costOf(context, given === 0 ? 0 : order.sentBefore + sends, given === 0 ? 0 : 1, given);
        enqueue.sendTo(requester as Requester, {
          type: 'nodes.failed',
          hashes,
          ticket: 0,
          failure,
          isFinal: true,
          ...cost,
        });
      }
    }),
  },
});

const GONE: Failure = {
  code: 'peer-unreachable',
  message: 'the session ended while nodes were under way; try again later',
};
