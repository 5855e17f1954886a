/** Who answers whom: a conversation as a tree, as far as it is stored. Iterative: nobody says how long one may get. */
import type { Store, StoredMessage } from '../../store/store.ts';
import type { Hash } from '../../wire/hash.ts';

export interface Turn {
  readonly message: StoredMessage;
  /** 0 for the one that the others answer. */
  readonly depth: number;
}

/** The first message of the conversation that this one belongs to, or the earliest one that is stored. */
export function startOfConversation(store: Pick<Store, 'message' | 'replies'>, message: StoredMessage): StoredMessage {
  // Hashes cannot go in circles; a damaged database might.
  const seen = new Set<Hash>();
  let first = message;
  while (first.inReplyTo !== null && !seen.has(first.hash)) {
    seen.add(first.hash);
    const answered = store.message(first.inReplyTo);
    if (answered === undefined) break;
    first = answered;
  }
  return first;
}

/** A message, then each answer with its own answers, the oldest first. */
export function* turnsFrom(
  store: Pick<Store, 'message' | 'replies'>,
  first: StoredMessage,
): Generator<Turn, void, undefined> {
  const seen = new Set<Hash>();
  const open: Turn[] = [{ message: first, depth: 0 }];
  for (let turn = open.pop(); turn !== undefined; turn = open.pop()) {
    const { message, depth } = turn;
    if (seen.has(message.hash)) continue;
    seen.add(message.hash);
    yield turn;
    for (const reply of store.replies(message.hash).toReversed()) open.push({ message: reply, depth: depth + 1 });
  }
}
