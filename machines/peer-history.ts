/** What the root peer actor does to learn whether somebody knows a later history of ours. */
import { assertEvent } from 'xstate';
import { actorId, keyIn } from './actor-ids.ts';
import type { HistoryCheck } from './events.ts';
import { base, type Enqueueing } from './peer-setup.ts';

function endCheck({ enqueue }: Enqueueing, check: HistoryCheck): void {
  enqueue.assign(({ context }) => ({ historyChecks: context.historyChecks - 1 }));
  enqueue.emit({ type: 'history.checked', check });
}

/** What a check that broke down leaves behind. */
function failedCheck(peer: string, cause: unknown): HistoryCheck {
  const why = cause instanceof Error ? cause.message : String(cause);
  const message = `asking ${peer} about our history broke down: ${why}`;
  return { peer, outcome: 'unreachable', failure: { code: 'unexpected', message } };
}

export const historyActions = {
  checkHistory: base.enqueueActions(({ event, enqueue, self }) => {
    assertEvent(event, 'history.wanted');
    const { names, roots, leaf, atMs } = event;
    for (const name of names) {
      const input = { name, owner: self, roots, leaf, atMs };
      enqueue.spawnChild('historyCheck', { id: actorId.historyCheck(name), input });
    }
    enqueue.assign({ historyChecks: names.length });
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
