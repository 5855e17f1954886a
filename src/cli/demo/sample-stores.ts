/** Stores filled with the sample messages, one per neighbour, each with a tree of its own shape. */
import { wireDate } from '../../feed/message.ts';
import { openSqliteStore } from '../../store/sqlite-store.ts';
import type { OwnFeed, Store, StoredNode } from '../../store/store.ts';
import { type Hash, hashOf } from '../../wire/hash.ts';
import { encodeInternal, encodeMessage, type MessageFields } from '../../wire/node.ts';
import { messages, type Neighbour, neighbours, type Shape } from './script.ts';

const MESSAGE_INTERVAL_S = 47 * 60;

/** Everyone's store, by name. The last message is from a moment before `nowMs`, the others from the days before. */
export function createSampleStores(nowMs: number): Map<string, Store> {
  const drafts = datedDrafts(nowMs);
  return new Map(neighbours.map((neighbour) => [neighbour.name, createStore(neighbour, drafts, nowMs)]));
}

interface AuthoredDraft extends MessageFields {
  readonly author: string;
}

/** A reply names the hash of what it answers, so messages are made in the order in which they were written. */
function datedDrafts(nowMs: number): AuthoredDraft[] {
  const hashes = new Map<string, Hash>();
  const lastDate = wireDate(nowMs) - 60;
  return messages.map(({ author, body, key, answers }, index) => {
    const date = lastDate - (messages.length - 1 - index) * MESSAGE_INTERVAL_S;
    const inReplyTo = answers === undefined ? null : (hashes.get(answers) ?? null);
    const draft = { author, date, inReplyTo, body };
    if (key !== undefined) hashes.set(key, hashOf(encodeMessage(draft)));
    return draft;
  });
}

function createStore({ name, shape }: Neighbour, drafts: readonly AuthoredDraft[], nowMs: number): Store {
  const own = drafts.filter(({ author }) => author === name);
  const store = openSqliteStore(':memory:');
  if (shape === 'canonical') {
    for (const draft of own) store.publish(name, draft, nowMs);
    return store;
  }
  const { nodes, root } = chain(own, shape);
  // Wanted by a walk that never ends, the tree is safe from collection.
  store.beginWalk(name, root, nowMs);
  store.putNodes(nodes);
  return withOwnFeed(store, { root, messages: own.length });
}

/** A tree of pairs: a message and the rest, which hangs on the left or, in a linked list, on the right. */
function chain(
  drafts: readonly MessageFields[],
  shape: Exclude<Shape, 'canonical'>,
): { nodes: StoredNode[]; root: Hash } {
  const leaves = drafts.map((draft) => toNode(encodeMessage(draft)));
  const [first, ...others] = shape === 'left chain' ? leaves : leaves.toReversed();
  if (first === undefined) throw new RangeError('a chain has at least one message');
  const pairs: StoredNode[] = [];
  let { hash: root } = first;
  for (const { hash } of others) {
    const pair = toNode(encodeInternal(shape === 'left chain' ? [root, hash] : [hash, root]));
    pairs.push(pair);
    root = pair.hash;
  }
  return { nodes: [...leaves, ...pairs], root };
}

function toNode(value: Uint8Array): StoredNode {
  return { hash: hashOf(value), value };
}

/** The store publishes canonical trees only: for another one, what it says of its own feed is replaced. */
function withOwnFeed(store: Store, feed: OwnFeed): Store {
  return new Proxy(store, {
    get(target, property) {
      if (property === 'ownFeed') return () => feed;
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
