/** What an outgoing session remembers, and what it tells others. */
import { assertEvent } from 'xstate';
import { formatAddress } from '../src/wire/socket-address.ts';
import type { SessionReadiness, Spent } from './events.ts';
import { withBulk } from './outgoing-session-bulk.ts';
import {
  type Bulk,
  costOf,
  distinct,
  failureOf,
  gather,
  isBulkInForce,
  isHello,
  isInUse,
  type OutgoingSessionContext,
  openedPath,
  stallFailure,
  usable,
  wantedAgain,
  windowOf,
} from './outgoing-session-context.ts';
import { NOTHING_SPENT, withHello, withHellos } from './outgoing-session-requests.ts';
import { base, type Enqueueing } from './outgoing-session-setup.ts';
import { afterRequest, openPath, recovered, timed } from './path.ts';
import type { RequestEnded } from './request-context.ts';
import { giveBack } from './slots.ts';
import { limits, timing } from './timing.ts';

const withNotes = withBulk.extend({
  actions: {
    noteTime: base.assign(({ event }) => ({ atMs: 'atMs' in event ? event.atMs : undefined })),

    noteUse: base.assign(({ context, event }) => {
      const atMs = 'atMs' in event ? event.atMs : undefined;
      return { atMs, usedAtMs: Math.max(context.usedAtMs, atMs ?? 0) };
    }),

    addWaiter: base.assign(({ context, event, self }) => {
      assertEvent(event, 'session.open');
      return {
        waiters: event.waiter === undefined ? context.waiters : [...context.waiters, event.waiter],
        // What Hellos that are still under way have cost before is no matter of whoever waits from now on.
        greeted: context.waiters.length === 0 ? minus(withHellos(NOTHING_SPENT, { context, self })) : context.greeted,
        atMs: event.atMs,
      };
    }),

    /** Where a directory is, is known beforehand. */
    useGiven: base.assign(({ context }) => ({
      candidates: usable(context, context.located?.addresses ?? []),
      raced: 0,
    })),

    /** Addresses at which the peer was heard go before those that are only listed. */
    useLocated: base.assign(({ context, event }) => {
      assertEvent(event, 'peer.located');
      const known = distinct([...context.candidates, ...usable(context, event.addresses)]);
      // The one in use, which has fallen silent, comes last: it may answer again.
      const inUse = context.path === undefined ? [] : [context.path.address];
      const candidates = [...known.filter((address) => !isInUse(context, address)), ...inUse];
      return {
        candidates,
        key: event.key,
        zeroEndingIds: context.zeroEndingIds || event.zeroEndingIds === true,
        noFlags: context.noFlags || event.noFlags === true,
        trustsUnsigned: event.trustsUnsigned === true,
        raced: 0,
        atMs: event.atMs,
      };
    }),

    /** What is agreed with somebody without a key goes on, unless that one does not answer under the key. */
    useKey: base.assign(({ event }) => {
      assertEvent(event, 'peer.located');
      const { key, trustsUnsigned = false, zeroEndingIds = false, noFlags = false, atMs } = event;
      return { key, trustsUnsigned, zeroEndingIds, noFlags, atMs };
    }),

    /** It has answered there; whatever else it may be at is tried as well. */
    useFound: base.assign(({ context, event }) => {
      assertEvent(event, 'peer.found');
      const known = [...context.hellos.map(({ to }) => to), ...context.candidates];
      return { candidates: distinct([...usable(context, [event.address]), ...known]), raced: 0, atMs: event.atMs };
    }),

    /** The directory could not be asked: the path in use may answer after all. */
    useKnown: base.assign(({ context, event }) => {
      assertEvent(event, 'peer.notLocated');
      const inUse = context.path === undefined ? [] : [context.path.address];
      return { candidates: distinct([...context.candidates, ...inUse]), raced: 0 };
    }),

    noteAlternative: base.assign(({ context, event }) => {
      assertEvent(event, 'session.adopt');
      const candidates = distinct([event.address, ...context.candidates]).slice(0, limits.alternatives);
      return { candidates, atMs: event.atMs };
    }),

    /** To be tried first once the path in use has fallen silent. */
    noteListed: base.assign(({ context, event }) => {
      assertEvent(event, 'listing.changed');
      const listed = usable(context, event.addresses).filter((address) => !isInUse(context, address));
      const candidates = distinct([...listed, ...context.candidates]).slice(0, limits.alternatives);
      return { candidates, atMs: event.atMs };
    }),

    adopt: base.assign(({ context, event }) => {
      assertEvent(event, 'session.adopt');
      const { address, key, atMs, roundTripMs } = event;
      const path =
        context.path !== undefined && isInUse(context, address)
          ? recovered({ ...context.path, key, openedAtMs: atMs })
          : timed(openPath({ address, key, openedAtMs: atMs }, context.sockets), roundTripMs);
      const trustsUnsigned = context.trustsUnsigned && key === context.key;
      return { path, key, trustsUnsigned, atMs, regreetings: 0, isUnannounced: event.isBare === true };
    }),

    /** The address at which the Hello was answered is the path in use from now on. */
    usePath: base.assign(({ context, event }): Partial<OutgoingSessionContext> => {
      assertEvent(event, 'request.ended');
      const { outcome } = event;
      const path = openedPath(context, event);
      const isHabit = outcome.kind === 'answered' && outcome.form !== 'plain';
      const isUnannounced = outcome.kind === 'answered' && outcome.form === 'bare';
      const noFlags = context.noFlags || isUnannounced;
      return { path, isUnannounced, zeroEndingIds: context.zeroEndingIds || isHabit, noFlags, atMs: path.openedAtMs };
    }),

    /** What failed in this session may work in the next. */
    losePath: base.assign(({ context: { bulk, heldBack, unvouched } }) => ({
      path: undefined,
      isSilent: false,
      heldBack: [...heldBack, ...unvouched.flatMap((ended) => wantedAgain(ended) ?? [])],
      unvouched: [],
      vouched: undefined,
      bulk: bulk && { ...bulk, refusals: 0, silences: 0, isOff: false },
    })),

    /** It is told, or over: later failures have reasons of their own. */
    forgetFailure: base.assign({ failure: undefined }),

    /** What is over frees its slot and teaches what the path is like. */
    settle: base.assign(({ context, event }): Partial<OutgoingSessionContext> => {
      assertEvent(event, 'request.ended');
      const { slot, order, outcome, atMs } = event;
      const { path } = context;
      // Nodes of an answer that was cut may still come.
      const isFree = outcome.kind !== 'served' || !outcome.isCut;
      const settled = {
        atMs,
        requests: isFree ? giveBack(context.requests, slot) : context.requests,
        bulk: afterOthers(context, event),
        hellos: context.hellos.filter((hello) => hello.slot !== slot),
        greeted: isHello(event) ? withHello(context.greeted, event.sends) : context.greeted,
      };
      if (path === undefined || !isInUse(context, order.to)) return settled;
      const isAnswered = outcome.kind === 'answered' || outcome.kind === 'served';
      const regreetings = !isHello(event) && isAnswered ? 0 : context.regreetings;
      return { ...settled, path: afterRequest(path, event), regreetings };
    }),

    gatherAnswer: base.assign(({ context, event }) => {
      assertEvent(event, 'request.ended');
      return { gathered: gather(context.gathered, event) };
    }),

    holdBackUnserved: base.assign(({ context, event }) => {
      assertEvent(event, 'request.ended');
      const wanted = wantedAgain(event);
      return wanted === undefined ? {} : { heldBack: [...context.heldBack, wanted] };
    }),

    holdBackWanted: base.assign(({ context, event }) => {
      assertEvent(event, ['root.wanted', 'nodes.wanted']);
      return { heldBack: [...context.heldBack, event], atMs: event.atMs };
    }),

    countRegreeting: base.assign(({ context }) => ({ regreetings: context.regreetings + 1 })),

    useSockets: base.assign(({ event }) => {
      assertEvent(event, 'sockets.changed');
      return { sockets: event.sockets };
    }),

    /** Unless the key has changed meanwhile. */
    believeUnsigned: base.assign(({ context, event }) => {
      assertEvent(event, 'trust.recalled');
      return event.key === context.key ? { trustsUnsigned: true } : {};
    }),

    noteTrustChanged: base.assign(({ context: { name } }) => {
      const message = `what you trust of ${name} has just changed; it is asked again`;
      return { failure: { code: 'authentication' as const, message } };
    }),

    noteNotLocated: base.assign(({ event }) => {
      assertEvent(event, 'peer.notLocated');
      return { failure: event.failure };
    }),

    noteLookUpSilent: base.assign(({ context: { name } }) => {
      const message = `where ${name} is was not known after ${timing.locatingPatience / 1_000} s; try again later`;
      return { failure: { code: 'directory-unreachable', message } };
    }),

    noteEnded: base.assign(({ context, event }) => {
      assertEvent(event, 'request.ended');
      return { failure: failureOf(event, context.name) };
    }),

    noteStall: base.assign(({ context, event }) => {
      assertEvent(event, 'request.stalled');
      return { failure: stallFailure(event, context.name) };
    }),

    /** What a request that stalled was about tells more than that no other address answers, either. */
    noteSilence: base.assign(({ context: { name, hellos, failure } }) => {
      if (failure !== undefined) return {};
      const where = hellos.map(({ to }) => formatAddress(to)).join(', ');
      const seconds = timing.greetingPatience / 1000;
      const who = name === '' ? where : `${name} (${where})`;
      const message = `${who} did not answer Hello within ${seconds} s; it may be offline, or behind a NAT or firewall that lets nothing through; it is tried again`;
      return { failure: { code: 'peer-unreachable' as const, message } };
    }),

    noteOutOfReach: base.assign(({ context, event }) => {
      const addresses = event.type === 'peer.located' ? event.addresses : (context.located?.addresses ?? []);
      const message =
        addresses.length === 0
          ? `${context.name} has no address; it may be offline`
          : `no local address of ours can reach ${addresses.map(formatAddress).join(', ')}: listen on one of that family, too`;
      return { failure: { code: 'peer-unreachable' as const, message } };
    }),
  },
});

function minus({ sent, repeated }: Spent): Spent {
  return { sent: -sent, repeated: -repeated };
}

/** Others are answered: that some GetNodes were not is the fault of the extension. */
function afterOthers({ bulk }: OutgoingSessionContext, event: RequestEnded): Bulk | undefined {
  const isTold = !isHello(event) && event.outcome.kind === 'answered' && bulk !== undefined;
  return isTold && bulk.silences >= limits.bulkSilences ? { ...bulk, isOff: true } : bulk;
}

/** A root, or a failure. A root that nobody asked about may still be news, because a push of it may have been lost. */
function passOn({ context, enqueue }: Enqueueing, event: RequestEnded): void {
  const { order, outcome, sends } = event;
  const { requester, question, ticket } = order;
  const { owner, name, path } = context;
  const cost = costOf(context, order.sentBefore + sends, 1);
  if (outcome.kind === 'answered') {
    if (outcome.answer.type !== 'Root') return;
    const atMs = event.atMs ?? path?.openedAtMs ?? 0;
    const seen = { root: outcome.answer.hash, authenticated: order.answerKey !== undefined, atMs };
    if (requester === undefined) enqueue.sendTo(owner, { type: 'root.seen', name, ...seen });
    else enqueue.sendTo(requester, { type: 'root.received', ...seen, ...cost });
    return;
  }
  if (requester === undefined) return;
  const failure = failureOf(event, name);
  const isFinal = outcome.kind !== 'unanswered' || failure.code !== 'peer-unreachable' || path === undefined;
  if (question.type === 'RootRequest') enqueue.sendTo(requester, { type: 'root.failed', failure, isFinal, ...cost });
  if (question.type === 'GetDatum') {
    enqueue.sendTo(requester, { type: 'nodes.failed', hashes: [question.hash], ticket, failure, isFinal, ...cost });
  }
}

export const sessionSetup = withNotes.extend({
  actions: {
    tellWaitersReady: base.enqueueActions((args) => {
      const { context, enqueue, self } = args;
      const { path, atMs } = context;
      const ready: SessionReadiness = {
        type: 'session.ready',
        session: self,
        window: windowOf(context),
        isBulk: isBulkInForce(context),
        atMs: atMs ?? path?.openedAtMs ?? 0,
        ...withHellos(context.greeted, args),
      };
      for (const waiter of context.waiters) enqueue.sendTo(waiter, ready);
      enqueue.assign({ waiters: [] });
    }),

    tellWaitersFailed: base.enqueueActions((args) => {
      const { context, enqueue } = args;
      const { failure } = context;
      if (failure === undefined) return;
      const spent = withHellos(context.greeted, args);
      for (const waiter of context.waiters) enqueue.sendTo(waiter, { type: 'session.failed', failure, ...spent });
      for (const wanted of [...context.heldBack, ...context.waiting]) {
        const sent = wanted.sentBefore ?? 0;
        const cost = { failure, isFinal: true, ...costOf(context, sent, Math.min(sent, 1)) };
        if (wanted.type === 'root.wanted') enqueue.sendTo(wanted.requester, { type: 'root.failed', ...cost });
        else {
          const { hashes, ticket } = wanted;
          enqueue.sendTo(wanted.requester, { type: 'nodes.failed', hashes, ticket, ...cost, freed: hashes.length });
        }
      }
      enqueue.assign({ waiters: [], heldBack: [], waiting: [] });
    }),

    passOnGathered: base.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'answers.delivered');
      enqueue.assign({ atMs: event.atMs });
      for (const { requester, nodes, absent, unserved, single, requests, sent, freed, atMs } of context.gathered) {
        // What all of it has cost is counted once.
        const cost = costOf(context, sent, requests, freed);
        const free = costOf(context, 0, 0);
        const isTold = absent.length === 0 || nodes.length + unserved.length + single.length > 0;
        if (isTold) enqueue.sendTo(requester, { type: 'nodes.received', nodes, unserved, single, ...cost, atMs });
        if (absent.length > 0) {
          enqueue.sendTo(requester, { type: 'nodes.absent', hashes: absent, ...(isTold ? free : cost), atMs });
        }
      }
      if (context.gathered.length > 0) enqueue.assign({ gathered: [] });
    }),

    passOn: base.enqueueActions((args) => {
      assertEvent(args.event, 'request.ended');
      passOn(args, args.event);
    }),

    holdRoot: base.assign(({ context, event }) => {
      assertEvent(event, 'request.ended');
      return { unvouched: [...context.unvouched, event] };
    }),

    passOnVouched: base.enqueueActions((args) => {
      const { context, enqueue } = args;
      for (const ended of context.unvouched) {
        passOn(args, ended);
        if (ended.outcome.kind === 'answered' && ended.outcome.answer.type === 'Root') {
          enqueue.assign({ vouched: ended.outcome.answer.hash });
        }
      }
      if (context.unvouched.length > 0) enqueue.assign({ unvouched: [] });
    }),

    keepHabit: base.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'request.ended');
      const { order, outcome } = event;
      if (outcome.kind !== 'answered' || outcome.form === 'plain') return;
      const noFlags = outcome.form === 'bare';
      enqueue({ type: 'rememberHabit', params: { address: order.to, key: context.key, noFlags } });
    }),

    /** An Error is always shown to the user (protocol §4). */
    reportError: base.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'request.ended');
      const { order, outcome } = event;
      if (outcome.kind !== 'refused') return;
      enqueue.sendTo(context.owner, { type: 'error.answered', from: order.to, name: context.name, text: outcome.text });
    }),

    reportEstablished: base.enqueueActions(({ context, enqueue }) => {
      const { id: session, name, path, owner } = context;
      if (path === undefined) return;
      const { address, key, provenBy, openedAtMs: atMs } = path;
      enqueue.sendTo(owner, { type: 'session.established', session, name, address, key, provenBy, atMs });
    }),

    reportRenewed: base.enqueueActions(({ context, enqueue }) => {
      const { id: session, name, path, owner } = context;
      if (path === undefined) return;
      const { address, key, provenBy } = path;
      enqueue.sendTo(owner, { type: 'session.renewed', session, name, address, key, provenBy });
    }),

    reportSilent: base.enqueueActions(({ context: { name, path, owner, isSilent }, enqueue }) => {
      if (path === undefined || isSilent) return;
      enqueue.assign({ isSilent: true });
      enqueue.sendTo(owner, { type: 'session.silent', name, address: path.address });
    }),

    reportAnswers: base.enqueueActions(({ context: { name, path, owner, isSilent }, enqueue }) => {
      if (path === undefined || !isSilent) return;
      enqueue.assign({ isSilent: false });
      enqueue.sendTo(owner, { type: 'session.answers', name, address: path.address });
    }),

    reportLost: base.sendTo(
      ({ context }) => context.owner,
      ({ context: { id: session, name, located, push, failure } }) => {
        const address = located?.addresses[0];
        return { type: 'session.lost', session, name, address, hasPush: push !== undefined, failure };
      },
    ),

    /** The end of an actor would do as well, but XState keeps something for ever for each id of an actor that has ended. */
    reportEnded: base.sendTo(
      ({ context }) => context.owner,
      ({ context }) => ({ type: 'session.ended', session: context.id }),
    ),

    askForTraversal: base.enqueueActions(({ context, enqueue }) => {
      for (const { to } of context.hellos) enqueue.sendTo(context.owner, { type: 'traversal.wanted', address: to });
    }),
  },
});
