/** Who learns our root over a session that is there already. */
import { actorId } from './actor-ids.ts';
import { incomingEntries } from './contacts.ts';
import type { RefFor } from './messages.ts';
import { rootFor } from './peer-context.ts';
import type { Enqueueing } from './peer-setup.ts';

/** To whoever has a session with us, and may learn it. Others keep what they were told before. */
export function tellRoot({ context, enqueue }: Pick<Enqueueing, 'context' | 'enqueue'>, to?: string): void {
  for (const { name, address } of incomingEntries(context.contacts)) {
    const root = name === undefined || (to !== undefined && name !== to) ? undefined : rootFor(context, name);
    if (root === undefined) continue;
    enqueue.sendTo<RefFor<'peer', 'incoming-session'>>(actorId.incomingSession(address), {
      type: 'root.changed',
      root,
    });
  }
}

/** Whoever asks for our root from now on waits until it may learn it. */
export function withdrawRoot({ context, enqueue }: Pick<Enqueueing, 'context' | 'enqueue'>): void {
  for (const { name, address } of incomingEntries(context.contacts)) {
    if (name === '' || name === context.name) continue;
    enqueue.sendTo<RefFor<'peer', 'incoming-session'>>(actorId.incomingSession(address), {
      type: 'root.changed',
      root: undefined,
    });
  }
}
