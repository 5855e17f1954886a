/** What can be done while nobody runs the peer of a home, for which no key is needed: the next peer that runs passes it on. */
import { type StoreWish, WISH_ANSWERS, type Wish, type WishAnswer } from '../../../machines/wishes.ts';
import { carryOutWishes } from '../../peer/wishes.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { Store } from '../../store/store.ts';
import { type Home, hasLostStore, isRestored } from '../home/home.ts';
import { whyRefused } from '../home/publishing.ts';

export interface OfflineHome {
  readonly home: Home;
  readonly name: string;
  readonly store: Store;
}

/** Carries out a wish, and tells what came of it; false: only a peer can do that. */
export type DoOffline = (wish: Wish, tell: (answer: WishAnswer) => void) => boolean;

export function offlineWishes({ home, name, store }: OfflineHome): DoOffline {
  const carryOut = carryOutWishes({ name, store, clock: systemClock, time: systemClock });
  const isWhole = () => !isRestored(home) && !hasLostStore(home) && whyRefused(home, store) === undefined;
  return (wish, tell) => {
    if (!isForStore(wish) || (CHANGING_TREE.includes(wish.type) && !isWhole())) return false;
    const enter = (_self: unknown, event: { readonly type: string }) => {
      if (isAnswer(event)) tell(event);
    };
    void carryOut({ self: RUNNING, enter } as unknown as Parameters<typeof carryOut>[0], { wish });
    return true;
  };
}

/** Of a home that was restored these might take back what others have. */
const CHANGING_TREE: readonly Wish['type'][] = ['post.wanted', 'schedule.wanted', 'withdrawal.wanted'];
const RUNNING = { getSnapshot: () => ({ status: 'active' }) };

function isForStore(wish: Wish): wish is StoreWish {
  return !['sync.wanted', 'ping.wanted', 'hello.wanted'].includes(wish.type);
}

function isAnswer(event: { readonly type: string }): event is WishAnswer {
  return (WISH_ANSWERS as readonly string[]).includes(event.type);
}
