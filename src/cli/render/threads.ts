/** Messages arranged for reading: replies under what they answer, what was written to last at the bottom. */
import type { Hash } from '../../wire/hash.ts';

export interface Arranged<M> {
  readonly message: M;
  /** 0 for a message that answers none of the others. */
  readonly depth: number;
}

interface Answering {
  readonly hash: Hash;
  readonly inReplyTo: Hash | null;
}

/**
 * The messages come oldest first, and go as conversations in the order of their latest message. Linear; iterative: nobody says how long a
 * conversation may get. A hash that comes twice is shown once.
 */
export function arrangeThreads<M extends Answering>(messages: readonly M[]): Arranged<M>[] {
  const byHash = new Map(messages.map((message) => [message.hash, message]));
  const answers = Map.groupBy(byHash.values(), ({ inReplyTo }) =>
    inReplyTo !== null && byHash.has(inReplyTo) ? inReplyTo : null,
  );
  const arranged = (answers.get(null) ?? []).map((first) => conversation(first, answers));
  const order = new Map([...byHash.keys()].map((hash, index) => [hash, index]));
  const latest = (turns: readonly Arranged<M>[]) =>
    turns.reduce((last, { message }) => Math.max(last, order.get(message.hash) ?? 0), 0);
  return arranged
    .map((turns) => ({ turns, latest: latest(turns) }))
    .sort((a, b) => a.latest - b.latest)
    .flatMap(({ turns }) => turns);
}

/** Each message before its answers, the oldest answer first. */
function conversation<M extends Answering>(first: M, answers: ReadonlyMap<Hash | null, readonly M[]>): Arranged<M>[] {
  const turns: Arranged<M>[] = [];
  const open: Arranged<M>[] = [{ message: first, depth: 0 }];
  for (let turn = open.pop(); turn !== undefined; turn = open.pop()) {
    turns.push(turn);
    const { message, depth } = turn;
    for (const answer of answers.get(message.hash)?.toReversed() ?? [])
      open.push({ message: answer, depth: depth + 1 });
  }
  return turns;
}
