/** Marks something, or takes the mark away: through the peer that runs on this home, so that its screens show it at once. */
import type { Mark, Store } from '../../store/store.ts';
import type { CommandContext } from '../context.ts';
import { askRunningPeer } from '../peer/running-peer.ts';

/** False if it was so already. */
export async function changeMark(
  context: CommandContext,
  store: Store,
  { kind, subject, untilMs }: Mark,
  marked: boolean,
): Promise<boolean> {
  const wasMarked = store.markedAmong(kind, [subject]).has(subject);
  const until = untilMs === undefined ? {} : { untilMs };
  const wish = { type: 'mark.wanted', kind, subject, marked, ...until } as const;
  const answers = await askRunningPeer(context, [wish], 'mark.changed');
  if (answers === undefined && marked) store.setMarks([{ kind, subject, untilMs }]);
  if (answers === undefined && !marked) store.removeMark(kind, subject);
  return wasMarked !== marked;
}
