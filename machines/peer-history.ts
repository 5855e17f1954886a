/** What the root peer actor does to learn whether somebody knows a later history of ours. */
import { actorId } from './actor-ids.ts';
import type { HistoryCheck } from './events.ts';
import { nameActions } from './named.ts';
import { base, type Enqueueing } from './peer-setup.ts';

export const checkHistory = base.enqueueActions(({ context, event, enqueue, self }) => {
  if (event.type !== 'history.wanted') return;
  const { root, leaf, atMs } = event;
  for (const name of context.following) {
    const input = { name, owner: self, root, leaf, atMs };
    enqueue.spawnChild('historyCheck', { id: actorId.historyCheck(name), input });
  }
  enqueue.assign({ historyChecks: context.following.length });
});

export function endCheck({ enqueue }: Enqueueing, check: HistoryCheck): void {
  enqueue.assign(({ context }) => ({ historyChecks: context.historyChecks - 1 }));
  enqueue.emit({ type: 'history.checked', check });
}

/** What a check that broke down leaves behind. */
export function failedCheck(peer: string, why: string): HistoryCheck {
  const message = `asking ${peer} about our history broke down: ${why}`;
  return { peer, outcome: 'unreachable', failure: { code: 'unexpected', message } };
}

nameActions({ checkHistory });
