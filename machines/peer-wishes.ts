/** How the root peer actor takes wishes that change the store, and passes the answers on to everybody who listens. */
import { assertEvent } from 'xstate';
import { base } from './peer-setup.ts';
import { WISH_ANSWERS } from './wishes.ts';

export const wishActions = {
  takeWish: base.enqueueActions(({ event, enqueue }) => {
    assertEvent(event, [
      'post.wanted',
      'withdrawal.wanted',
      'schedule.wanted',
      'unschedule.wanted',
      'block.wanted',
      'follow.wanted',
      'mute.wanted',
      'mark.wanted',
      'trust.wanted',
      'read.wanted',
    ]);
    enqueue({ type: 'carryOutWish', params: { wish: event } });
  }),

  /** Whoever must not publish takes nothing that would have to be published. */
  refuseWish: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, ['post.wanted', 'withdrawal.wanted', 'schedule.wanted']);
    const { retirement: failure } = context;
    if (failure !== undefined) enqueue.emit({ type: 'wish.failed', failure, ticket: event.ticket });
  }),

  tellAnswer: base.emit(({ event }) => {
    assertEvent(event, WISH_ANSWERS);
    return event;
  }),
};
