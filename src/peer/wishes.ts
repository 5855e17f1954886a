/** What the peer does in the store when it is asked to: publish, withdraw, follow, mute, mark as read. */
import type { StoreWish, WishAnswer } from '../../machines/wishes.ts';
import { wireDate } from '../feed/message.ts';
import { type Clock, nextTurn } from '../runtime/clock.ts';
import type { CallOf } from '../runtime/shared-effects.ts';
import { blockedNames, requireUnblocked } from '../store/blocked.ts';
import { followedNames } from '../store/followed.ts';
import { FIRST_ARRIVAL, type ScheduledMessage, type Store } from '../store/store.ts';
import { timelineAuthors } from '../store/timeline-authors.ts';
import type { Hash } from '../wire/hash.ts';
import { failureFrom, MurmureError } from '../wire/murmure-error.ts';
import { whyInvalidName } from '../wire/name.ts';

export interface WishDependencies {
  readonly name: string;
  readonly store: Store;
  /** Wall time: what the store keeps. */
  readonly clock: Clock;
  /** For intervals. */
  readonly time: Pick<Clock, 'now'>;
}

/** Messages looked through at a time. */
const PAGE = 1_000;

export interface PostText {
  readonly text: string;
  readonly inReplyTo: Hash | null;
}

/** @throws MurmureError `usage` for a text that is too long, and what the store throws */
export function publish(
  { name, store, clock }: Pick<WishDependencies, 'name' | 'store' | 'clock'>,
  { text, inReplyTo }: PostText,
): { readonly hash: Hash; readonly root: Hash } {
  const nowMs = clock.now();
  return store.publish(name, { date: wireDate(nowMs), inReplyTo, body: text }, nowMs);
}

/** The effect `carryOutWish`: whatever happens, the actor is answered once. */
export function carryOutWishes(dependencies: WishDependencies) {
  const { name: ownName, store, clock, time } = dependencies;
  return async ({ self, enter }: CallOf<'peer'>, { wish }: { wish: StoreWish }): Promise<void> => {
    const answer = (given: WishAnswer) => enter(self, given);
    const { ticket } = wish;
    try {
      switch (wish.type) {
        case 'post.wanted':
          return answer({ type: 'message.published', ...publish(dependencies, wish), ticket });
        case 'withdrawal.wanted':
          return answer({ type: 'message.withdrawn', ...withdraw(dependencies, wish.hash), ticket });
        case 'schedule.wanted': {
          const { text: body, inReplyTo, dueMs } = wish;
          return answer({ type: 'message.scheduled', id: store.schedule({ body, inReplyTo, dueMs }), dueMs, ticket });
        }
        case 'unschedule.wanted': {
          const { id, body: text, inReplyTo } = takeBack(store, wish.id);
          return answer({ type: 'message.unscheduled', id, text, inReplyTo, ticket });
        }
        case 'block.wanted': {
          const { name, blocked } = wish;
          requireOther(name, ownName);
          store.setBlocked(name, blocked, clock.now());
          enter(self, { type: 'following.changed', names: followedNames(store, ownName), atMs: time.now() });
          enter(self, { type: 'blocked.changed', names: blockedNames(store) });
          return answer({ type: 'block.changed', name, blocked, ticket });
        }
        case 'follow.wanted': {
          const { name, following } = wish;
          requireOther(name, ownName);
          if (following) requireUnblocked(store, name);
          store.setFollowing(name, following, clock.now());
          enter(self, { type: 'following.changed', names: followedNames(store, ownName), atMs: time.now() });
          return answer({ type: 'follow.changed', name, following, ticket });
        }
        case 'mute.wanted': {
          const { name, muted, untilMs } = wish;
          requireOther(name, ownName);
          store.setMuted(name, muted, clock.now(), untilMs);
          return answer({ type: 'mute.changed', name, muted, ticket });
        }
        case 'mark.wanted': {
          const { kind, subject, marked, untilMs } = wish;
          if (marked) store.setMarks([{ kind, subject, untilMs }]);
          else store.removeMark(kind, subject);
          return answer({ type: 'mark.changed', kind, subject, marked, ticket });
        }
        case 'trust.wanted': {
          const { name, key } = wish;
          requireOther(name, ownName);
          store.repinKey(name, key, clock.now());
          enter(self, { type: 'trust.changed', name, atMs: time.now() });
          return answer({ type: 'key.accepted', name, key, ticket });
        }
        case 'read.wanted': {
          const { hashes } = wish;
          const count = hashes === 'all' ? await markTimelineRead(dependencies, self) : markRead(store, hashes);
          return answer({ type: 'messages.read', count, ticket });
        }
      }
    } catch (error) {
      answer({ type: 'wish.failed', failure: failureFrom(error), ticket });
    }
  };
}

/** @throws MurmureError `usage` */
export function takeBack(store: Pick<Store, 'unschedule'>, id: number): ScheduledMessage {
  const taken = store.unschedule(id);
  if (taken !== undefined) return taken;
  throw new MurmureError('usage', 'this message waits no more: it was published, or taken back already');
}

/** The effect `publishDue`. */
export function publishDue({ name, store, clock }: Pick<WishDependencies, 'name' | 'store' | 'clock'>) {
  return ({ self, enter }: CallOf<'peer'>): void => {
    try {
      const nowMs = clock.now();
      for (const { id } of store.scheduled().filter(({ dueMs }) => dueMs <= nowMs)) {
        const published = store.publishScheduled(name, id, wireDate(nowMs), nowMs);
        if (published !== undefined) enter(self, { type: 'message.published', ...published, ticket: '' });
      }
      enter(self, { type: 'schedule.known', dueInMs: nextDueIn(store, nowMs) });
    } catch (error) {
      enter(self, { type: 'schedule.failed', failure: failureFrom(error) });
    }
  };
}

/** Undefined: nothing waits. */
export function nextDueIn(store: Pick<Store, 'scheduled'>, nowMs: number): number | undefined {
  const next = store.scheduled()[0];
  return next && Math.max(0, next.dueMs - nowMs);
}

function withdraw({ name, store, clock }: WishDependencies, hash: Hash): { hash: Hash; root: Hash } {
  const withdrawn = store.withdraw(name, hash, clock.now());
  if (withdrawn === undefined)
    throw new MurmureError('usage', 'you can withdraw only messages that you wrote yourself');
  return { hash, root: withdrawn.root };
}

function requireOther(name: string, ownName: string): void {
  const why = whyInvalidName(name);
  if (why !== undefined) throw new MurmureError('usage', `this is not a valid peer name: ${why}`);
  if (name === ownName) throw new MurmureError('usage', `"${name}" is your own name: choose somebody else`);
}

function markRead(store: Store, hashes: readonly Hash[]): number {
  const unread = hashes.filter((hash) => store.message(hash)?.read === false);
  if (unread.length > 0) store.markRead(unread);
  return unread.length;
}

/** A home may hold a hundred thousand messages: between two pages there is time for keys and datagrams. */
async function markTimelineRead(
  { name, store, clock }: WishDependencies,
  self: CallOf<'peer'>['self'],
): Promise<number> {
  const authors = new Set(timelineAuthors(store, name, clock.now()));
  let marked = 0;
  for (let after = FIRST_ARRIVAL; self.getSnapshot().status === 'active'; await nextTurn(clock)) {
    const { messages, mark } = store.arrivalsAfter(after, PAGE);
    const unread = messages.flatMap(({ read, author, hash }) => (!read && authors.has(author) ? [hash] : []));
    if (unread.length > 0) store.markRead(unread);
    marked += unread.length;
    after = mark;
    if (messages.length < PAGE) break;
  }
  return marked;
}
