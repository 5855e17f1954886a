/** The order in which messages of many authors are shown. */
import type { Message } from './message.ts';

/**
 * Compares two messages for sorting, oldest first: by min(claimed, first seen), then by first seen (protocol §2).
 * Messages that tie in both came together; 0 leaves them to the stable sort, hence in order of arrival, which for one
 * author is the order of the tree.
 */
export function orderMessages(left: Message, right: Message): number {
  return compare(orderingDate(left), orderingDate(right)) || compare(left.receivedAt, right.receivedAt);
}

/** `orderingMs` on ISO dates, which sort as text: years are between 0 and 9999 (32 bits of seconds reach 2158). */
function orderingDate({ date, receivedAt }: Message): string {
  return date < receivedAt ? date : receivedAt;
}

function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
