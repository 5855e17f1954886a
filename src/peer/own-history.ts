/** What others may be asked for to learn whether they know a later history of ours than this home has (docs/adr/0016). */
import type { HistoryStep, OwnHistory } from '../../machines/events.ts';
import { FULL_TREES } from '../merkle/build.ts';
import type { OwnFeed, Store } from '../store/store.ts';
import type { Hash } from '../wire/hash.ts';
import { decodeNode } from '../wire/node.ts';

/** Undefined if there is no message. */
export function ownHistory(store: Store): OwnHistory | undefined {
  const present = store.ownFeed();
  const feeds = [present, ...store.formerOwnFeeds()].filter(({ messages }) => messages > 0);
  const steps = stepsOf(feeds, newestFirst(store, present));
  return steps.length === 0 ? undefined : steps;
}

interface OwnMessage {
  readonly hash: Hash;
  /** In the tree, from 0. */
  readonly position: number;
}

/** Each feed with the newest message in it. A later feed never has fewer messages, since what is withdrawn keeps its place. */
function stepsOf(feeds: readonly OwnFeed[], messages: Iterable<OwnMessage>): HistoryStep[] {
  const steps: HistoryStep[] = [];
  const left = [...feeds];
  for (const { hash: leaf, position } of messages) {
    for (let feed = left[0]; feed !== undefined && feed.messages > position; feed = left[0]) {
      steps.push({ root: FULL_TREES.includes(feed.messages) ? null : feed.root, leaf });
      left.shift();
    }
    if (left.length === 0) break;
  }
  return steps;
}

/** From the right edge of the present tree. What stands for a withdrawn message is the same in every feed, and tells nothing. */
function* newestFirst(store: Store, { root, messages }: OwnFeed): Iterable<OwnMessage> {
  const open = [root];
  let position = messages;
  for (let hash = open.pop(); hash !== undefined; hash = open.pop()) {
    const value = store.getNode(hash);
    const node = value === undefined ? undefined : decodeNode(value);
    if (node?.ok === true && node.value.kind === 'internal') {
      open.push(...node.value.children);
      continue;
    }
    position -= 1;
    if (node?.ok === true && node.value.kind === 'message') yield { hash, position };
  }
}
