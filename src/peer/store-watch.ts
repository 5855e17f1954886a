/** Notices what other processes change in the same home: they may post, schedule, follow, block, or trust another key. */

import type { PeerEvent } from '../../machines/peer-events.ts';
import type { PublicKey } from '../identity/public-key.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ElapsedTime } from '../runtime/elapsed-time.ts';
import { every } from '../runtime/interval.ts';
import { blockedNames } from '../store/blocked.ts';
import { followedNames } from '../store/followed.ts';
import type { Store } from '../store/store.ts';
import type { Hash } from '../wire/hash.ts';
import { failureFrom } from '../wire/murmure-error.ts';
import { outdatedTrust } from './outdated-trust.ts';

/** How often the store is asked whether another process has written to it. */
const POLL_MS = 250;

interface Watched {
  readonly name: string;
  readonly store: Store;
  /** Wall time. */
  readonly clock: Clock;
  readonly time: ElapsedTime;
  /** The current state of the machines. */
  readonly snapshot: () => Parameters<typeof outdatedTrust>[0];
  readonly announce: (root: Hash) => void;
  readonly submit: (event: PeerEvent) => void;
  readonly warn: (message: string) => void;
}

export class StoreWatch {
  readonly #watched: Watched;
  /** Peers whose key differs from the pinned one, with the pinned key. BOUNDED: by the peers that are asked for. */
  readonly #refused = new Map<string, PublicKey | undefined>();
  /** The store's state when it was last read; undefined: not since the start. */
  #seen: number | undefined;
  /** When the next scheduled message is due, as far as the machines know. */
  #dueMs: number | undefined;
  #isBroken = false;

  constructor(watched: Watched) {
    this.#watched = watched;
  }

  /** Returns a function that stops it. */
  start(): () => void {
    return every(this.#watched.clock, POLL_MS, () => {
      try {
        this.#look();
        this.#isBroken = false;
      } catch (error) {
        const why = failureFrom(error).message;
        const message = `the database cannot be read, so posts of other commands are not noticed: ${why}`;
        if (!this.#isBroken) this.#watched.warn(message);
        this.#isBroken = true;
      }
    });
  }

  /** Tells the peer when the next scheduled message is due, if that has changed. */
  lookAtSchedule(isAnew = false): void {
    const { store, clock, submit } = this.#watched;
    const dueMs = store.scheduled()[0]?.dueMs;
    if (dueMs === this.#dueMs && !(isAnew && dueMs !== undefined)) return;
    this.#dueMs = dueMs;
    submit({ type: 'schedule.known', dueInMs: dueMs === undefined ? undefined : Math.max(0, dueMs - clock.now()) });
  }

  /** The peer has another key than the pinned one. The user may accept it. */
  keyRefused(name: string): void {
    this.#refused.set(name, this.#watched.store.peer(name)?.key);
  }

  keyAccepted(name: string): void {
    this.#refused.delete(name);
  }

  #look(): void {
    const { store, name: ownName, snapshot, announce, submit } = this.#watched;
    const changes = store.foreignChanges();
    if (changes === this.#seen) return;
    announce(store.ownFeed().root);
    const following = followedNames(store, ownName);
    if (!areSame(following, snapshot().context.following)) {
      submit({ type: 'following.changed', names: following, atMs: this.#watched.time.now() });
    }
    const blocked = blockedNames(store);
    if (!areSame(blocked, snapshot().context.blocked)) submit({ type: 'blocked.changed', names: blocked });
    this.lookAtSchedule();
    for (const [name, key] of this.#refused) {
      if (store.peer(name)?.key !== key) this.#trustChanged(name);
    }
    for (const name of outdatedTrust(snapshot(), store)) this.#trustChanged(name);
    // Set last, so that a failed read is repeated.
    this.#seen = changes;
  }

  #trustChanged(name: string): void {
    this.#watched.submit({ type: 'trust.changed', name, atMs: this.#watched.time.now() });
  }
}

function areSame(some: readonly string[], others: readonly string[]): boolean {
  return some.join('\n') === others.join('\n');
}
