/** What a retransmitted request does, and what it decides by. */
import { assertEvent, setup } from 'xstate';
import type { PublicKey } from '../src/identity/public-key.ts';
import { appendSignature } from '../src/wire/datagram.ts';
import { sameAddress } from '../src/wire/socket-address.ts';
import { hasGap, isWhole, NO_HARVEST, showsLoss, takeNodes, withSequences } from './bulk-answer.ts';
import { effect } from './effects.ts';
import type { AnswerReceived } from './events.ts';
import {
  type CurrentRequest,
  currentOf,
  endedWith,
  faultIn,
  formInUse,
  nextKind,
  nodesOf,
  openRequest,
  type Question,
  type RequestContext,
  type RequestEnded,
  type RequestEvent,
  type RequestInput,
  type RequestProgressed,
  redirected,
  servedWith,
  timedSends,
  withFault,
  withForm,
  withOvertaking,
} from './request-context.ts';
import { backedOff, UNFIT_ANSWER, withJitter } from './retransmission.ts';
import type { DatagramsSend } from './socket.machine.ts';
import { limits, timing } from './timing.ts';

const base = setup({
  types: { context: {} as RequestContext, events: {} as RequestEvent, input: {} as RequestInput },
  actions: {
    sign: effect<{ id: number; bytes: Uint8Array }>('sign'),
    verify: effect<{ id: number; key: PublicKey; signed: Uint8Array; signature: Uint8Array }>('verify'),
  },
  guards: {
    /** Only Hello and RootRequest are signed (protocol §4). */
    needsSignature: ({ event }) => event.type === 'request.open' && !isForNodes(event.order.question),
    isInUse: ({ context, event }) => {
      assertEvent(event, 'datagram.signed');
      return event.id === formInUse(currentOf(context)).id;
    },
    isUnfit: ({ context, event }) => {
      assertEvent(event, 'answer.received');
      return faultIn(currentOf(context), event.answer) !== undefined;
    },
    isRefusal: ({ event }) => event.type === 'answer.received' && event.answer.datagram.type === 'Error',
    isVerifying: ({ context }) => currentOf(context).held !== undefined,
    /** A Merkle tree protects its nodes, signatures the rest. */
    needsVerification: ({ context }) => {
      const { answerKey, question } = currentOf(context).order;
      return answerKey !== undefined && !isForNodes(question);
    },
    isHeld: ({ context, event }) => {
      assertEvent(event, 'answer.verified');
      return event.id === currentOf(context).held?.answer.datagram.id;
    },
    isGenuine: ({ context, event }) => {
      assertEvent(event, 'answer.verified');
      return event.valid && event.id === currentOf(context).held?.answer.datagram.id;
    },
    isExhausted: ({ context }) => timedSends(currentOf(context)) >= currentOf(context).order.maxSends,
    /** Whoever answers all but this is not asked for it with every other answer. */
    mayBeLost: ({ context }) => currentOf(context).overtaken < limits.overtakenSends,
    /** The next send has another id or other flags, which is not signed yet. */
    needsForm: ({ context }) => {
      const current = currentOf(context);
      return !current.forms.some(({ kind }) => kind === nextKind(current));
    },
    isForPlain: ({ context }) => currentOf(context).nodes === undefined,
    isBulkRedirected: ({ context, event }) => {
      assertEvent(event, 'request.redirected');
      const { nodes, order } = currentOf(context);
      return nodes !== undefined && !sameAddress(order.to, event.to);
    },
    /** With what has just come, all of the answer is there. */
    isWhole: ({ context, event }) => {
      assertEvent(event, 'answers.received');
      return isWhole(withSequences(nodesOf(context).answer.sequences, event.answers));
    },
    isLossShown: ({ context, event }) => {
      assertEvent(event, 'answers.received');
      return showsLoss(withSequences(nodesOf(context).answer.sequences, event.answers));
    },
    wasOpened: ({ context }) => context.current !== undefined,
    isNoHello: ({ context }) => currentOf(context).order.question.type !== 'Hello',
    /** A plain question, to another address of the same peer. */
    isMovable: ({ context, event }) => {
      assertEvent(event, 'request.redirected');
      const { nodes, order } = currentOf(context);
      return nodes === undefined && order.question.type !== 'Hello' && !sameAddress(order.to, event.to);
    },
    /** A Hello is about its address; anything else may go to another address of the same peer. */
    isRedirectable: ({ context, event }) => {
      assertEvent(event, 'request.redirected');
      const { question, to } = currentOf(context).order;
      return question.type !== 'Hello' && !sameAddress(to, event.to);
    },
  },
  delays: {
    retransmissionTimeout: ({ context }) => {
      const current = currentOf(context);
      return withJitter(current.timeoutMs, formInUse(current).id);
    },
    /** A datagram that others have overtaken is given 9/8 of a round trip (RFC 9002 §6.1.2), silence a timeout. */
    nodesPatience: ({ context }) => {
      const { order, timeoutMs } = currentOf(context);
      const isOvertaken = order.roundTripMs !== undefined && hasGap(nodesOf(context).answer.sequences);
      return isOvertaken ? Math.max(timing.overtakenPatience, (order.roundTripMs * 9) / 8) : timeoutMs;
    },
    /** Two round trips. */
    latePatience: ({ context }) => {
      const { order, timeoutMs } = currentOf(context);
      return Math.max(timing.overtakenPatience, 2 * (order.roundTripMs ?? timeoutMs));
    },
  },
});

/** Trees protect their nodes, whichever way they are asked for: neither question nor answer is signed. */
function isForNodes({ type }: Question): boolean {
  return type === 'GetDatum' || type === 'GetNodes';
}

/** Changes what the slot is busy with. */
const change = (changes: (current: CurrentRequest, event: RequestEvent) => CurrentRequest) =>
  base.assign(({ context, event }) => ({ current: changes(currentOf(context), event) }));

export const requestSetup = base.extend({
  actions: {
    open: base.assign(({ context, event }) => {
      assertEvent(event, 'request.open');
      const current = openRequest(context, event.order, event.atMs);
      return { current, ids: current.forms.map(({ id }) => id), formerIds: context.ids };
    }),

    addForm: base.assign(({ context }) => {
      const current = withForm(currentOf(context), context.random);
      return { current, ids: current.forms.map(({ id }) => id) };
    }),

    attachSignature: change((current, event) => {
      assertEvent(event, 'datagram.signed');
      const { id, signature } = event;
      const forms = current.forms.map((form) =>
        form.id === id ? { ...form, bytes: appendSignature(form.bytes, signature), isSigned: true } : form,
      );
      return { ...current, forms };
    }),

    backOff: change((current) => ({ ...current, kind: nextKind(current), ...backedOff(current) })),

    countOvertaking: change(withOvertaking),

    redirect: change((current, event) => {
      assertEvent(event, 'request.redirected');
      return redirected(current, event);
    }),

    /** Answers to any send of this request come here from now on, those to the slot's former request do so no more. */
    transmit: base.sendTo(
      ({ context }) => currentOf(context).order.socket,
      ({ context, self }): DatagramsSend => {
        const current = currentOf(context);
        const { ids, formerIds, owner } = context;
        const route = { ids, formerIds, to: self, owner };
        return { type: 'datagrams.send', datagrams: [formInUse(current).bytes], to: current.order.to, route };
      },
    ),

    dropRoutes: base.sendTo(
      ({ context }) => currentOf(context).order.socket,
      ({ context }) => ({ type: 'routes.dropped', ids: context.ids }),
    ),

    /** There are so many requests for nodes that their routes give way to those of the next request in this slot only. */
    dropFewRoutes: base.enqueueActions(({ context, enqueue }) => {
      const { question, socket } = currentOf(context).order;
      if (!isForNodes(question)) enqueue.sendTo(socket, { type: 'routes.dropped', ids: context.ids });
    }),

    reportDrop: base.sendTo(({ context }) => currentOf(context).order.socket, {
      type: 'datagrams.dropped',
      why: UNFIT_ANSWER,
      count: 1,
    }),

    noteFault: change((current, event) => {
      assertEvent(event, 'answer.received');
      const fault = faultIn(current, event.answer);
      return fault === undefined ? current : withFault(current, fault);
    }),

    noteOtherType: change((current) => withFault(current, 'other type')),

    /** What does not fit is counted, and nothing of it is kept. */
    takeNodes: base.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'answers.received');
      const current = currentOf(context);
      const { question, answer: former } = nodesOf(context);
      const { answer, harvest } = takeNodes(question, former, event.answers);
      enqueue.assign({ current: { ...current, nodes: { question, answer, harvest } } });
      if (harvest.unfit === 0) return;
      const { socket } = current.order;
      enqueue.sendTo(socket, { type: 'datagrams.dropped', why: UNFIT_ANSWER, count: harvest.unfit });
    }),

    /** What came last was reported when it came. */
    forgetHarvest: change((current) => ({
      ...current,
      nodes: current.nodes && { ...current.nodes, harvest: NO_HARVEST },
    })),

    noteForgery: change((current) => withFault({ ...current, held: undefined }, 'forged')),

    hold: change((current, event) => {
      assertEvent(event, 'answer.received');
      return { ...current, held: event };
    }),

    verifyHeld: base.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'answer.received');
      const { datagram, signature, signed } = event.answer;
      const key = currentOf(context).order.answerKey;
      if (signature === undefined || key === undefined) return;
      enqueue({ type: 'verify', params: { id: datagram.id, key, signed, signature } });
    }),

    /** After three timeouts in a row the owner may look for another way (protocol §5). */
    reportStall: base.enqueueActions(({ context, enqueue }) => {
      const current = currentOf(context);
      const { order, sends, timeoutMs, waitedMs } = current;
      if (timedSends(current) < limits.sendsBeforeSuspicion) return;
      const { owner, slot } = context;
      enqueue.sendTo(owner, { type: 'request.stalled', slot, order, sends, waitedMs: waitedMs + timeoutMs });
    }),

    reportHarvest: base.sendTo(
      ({ context }) => context.owner,
      ({ context, event }) => progressed(context, event, nodesOf(context).harvest.arrivals.length),
    ),

    /** When the request was cut, all its datagrams were given up. */
    reportLate: base.sendTo(
      ({ context }) => context.owner,
      ({ context, event }) => progressed(context, event, 0),
    ),

    reportServed: base.sendTo(
      ({ context }) => context.owner,
      ({ context, event }) => servedWith(context, false, 'atMs' in event ? event.atMs : undefined),
    ),

    reportCut: base.sendTo(
      ({ context }) => context.owner,
      ({ context, event }) => servedWith(context, true, 'atMs' in event ? event.atMs : undefined),
    ),

    reportReleased: base.sendTo(
      ({ context }) => context.owner,
      ({ context: { slot } }) => ({ type: 'request.released', slot }),
    ),

    reportAnswered: base.sendTo(
      ({ context }) => context.owner,
      ({ context, event }) => {
        assertEvent(event, 'answer.received');
        return answered(context, event);
      },
    ),

    reportVerified: base.sendTo(
      ({ context }) => context.owner,
      ({ context }) => answered(context, currentOf(context).held as AnswerReceived),
    ),

    reportRefused: base.sendTo(
      ({ context }) => context.owner,
      ({ context, event }) => {
        assertEvent(event, 'answer.received');
        const { datagram } = event.answer;
        return endedWith(
          context,
          { kind: 'refused', text: datagram.type === 'Error' ? datagram.text : '' },
          event.atMs,
        );
      },
    ),

    reportUnanswered: base.sendTo(
      ({ context }) => context.owner,
      ({ context }) => {
        const { waitedMs, timeoutMs, faults } = currentOf(context);
        return endedWith(context, { kind: 'unanswered', waitedMs: waitedMs + timeoutMs, faults }, undefined);
      },
    ),

    reportUnsendable: base.sendTo(
      ({ context }) => context.owner,
      ({ context, event }) => {
        assertEvent(event, 'send.failed');
        return endedWith(context, { kind: 'unsendable', why: event.why }, undefined);
      },
    ),
  },
});

function progressed(context: RequestContext, event: RequestEvent, freed: number): RequestProgressed {
  assertEvent(event, 'answers.received');
  const { order, sends, openedAtMs } = currentOf(context);
  const { harvest } = nodesOf(context);
  const { slot } = context;
  return { type: 'request.progressed', slot, order, harvest, sends, freed, openedAtMs, atMs: event.atMs };
}

function answered(context: RequestContext, { answer: { datagram }, from, atMs }: AnswerReceived): RequestEnded {
  const form = currentOf(context).forms.find(({ id }) => id === datagram.id)?.kind ?? 'plain';
  return endedWith(context, { kind: 'answered', answer: datagram, from, form, ids: context.ids }, atMs);
}
