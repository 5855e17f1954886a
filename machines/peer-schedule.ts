/** How the root peer actor publishes what was written to be published later: the store knows what, an alarm here says when. */
import { assertEvent } from 'xstate';
import { base, type Enqueueing } from './peer-setup.ts';
import { timing } from './timing.ts';

const ALARM = 'schedule';

function setAlarm({ enqueue }: Enqueueing, dueInMs: number | undefined): void {
  enqueue.cancel(ALARM);
  if (dueInMs === undefined) return;
  // Whatever the clock does meanwhile, the store is asked again before long.
  const delay = Math.min(Math.max(0, dueInMs), timing.scheduleCheck);
  enqueue.raise({ type: 'schedule.due' }, { id: ALARM, delay });
}

export const scheduleActions = {
  setAlarm: base.enqueueActions((args) => {
    assertEvent(args.event, 'schedule.known');
    setAlarm(args, args.event.dueInMs);
  }),

  /** What waits is in the store still. */
  tryLater: base.enqueueActions((args) => {
    const { event, enqueue } = args;
    assertEvent(event, 'schedule.failed');
    const message = `a scheduled message could not be published, and is tried again in a minute: ${event.failure.message}`;
    enqueue.emit({ type: 'peer.warning', message });
    setAlarm(args, timing.scheduleRetry);
  }),
};
