/** What an outgoing session spawns, has done outside, and asks itself before it acts. */
import { assertEvent, setup } from 'xstate';
import type { PublicKey } from '../src/identity/public-key.ts';
import { type SocketAddress, sameAddress } from '../src/wire/socket-address.ts';
import { effect } from './effects.ts';
import {
  isHello,
  isInUse,
  isNamelessRoot,
  mayTraverse,
  type OutgoingSessionContext,
  type OutgoingSessionEvent,
  type OutgoingSessionInput,
  usable,
} from './outgoing-session-context.ts';
import { isSilent } from './path.ts';
import { requestMachine } from './request.machine.ts';
import type { RequestEnded } from './request-context.ts';
import { areAllFree } from './slots.ts';
import { limits, timing } from './timing.ts';

/** Nothing has come over the path in use since this request was opened, or nothing can go out. */
function isUnheard(context: OutgoingSessionContext, { order, outcome }: RequestEnded): boolean {
  if (!isInUse(context, order.to)) return false;
  return outcome.kind === 'unsendable' || context.path?.heard === order.heard;
}

function isFirstRefusal({ located, nameKnown, regreetings }: OutgoingSessionContext, event: RequestEnded): boolean {
  const isDirectory = located !== undefined && nameKnown;
  const isRefused = !isHello(event) && event.outcome.kind === 'refused';
  return isRefused && !isDirectory && regreetings < limits.regreetings;
}

/** It was asked for, and is busy with other answers. */
function isNameOwed(context: OutgoingSessionContext, event: RequestEnded): boolean {
  return isHello(event) && isInUse(context, event.order.to) && context.unvouched.length > 0;
}

function isWithoutKey({ key }: OutgoingSessionContext, adopted: { readonly key: PublicKey | undefined }): boolean {
  return key !== undefined && adopted.key === undefined;
}

function isIdle({ waiters, heldBack, waiting, unvouched, requests }: OutgoingSessionContext): boolean {
  const isWanted = waiters.length + heldBack.length + waiting.length + unvouched.length > 0;
  return !isWanted && areAllFree(requests);
}

function isExpired({ path }: OutgoingSessionContext, atMs: number): boolean {
  return atMs - (path?.openedAtMs ?? 0) >= timing.sessionLifetime;
}

function isBulkEnded(event: OutgoingSessionEvent): event is RequestEnded {
  return event.type === 'request.ended' && event.order.question.type === 'GetNodes';
}

export const base = setup({
  types: {
    context: {} as OutgoingSessionContext,
    events: {} as OutgoingSessionEvent,
    input: {} as OutgoingSessionInput,
  },
  actors: { request: requestMachine },
  actions: {
    /** Asks the directory: `peer.located` or `peer.notLocated`. */
    locatePeer: effect<{ name: string }>('locatePeer'),
    /** Keeps that whoever is at this address, under this key, answers only ids that end in zero, or only a Hello without flags as well. */
    rememberHabit: effect<{ address: SocketAddress; key: PublicKey | undefined; noFlags: boolean }>('rememberHabit'),
    /** Whether the user believes its Roots without a signature: `trust.recalled` if so. */
    recallTrust: effect<{ name: string; key: PublicKey | undefined }>('recallTrust'),
  },
  guards: {
    isHelloAnswered: ({ event }) => {
      assertEvent(event, 'request.ended');
      return isHello(event) && event.outcome.kind === 'answered';
    },
    isHello: ({ event }) => {
      assertEvent(event, 'request.ended');
      return isHello(event);
    },
    /** It ended without an answer, and no Hello is left whose answer could still come. */
    isLastHello: ({ context, event }) => {
      assertEvent(event, 'request.ended');
      return (
        isHello(event) && event.outcome.kind !== 'answered' && context.hellos.every(({ slot }) => slot === event.slot)
      );
    },
    isUnheard: ({ context, event }) => {
      assertEvent(event, 'request.ended');
      return isUnheard(context, event);
    },
    isHelloAnsweredByPath: ({ context, event }) => {
      assertEvent(event, 'request.ended');
      return isHello(event) && event.outcome.kind === 'answered' && isInUse(context, event.order.to);
    },
    isHelloAnsweredElsewhere: ({ context, event }) => {
      assertEvent(event, 'request.ended');
      return isHello(event) && event.outcome.kind === 'answered' && !isInUse(context, event.order.to);
    },
    /** Neither answered nor refused. */
    isUnserved: ({ event }) => {
      assertEvent(event, 'request.ended');
      return event.outcome.kind === 'unanswered' || event.outcome.kind === 'unsendable';
    },
    isNodeAnswered: ({ event }) => {
      assertEvent(event, 'request.ended');
      return event.order.question.type === 'GetDatum' && event.outcome.kind === 'answered';
    },
    isBulk: ({ event }) => isBulkEnded(event),
    isBulkServed: ({ event }) => isBulkEnded(event) && event.outcome.kind === 'served',
    isBulkFirstRefused: ({ context, event }) => isBulkEnded(event) && isFirstRefusal(context, event),
    mayBulkBeElsewhere: ({ context, event }) =>
      isBulkEnded(event) &&
      context.located === undefined &&
      isUnheard(context, event) &&
      event.outcome.kind !== 'served',
    isAnswered: ({ event }) => {
      assertEvent(event, 'request.ended');
      return event.outcome.kind === 'answered';
    },
    isRefusal: ({ event }) => {
      assertEvent(event, 'request.ended');
      return !isHello(event) && event.outcome.kind === 'refused';
    },
    /** The other side forgot the session: Hello is said once more. A directory that did so wants a new registration as well. */
    isFirstRefusal: ({ context, event }) => {
      assertEvent(event, 'request.ended');
      return isFirstRefusal(context, event);
    },
    /** Nothing came over the path in use for as long as a path that works would take. */
    isPathSilent: ({ context, event }) => {
      assertEvent(event, 'request.stalled');
      const { path, located } = context;
      const { order, waitedMs } = event;
      if (path === undefined || located !== undefined || !sameAddress(path.address, order.to)) return false;
      return isSilent(path, order.heard, waitedMs);
    },
    mayBeElsewhere: ({ context, event }) => {
      assertEvent(event, 'request.ended');
      return context.located === undefined && isUnheard(context, event);
    },
    isSaidOnPath: ({ context, event }) => {
      assertEvent(event, 'flags.learned');
      return isInUse(context, event.address);
    },
    isInUse: ({ context, event }) => {
      assertEvent(event, 'session.adopt');
      return isInUse(context, event.address) && !isWithoutKey(context, event);
    },
    /** Its key has become known meanwhile. */
    isWithoutKey: ({ context, event }) => {
      assertEvent(event, 'session.adopt');
      return isWithoutKey(context, event);
    },
    /** The one in use has answered under the key that it did not have before. */
    isKeyAdopted: ({ context, event }) => {
      assertEvent(event, 'session.adopt');
      return isInUse(context, event.address) && event.key !== undefined && context.path?.key === undefined;
    },
    /** Its key becomes known by what it says, or by what the directory says. */
    isKeyNews: ({ context, event }) => {
      assertEvent(event, ['session.adopt', 'listing.changed', 'peer.located']);
      return context.located === undefined && context.key === undefined && event.key !== undefined;
    },
    /** Whoever is there answers, but not under the key that has become known. */
    isKeyUnproven: ({ context, event }) => {
      assertEvent(event, 'request.ended');
      const { key, path } = context;
      const isOfPath = isHello(event) && event.outcome.kind !== 'answered' && isInUse(context, event.order.to);
      return isOfPath && key !== undefined && path?.key === undefined;
    },
    isNamelessRoot: ({ context, event }) => {
      assertEvent(event, 'request.ended');
      return isNamelessRoot(context, event);
    },
    /** The program there answers under another name, or does not confirm a Root without a signature. */
    isPathTakenOver: ({ context, event }) => {
      assertEvent(event, 'request.ended');
      const { order, outcome } = event;
      if (!isHello(event) || !isInUse(context, order.to) || outcome.kind !== 'unanswered') return false;
      return outcome.faults['other name'] !== undefined || (isNameOwed(context, event) && isUnheard(context, event));
    },
    isNameOwed: ({ context, event }) => {
      assertEvent(event, 'request.ended');
      return isNameOwed(context, event);
    },
    /** A further address counts for a peer with a key only: without one, anybody could be there. */
    isUnderSameKey: ({ context, event }) => {
      assertEvent(event, 'session.adopt');
      return event.key !== undefined && event.key === context.key;
    },
    isAdoptedUnderKey: ({ event }) => {
      assertEvent(event, 'session.adopt');
      return event.key !== undefined;
    },
    /** Under the key of the session, and not at the path in use. */
    isListedElsewhere: ({ context, event }) => {
      assertEvent(event, 'peer.located');
      const isSameKey = event.key !== undefined && event.key === context.key;
      return isSameKey && !event.addresses.some((address) => isInUse(context, address));
    },
    /** Under the key of the session, at an address that is not in use: it may be there now. */
    isListedFurther: ({ context, event }) => {
      assertEvent(event, ['listing.changed', 'peer.located']);
      const isSameKey = event.key !== undefined && event.key === context.key;
      return isSameKey && usable(context, event.addresses).some((address) => !isInUse(context, address));
    },
    hasCandidate: ({ context }) => context.candidates.length > 0,
    mayRaceMore: ({ context }) => context.candidates.length > 0 && context.raced < limits.racingHellos,
    isLocated: ({ context }) => context.located !== undefined,
    hasSocket: ({ context }) => usable(context, context.located?.addresses ?? []).length > 0,
    isReachable: ({ context, event }) => {
      assertEvent(event, 'peer.located');
      return usable(context, event.addresses).length > 0 || context.candidates.length > 0;
    },
    mayTraverse: ({ context }) => mayTraverse(context),
    isIdle: ({ context }) => isIdle(context),
    isExpired: ({ context, event }) => {
      assertEvent(event, 'sweep');
      return isExpired(context, event.atMs);
    },
    isExpiredAtWork: ({ context, event }) => {
      assertEvent(event, 'sweep');
      return isExpired(context, event.atMs) && !isIdle(context);
    },
    isDueForRenewal: ({ context, event }) => {
      assertEvent(event, 'sweep');
      const openedAtMs = context.path?.openedAtMs ?? 0;
      const isWanted = context.located !== undefined || context.usedAtMs > openedAtMs;
      return context.hellos.length === 0 && isWanted && event.atMs - openedAtMs >= timing.sessionRenewal;
    },
    /** It was sent once. */
    isPushUnheeded: ({ context }) => context.push?.sends === 1,
    isQuiet: ({ context: { requests } }) => areAllFree(requests),
    isPushDue: ({ context }) => context.push !== undefined && context.push.sends < limits.pushSends,
  },
  delays: {
    locatingPatience: timing.locatingPatience,
    greetingPatience: timing.greetingPatience,
    searchPatience: timing.searchPatience,
    attemptDelay: timing.connectionAttemptDelay,
    traversalDelay: timing.traversalDelay,
    secondTraversalDelay: timing.secondTraversalDelay,
  },
});

export type Enqueueing = Parameters<Parameters<typeof base.enqueueActions>[0]>[0];
