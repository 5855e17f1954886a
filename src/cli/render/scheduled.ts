/** A message that others do not see yet, on one line. */
import { safeLine } from '../../feed/safe-text.ts';
import type { ScheduledMessage } from '../../store/store.ts';
import { timeAhead } from './relative-time.ts';

export function scheduledLine({ body, dueMs }: ScheduledMessage, nowMs: number): string {
  return `To be published ${timeAhead(dueMs, nowMs)}: “${safeLine(body, 40)}”`;
}
