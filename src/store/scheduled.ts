/** What waits to be published. */
import type { ScheduledMessage, Store } from './store.ts';

/** The message that was written last, whenever it is due. */
export function lastScheduled(store: Pick<Store, 'scheduled'>): ScheduledMessage | undefined {
  return store
    .scheduled()
    .reduce<ScheduledMessage | undefined>(
      (last, message) => (last === undefined || message.id > last.id ? message : last),
      undefined,
    );
}
