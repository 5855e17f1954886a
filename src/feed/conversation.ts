/** Who answers whom: a conversation as a tree, as far as it is known. Iterative: nobody says how long one may get. */
import type { Hash } from '../wire/hash.ts';

interface Answering {
  readonly hash: Hash;
  readonly inReplyTo: Hash | null;
}

/** Where messages are looked up: a store, or a page that has read some. */
export interface Known<T extends Answering> {
  message(hash: Hash): T | undefined;
  /** What answers this message, the oldest first. */
  replies(hash: Hash): readonly T[];
}

export interface Turn<T extends Answering> {
  readonly message: T;
  /** 0 for the one that the others answer. */
  readonly depth: number;
}

/** The first message of the conversation that this one belongs to, or the earliest one that is known. */
export function startOfConversation<T extends Answering>(known: Pick<Known<T>, 'message'>, message: T): T {
  // Hashes cannot go in circles; a damaged database might.
  const seen = new Set<Hash>();
  let first = message;
  while (first.inReplyTo !== null && !seen.has(first.hash)) {
    seen.add(first.hash);
    const answered = known.message(first.inReplyTo);
    if (answered === undefined) break;
    first = answered;
  }
  return first;
}

/** A message, then each answer with its own answers, the oldest first. */
export function* turnsFrom<T extends Answering>(
  known: Pick<Known<T>, 'replies'>,
  first: T,
): Generator<Turn<T>, void, undefined> {
  const seen = new Set<Hash>();
  const open: Turn<T>[] = [{ message: first, depth: 0 }];
  for (let turn = open.pop(); turn !== undefined; turn = open.pop()) {
    const { message, depth } = turn;
    if (seen.has(message.hash)) continue;
    seen.add(message.hash);
    yield turn;
    for (const reply of known.replies(message.hash).toReversed()) open.push({ message: reply, depth: depth + 1 });
  }
}
