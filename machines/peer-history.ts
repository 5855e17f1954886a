/** What the root peer actor does to learn whether somebody knows a later history of ours, before that one learns our root (docs/adr/0016). */
import { assertEvent } from 'xstate';
import { emptyTable, entryOf, withEntry, withoutEntry } from '../src/merkle/hash-table.ts';
import { actorId, keyIn } from './actor-ids.ts';
import { establishedIn, incomingEntries, isEstablished, outgoingOf } from './contacts.ts';
import type { Failure, HistoryCheck, OwnHistory } from './events.ts';
import type { HistoryCheckOutput } from './history-check.machine.ts';
import type { RefFor } from './messages.ts';
import { isDirectoryAt, isInSession, type PeerContext, type WaitingCheck } from './peer-context.ts';
import { ensureOutgoing } from './peer-outgoing.ts';
import { base, type Enqueueing } from './peer-setup.ts';
import { walkAnew } from './peer-walks.ts';
import { tellRoot, withdrawRoot } from './root-telling.ts';
import { limits } from './timing.ts';

/** Asks as many as there is room for; the others wait until one has ended. Nobody is asked twice at once. */
function startChecks(
  { enqueue, self }: Enqueueing,
  checking: readonly string[],
  toCheck: readonly WaitingCheck[],
): void {
  const room = Math.max(0, limits.historyChecks - checking.length);
  const begun = toCheck.slice(0, room);
  for (const question of begun) {
    const input = { ...question, owner: self };
    enqueue.spawnChild('historyCheck', { id: actorId.historyCheck(question.name), input });
  }
  enqueue.assign({ checking: [...checking, ...begun.map(({ name }) => name)], toCheck: toCheck.slice(room) });
}

function withChecks({ checking, toCheck }: PeerContext, added: readonly WaitingCheck[]): readonly WaitingCheck[] {
  const known = new Set([...checking, ...toCheck.map(({ name }) => name)]);
  return [...toCheck, ...added.filter(({ name }) => !known.has(name))];
}

/** Those that have answered before. */
export function askAnew(args: Enqueueing, history: OwnHistory, atMs: number): void {
  const { context } = args;
  const names = reachedNames(context).filter((name) => entryOf(context.asked, name) !== false);
  const added = names.map((name) => ({ name, history, isRepeated: true, atMs }));
  if (added.length > 0) startChecks(args, context.checking, withChecks(context, added));
}

function endCheck(args: Enqueueing, { history: askedAbout, atMs, ...check }: HistoryCheckOutput): void {
  const { context, enqueue } = args;
  const { history, retirement, refusedBy } = context;
  const { peer: name, outcome } = check;
  // It may have what was published, or taken over from a copy, since it was asked.
  const isOutdated = outcome === 'later' && history !== undefined && history !== askedAbout && retirement === undefined;
  if (!isOutdated) enqueue.emit({ type: 'history.checked', check });
  startChecks(
    args,
    context.checking.filter((other) => other !== name),
    isOutdated ? [{ name, history, atMs }, ...context.toCheck] : context.toCheck,
  );
  if (isOutdated || history === undefined || retirement !== undefined || refusedBy !== undefined) return;
  if (check.outcome === 'later') refuseRoot(args, check.peer, atMs);
  else grantRoot(args, check);
}

/** Whoever has a session with us and does not answer such a question is told the root as ever: delivery does not depend on it. */
function grantRoot({ context, enqueue }: Enqueueing, { peer, outcome }: HistoryCheck): void {
  const session = actorId.outgoingSession(peer);
  if (!isEstablished(context.contacts, session)) return;
  const { root, sealedRoot } = context;
  enqueue.assign({
    asked: withEntry(context.asked, peer, outcome !== 'unreachable'),
    isConfirmed: context.isConfirmed || outcome === 'same',
  });
  for (const { name, address } of incomingEntries(context.contacts)) {
    if (name !== peer) continue;
    enqueue.sendTo<RefFor<'peer', 'incoming-session'>>(actorId.incomingSession(address), {
      type: 'root.changed',
      root,
    });
  }
  if (sealedRoot !== undefined)
    enqueue.sendTo<RefFor<'peer', 'outgoing-session'>>(session, { type: 'push.wanted', bytes: sealedRoot });
}

/**
 * Those whom we follow, and those who have read from us before this start, are believed. A stranger could silence us with a lie, so that it
 * is left out alone, unless nobody else could tell.
 */
function refuseRoot(args: Enqueueing, peer: string, atMs: number): void {
  const { context, enqueue } = args;
  const { following, formerReaders, isConfirmed, guardedKey } = context;
  const hasOthers = following.length > 0 || formerReaders.length > 0 || isConfirmed;
  if (!hasOthers || following.includes(peer) || formerReaders.includes(peer)) {
    if (guardedKey === undefined) {
      enqueue.raise({ type: 'publishing.stop', failure: laterHistory(peer) });
      return;
    }
    enqueue.assign({ refusedBy: peer });
    withdrawRoot(args);
    walkAnew(args, [context.name], atMs);
    return;
  }
  const message = `"${peer}", whom you do not follow, says that it has messages of yours that are newer than this home: it does not learn from here what you publish; if this home was put back from a copy, go on from the newer one`;
  enqueue.emit({ type: 'peer.warning', message });
}

function laterHistory(peer: string): Failure {
  const message = `"${peer}" has messages of yours that are newer than this home, which was probably put back from a copy: nothing is published from here, because everybody would then drop them; go on from the newer home, or start it as well and then this one again, which takes over what it has; or accept the loss with "murmure key resume" and start again`;
  return { code: 'invalid-data', message };
}

/** What a check that broke down leaves behind. */
function failedCheck(peer: string, cause: unknown, atMs: number): HistoryCheckOutput {
  const why = cause instanceof Error ? cause.message : String(cause);
  const message = `asking ${peer} about our history broke down: ${why}`;
  return { peer, outcome: 'unreachable', failure: { code: 'unexpected', message }, history: [], atMs };
}

/** Those with whom there is a session, but for directories, and whoever was greeted by address. */
function reachedNames(context: PeerContext): string[] {
  return establishedIn(context.contacts).flatMap(({ entry: { name, address } }) =>
    name === '' || name === context.name || isDirectoryAt(context, address) ? [] : [name],
  );
}

export const historyActions = {
  checkHistory: base.enqueueActions((args) => {
    const { context, event } = args;
    assertEvent(event, 'history.wanted');
    const { names, history, atMs } = event;
    const added = names.map((name) => ({ name, history, atMs }));
    startChecks(args, context.checking, withChecks(context, added));
  }),

  /** The copy that has published what somebody has of us, and we have not, was looked for in vain. */
  stopUnlessMerged: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, ['xstate.done.actor.merkle-walk.*', 'xstate.error.actor.merkle-walk.*']);
    const { name, refusedBy, walks, toWalk } = context;
    if (keyIn(event.actorId) !== name || refusedBy === undefined) return;
    const report = 'output' in event ? event.output.report : undefined;
    enqueue.assign({ copyRoot: report?.root ?? undefined });
    // Others may have exactly the tree of the copy, even if nothing in it is new here.
    const isNews =
      report?.status === 'updated' &&
      (report.root !== context.copyRoot || report.newMessages + report.withdrawnMessages > 0);
    if (isNews || entryOf(walks, name) !== undefined || toWalk.includes(name)) return;
    enqueue.raise({ type: 'publishing.stop', failure: laterHistory(refusedBy) });
  }),

  /** It is asked first whether it has learnt of a later root meanwhile, if it answers such questions. */
  doubtReader: base.enqueueActions((args) => {
    const { context, event, enqueue } = args;
    assertEvent(event, 'reader.returned');
    const { name, atMs } = event;
    const { asked, history, retirement } = context;
    if (history === undefined || retirement !== undefined || entryOf(asked, name) !== true) {
      tellRoot(args, name);
      return;
    }
    enqueue.assign({ asked: withoutEntry(asked, name) });
    if (isInSession(context, name)) {
      startChecks(args, context.checking, withChecks(context, [{ name, history, isRepeated: true, atMs }]));
      return;
    }
    const session = actorId.outgoingSession(name);
    ensureOutgoing(args, session, { name, nameKnown: true });
    enqueue.sendTo<RefFor<'peer', 'outgoing-session'>>(session, { type: 'session.renew', atMs });
  }),

  /** Somebody that did not answer before does so now. */
  doubtReturned: base.assign(({ context: { asked, returned }, event }) => {
    assertEvent(event, 'session.answers');
    const { name } = event;
    if (entryOf(asked, name) !== false) return {};
    return { asked: withoutEntry(asked, name), returned: [...returned, name] };
  }),

  askReturned: base.enqueueActions((args) => {
    const { context, event, enqueue } = args;
    assertEvent(event, 'sweep');
    const { history, retirement, returned } = context;
    if (returned.length === 0) return;
    enqueue.assign({ returned: [] });
    if (history === undefined || retirement !== undefined) return;
    const added = returned.map((name) => ({ name, history, atMs: event.atMs }));
    startChecks(args, context.checking, withChecks(context, added));
  }),

  /** As soon as there is a session: until then it learns nothing from us. */
  askAboutHistory: base.enqueueActions((args) => {
    const { context, event } = args;
    assertEvent(event, 'session.established');
    const { name, address, atMs } = event;
    const { history, retirement } = context;
    if (history === undefined || retirement !== undefined || isDirectoryAt(context, address)) return;
    if (name === '' || name === context.name) return;
    if (event.session !== actorId.outgoingSession(name) || entryOf(context.asked, name) === true) return;
    startChecks(args, context.checking, withChecks(context, [{ name, history, atMs }]));
  }),

  /** We were away, and somebody may have published with our key meanwhile. */
  doubtHistory: base.enqueueActions((args) => {
    const { context, event, enqueue } = args;
    assertEvent(event, 'network.changed');
    const { history, retirement } = context;
    if (history === undefined || retirement !== undefined) return;
    enqueue.assign({ asked: emptyTable<boolean>(), isConfirmed: false });
    withdrawRoot(args);
    const added = reachedNames(context).map((name) => ({ name, history, atMs: event.atMs }));
    startChecks(args, context.checking, withChecks(context, added));
  }),

  /** It comes back by another session, and may have learnt of something meanwhile. */
  forgetAsked: base.assign(({ context, event }) => {
    assertEvent(event, ['session.lost', 'session.ended', 'xstate.error.actor.outgoing-session.*']);
    if (event.type === 'session.lost') {
      return entryOf(context.asked, event.name) === false ? { asked: withoutEntry(context.asked, event.name) } : {};
    }
    const name = outgoingOf(context.contacts, event.type === 'session.ended' ? event.session : event.actorId)?.name;
    return name === undefined ? {} : { asked: withoutEntry(context.asked, name) };
  }),

  endCheck: base.enqueueActions((args) => {
    const { event } = args;
    assertEvent(event, 'xstate.done.actor.history-check.*');
    endCheck(args, event.output);
  }),

  endBrokenCheck: base.enqueueActions((args) => {
    const { event } = args;
    assertEvent(event, 'xstate.error.actor.history-check.*');
    endCheck(args, failedCheck(keyIn(event.actorId), event.error, args.context.followedAtMs));
  }),
};
