/** What others may be asked for to learn whether they know a later history of ours than this home has (docs/adr/0016). */
import type { HistoryStep, OwnHistory } from '../../machines/events.ts';
import { FULL_TREES } from '../merkle/build.ts';
import { laterTreeHash } from '../merkle/later-tree.ts';
import type { OwnFeed, Store } from '../store/store.ts';
import { EMPTY_ROOT, type Hash } from '../wire/hash.ts';
import { decodeNode } from '../wire/node.ts';

/** Only trees of more than `givenUp` messages are asked about. */
export function ownHistory(store: Store, author: string, givenUp = 0): OwnHistory {
  const present = store.ownFeed();
  const feeds = [present, ...store.formerOwnFeeds()].filter(({ messages }) => messages > givenUp);
  const steps = stepsOf(feeds, newestFirst(store, present), author);
  // Nobody has a node of that hash: it only stands for that there is no message.
  const none: HistoryStep = { root: null, leaf: EMPTY_ROOT, later: laterTreeHash(author, EMPTY_ROOT) };
  return steps.length === 0 ? [none] : steps;
}

interface OwnMessage {
  readonly hash: Hash;
  /** In the tree, from 0. */
  readonly position: number;
}

/** Each feed with the newest message in it. A later feed never has fewer messages, since what is withdrawn keeps its place. */
function stepsOf(feeds: readonly OwnFeed[], messages: Iterable<OwnMessage>, author: string): HistoryStep[] {
  const steps: HistoryStep[] = [];
  const left = [...feeds];
  for (const { hash: leaf, position } of messages) {
    for (let feed = left[0]; feed !== undefined && feed.messages > position; feed = left[0]) {
      const { root } = feed;
      // It stands in every later tree as well, so that having it tells nothing.
      const isFull = FULL_TREES.includes(feed.messages);
      steps.push(isFull ? { root: null, leaf, later: laterTreeHash(author, root) } : { root, leaf });
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
