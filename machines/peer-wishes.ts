/** How the root peer actor takes wishes that change the store, and passes the answers on to everybody who listens. */
import { assertEvent, emit } from 'xstate';
import { effect } from './effects.ts';
import { base } from './peer-setup.ts';
import type { StoreWish } from './wishes.ts';

export const withWishes = base.extend({
  actions: {
    /** Does in the store what is asked for; the outcome is a `WishAnswer`. */
    carryOutWish: effect<{ wish: StoreWish & { readonly atMs: number } }>('carryOutWish'),
    tellAnswer: emit(({ event }) => {
      assertEvent(event, [
        'message.published',
        'message.withdrawn',
        'follow.changed',
        'mute.changed',
        'messages.read',
        'wish.failed',
      ]);
      return event;
    }),
  },
});
