/**
 * One retransmitted datagram (protocol §6): signs it where that is owed, sends it, repeats it with a doubling timeout, and
 * accepts only an answer that fits and verifies. Whatever else comes under its id is dropped, counted, and remembered, so that
 * the user is told what was wrong with the answers.
 *
 * An actor of this machine is a slot: its session opens it for one request after another, since spawning costs ten times
 * what sending does.
 */

import { currentOf, formInUse } from './request-context.ts';
import { requestSetup } from './request-setup.ts';

export const requestMachine = requestSetup.createMachine({
  id: 'request',
  description: 'One retransmitted datagram: a reusable slot of a session (protocol §6).',
  context: ({ input }) => ({ ...input, current: undefined, ids: [], formerIds: [] }),
  initial: 'idle',
  on: { 'request.cancelled': { guard: 'wasOpened', target: '.idle', actions: 'dropRoutes' } },
  states: {
    idle: {
      description: 'Free for the next request.',
      on: {
        'request.open': [
          { guard: 'needsSignature', target: 'open.signing', actions: 'open' },
          { target: 'open.awaitingAnswer', actions: 'open' },
        ],
      },
    },
    open: {
      description: 'An answer that fits ends the request, whichever send it answers.',
      initial: 'signing',
      on: {
        'answer.received': [
          { guard: 'isUnfit', actions: ['noteFault', 'reportDrop'] },
          { guard: 'isRefusal', target: 'idle', actions: ['dropFewRoutes', 'reportRefused'] },
          { guard: 'isVerifying', actions: 'reportDrop' },
          { guard: 'needsVerification', actions: ['hold', 'verifyHeld'] },
          { target: 'idle', actions: ['dropFewRoutes', 'reportAnswered'] },
        ],
        'answer.verified': [
          { guard: 'isGenuine', target: 'idle', actions: ['dropFewRoutes', 'reportVerified'] },
          { guard: 'isHeld', actions: ['noteForgery', 'reportDrop'] },
        ],
        'send.failed': { target: 'idle', actions: ['dropFewRoutes', 'reportUnsendable'] },
        'answers.received': [
          { guard: 'isForPlain', actions: ['noteOtherType', 'reportDrop'] },
          { guard: 'isWhole', target: 'idle', actions: ['takeNodes', 'reportServed'] },
          { guard: 'isLossShown', target: 'late', actions: ['takeNodes', 'reportCut'] },
          { target: '.receiving', actions: ['takeNodes', 'reportHarvest', 'forgetHarvest'] },
        ],
        'request.redirected': [
          // What proves our address there is not known here; whoever asks, asks anew.
          { guard: 'isBulkRedirected', target: 'idle', actions: ['dropRoutes', 'reportServed'] },
          { guard: 'isRedirectable', actions: 'redirect' },
        ],
        'request.abandoned': { guard: 'isNoHello', target: 'idle', actions: ['dropFewRoutes', 'reportUnanswered'] },
      },
      states: {
        signing: {
          description: 'Waiting for our signature over header and body (protocol §7).',
          entry: {
            type: 'sign',
            params: ({ context }) => formInUse(currentOf(context)),
          },
          on: {
            'datagram.signed': { guard: 'isInUse', target: 'awaitingAnswer', actions: 'attachSignature' },
          },
        },
        awaitingAnswer: {
          description: 'Sent; repeated with the same id and bytes, the timeout doubling.',
          entry: 'transmit',
          on: {
            'request.overtaken': {
              guard: 'mayBeLost',
              target: 'awaitingAnswer',
              reenter: true,
              actions: 'countOvertaking',
            },
            'request.redirected': {
              guard: 'isMovable',
              target: 'awaitingAnswer',
              reenter: true,
              actions: ['dropRoutes', 'redirect'],
            },
          },
          after: {
            retransmissionTimeout: [
              { guard: 'isExhausted', target: '#request.idle', actions: ['dropFewRoutes', 'reportUnanswered'] },
              { guard: 'needsForm', target: 'signing', actions: ['reportStall', 'backOff', 'addForm'] },
              { target: 'awaitingAnswer', reenter: true, actions: ['reportStall', 'backOff'] },
            ],
          },
        },
        receiving: {
          description:
            'Nodes are coming: nothing is repeated any more, and what is missing at the end goes under a new id (protocol §10.1).',
          on: {
            'answers.received': [
              { guard: 'isWhole', target: '#request.idle', actions: ['takeNodes', 'reportServed'] },
              { guard: 'isLossShown', target: '#request.late', actions: ['takeNodes', 'reportCut'] },
              { target: 'receiving', reenter: true, actions: ['takeNodes', 'reportHarvest', 'forgetHarvest'] },
            ],
            // Later requests are answered: the rest was lost.
            'request.overtaken': { target: '#request.late', actions: 'reportCut' },
          },
          after: { nodesPatience: { target: '#request.late', actions: 'reportCut' } },
        },
      },
    },
    late: {
      description:
        'It is over, and what is missing is asked for anew; what was under way is taken for two round trips more.',
      on: { 'answers.received': { actions: ['takeNodes', 'reportLate'] } },
      after: { latePatience: { target: 'idle', actions: 'reportReleased' } },
    },
  },
});
