/** What the root peer actor does to learn whether somebody knows a later history of ours. */
import { assertEvent } from 'xstate';
import { actorId, keyIn } from './actor-ids.ts';
import type { HistoryCheck } from './events.ts';
import type { PeerContext } from './peer-context.ts';
import { base, type Enqueueing } from './peer-setup.ts';
import { limits } from './timing.ts';

type Checks = NonNullable<PeerContext['waitingChecks']>;

/** Asks as many as there is room for; the others wait until one has ended. */
function startChecks({ enqueue, self }: Enqueueing, running: number, { names, ...question }: Checks): void {
  const room = Math.max(0, limits.historyChecks - running);
  for (const name of names.slice(0, room)) {
    enqueue.spawnChild('historyCheck', { id: actorId.historyCheck(name), input: { name, owner: self, ...question } });
  }
  enqueue.assign({ waitingChecks: { names: names.slice(room), ...question } });
}

function endCheck(args: Enqueueing, check: HistoryCheck): void {
  const { context, enqueue } = args;
  const { historyChecks, waitingChecks } = context;
  enqueue.assign({ historyChecks: historyChecks - 1 });
  enqueue.emit({ type: 'history.checked', check });
  const waiting = waitingChecks?.names.length ?? 0;
  if (waitingChecks !== undefined && waiting > 0) startChecks(args, historyChecks - 1 - waiting, waitingChecks);
}

/** What a check that broke down leaves behind. */
function failedCheck(peer: string, cause: unknown): HistoryCheck {
  const why = cause instanceof Error ? cause.message : String(cause);
  const message = `asking ${peer} about our history broke down: ${why}`;
  return { peer, outcome: 'unreachable', failure: { code: 'unexpected', message } };
}

export const historyActions = {
  checkHistory: base.enqueueActions((args) => {
    const { event, enqueue } = args;
    assertEvent(event, 'history.wanted');
    const { names, roots, leaf, atMs } = event;
    enqueue.assign({ historyChecks: names.length });
    startChecks(args, 0, { names, roots, leaf, atMs });
  }),

  endCheck: base.enqueueActions((args) => {
    const { event } = args;
    assertEvent(event, 'xstate.done.actor.history-check.*');
    endCheck(args, event.output);
  }),

  endBrokenCheck: base.enqueueActions((args) => {
    const { event } = args;
    assertEvent(event, 'xstate.error.actor.history-check.*');
    endCheck(args, failedCheck(keyIn(event.actorId), event.error));
  }),
};
