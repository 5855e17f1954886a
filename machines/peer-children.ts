/** What the root peer actor does about its sockets, about time, and about children that end. */
import { assertEvent } from 'xstate';
import { emptyTable } from '../src/merkle/hash-table.ts';
import { actorId, keyIn } from './actor-ids.ts';
import { incomingEntries, outgoingIds, outgoingOpenedBefore } from './contacts.ts';
import { withSocket } from './events.ts';
import type { RefFor } from './messages.ts';
import { base } from './peer-setup.ts';
import { STRANGERS_OF_PEER } from './stranger-budget.ts';
import { timing } from './timing.ts';

export const childActions = {
  openSockets: base.enqueueActions(({ context, enqueue, self }) => {
    context.binds.forEach((bind, index) => {
      enqueue.spawnChild('socket', {
        id: actorId.socket(index),
        input: { index, bind, owner: self, strangers: STRANGERS_OF_PEER },
      });
    });
  }),

  noteSocket: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'socket.ready');
    const sockets = withSocket(context.sockets, event);
    enqueue.assign({ sockets });
    const { port } = event.address;
    enqueue.assign({ ports: [...context.ports, port] });
    enqueue.sendTo<RefFor<'peer', 'directory-client'>>(actorId.directoryClient, { type: 'port.bound', port });
    enqueue.emit({ type: 'socket.bound', index: event.index, address: event.address });
    for (const id of outgoingIds(context.contacts)) {
      enqueue.sendTo<RefFor<'peer', 'outgoing-session'>>(id, { type: 'sockets.changed', sockets });
    }
  }),

  tellSocketFailed: base.emit(({ event }) => {
    assertEvent(event, 'socket.lost');
    return { type: 'socket.failed', why: event.why };
  }),

  startDirectoryClient: base.spawnChild('directoryClient', {
    id: actorId.directoryClient,
    input: ({ context, self }) => ({
      owner: self,
      register: context.register && context.retirement === undefined,
      ports: context.ports,
      ips: context.localIps,
    }),
  }),

  startPathChecks: base.spawnChild('pathChecks', {
    id: actorId.pathChecks,
    input: ({ context, self }) => ({ owner: self, ownName: context.name, random: context.random }),
  }),

  /** What was counted since the last sweep counts no more. */
  resetCounts: base.enqueueActions(({ context, enqueue }) => {
    const { errorsSent, traversals, restarts, hasDoubted, hasDoubtedPosition } = context;
    if (errorsSent + traversals + restarts + Number(hasDoubted) + Number(hasDoubtedPosition) === 0) return;
    enqueue.assign({
      hasDoubted: false,
      hasDoubtedPosition: false,
      errorsSent: 0,
      errorsTo: emptyTable<number>(),
      traversals: 0,
      restarts: 0,
    });
  }),

  /** Sessions last an hour: that some of them are over may be noticed a little late, and only those are asked that may be. */
  sweepSessions: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'sweep');
    if (event.atMs - context.sweptAtMs < timing.sessionSweepInterval) return;
    enqueue.assign({ sweptAtMs: event.atMs });
    for (const id of outgoingOpenedBefore(context.contacts, event.atMs - timing.sessionRenewal)) {
      enqueue.sendTo<RefFor<'peer', 'outgoing-session'>>(id, event);
    }
    for (const { address, openedAtMs } of incomingEntries(context.contacts)) {
      if (event.atMs - openedAtMs < timing.sessionLifetime) continue;
      enqueue.sendTo<RefFor<'peer', 'incoming-session'>>(actorId.incomingSession(address), event);
    }
  }),

  /** A child that is done, or has failed, stays in `children` until it is stopped. */
  putAway: base.stopChild(({ event }) => {
    assertEvent(event, ['xstate.done.actor.*', 'xstate.error.actor.*']);
    return event.actorId;
  }),

  /** A child that failed never takes the root down. */
  reportBreakdown: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'xstate.error.actor.*');
    const what = event.error instanceof Error ? event.error.message : String(event.error);
    enqueue.assign({ restarts: context.restarts + 1 });
    enqueue.emit({ type: 'peer.warning', message: `${event.actorId} failed and was put away: ${what}` });
  }),

  reopenSocket: base.enqueueActions(({ context, event, enqueue, self }) => {
    assertEvent(event, 'xstate.error.actor.socket.*');
    const index = Number(keyIn(event.actorId));
    const bind = context.binds[index];
    if (bind !== undefined)
      enqueue.spawnChild('socket', {
        id: event.actorId,
        input: { index, bind, owner: self, strangers: STRANGERS_OF_PEER },
      });
  }),
};
