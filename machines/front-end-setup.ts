/** What the front end's machine hears, has done outside, and asks itself before it acts. */
import { assertEvent, setup } from 'xstate';
import type { PublicKey } from '../src/identity/public-key.ts';
import { parseAddress, type SocketAddress, sameAddress } from '../src/wire/socket-address.ts';
import { effect } from './effects.ts';
import type { Failure, SyncReport } from './events.ts';
import {
  type Action,
  type FrontEndContext,
  type FrontEndInput,
  isPlaceKind,
  isStoreAction,
  isSyncAction,
  type Notice,
  needsPeer,
  type Place,
  ticketOf,
} from './front-end-context.ts';
import { WISH_ANSWERS, type Wish, type WishAnswer } from './wishes.ts';

/** What it hears of all that the peer emits. */
export type HeardFact =
  | WishAnswer
  | { readonly type: 'sync.finished'; readonly report: SyncReport }
  | {
      readonly type: 'session.opened';
      readonly direction: 'outgoing' | 'incoming';
      readonly name: string;
      readonly address: SocketAddress;
    }
  /** Without the messages, which are in the store. `notifications`: how many of the newest are replies to the person, or mention them. */
  | {
      readonly type: 'messages.received';
      readonly peer: string;
      readonly count: number;
      readonly notifications: number;
    };

export type FrontEndEvent =
  /** A key on a screen. `subject` is the message or the peer that it is about, `''` if there is none; `cursor` the item it was pressed on. */
  | { readonly type: 'action.chosen'; readonly action: Action; readonly subject: string; readonly cursor: string }
  /** The cursor came to a message that was unread. */
  | { readonly type: 'message.seen'; readonly hash: string }
  /** The cursor came to a notification that was new. */
  | { readonly type: 'notification.seen'; readonly hash: string }
  | { readonly type: 'text.changed'; readonly text: string }
  /** `dueMs`: when it is to be published, Unix ms; absent: at once. */
  | { readonly type: 'text.given'; readonly text: string; readonly dueMs?: number }
  /** In lower case and without accents. `muted`: whether to mute it from now on. */
  | { readonly type: 'word.given'; readonly word: string; readonly muted: boolean }
  | { readonly type: 'peer.chosen'; readonly name: string }
  | { readonly type: 'quit.answered'; readonly yes: boolean }
  | { readonly type: 'withdrawal.answered'; readonly yes: boolean }
  /** `key`: the one that was shown. */
  | { readonly type: 'trust.answered'; readonly yes: boolean; readonly key: PublicKey }
  /** The question is not answered: Escape, or Ctrl-C, which is what `isExit` says. */
  | { readonly type: 'prompt.cancelled'; readonly isExit: boolean }
  | { readonly type: 'peers.listed'; readonly names: readonly string[] }
  | { readonly type: 'work.done'; readonly notice?: Notice }
  | { readonly type: 'work.failed'; readonly failure: Failure }
  | HeardFact;

export function chosen(event: FrontEndEvent) {
  assertEvent(event, 'action.chosen');
  return event;
}

export function given(event: FrontEndEvent) {
  assertEvent(event, 'text.given');
  return event;
}

function answered(event: FrontEndEvent) {
  assertEvent(event, ['quit.answered', 'withdrawal.answered', 'trust.answered']);
  return event;
}

export function answerIn(event: FrontEndEvent): WishAnswer {
  assertEvent(event, WISH_ANSWERS);
  return event;
}

export const base = setup({
  types: { context: {} as FrontEndContext, events: {} as FrontEndEvent, input: {} as FrontEndInput },
  actions: {
    /** To the root peer, wherever that runs. Whatever becomes of it comes back as a fact with the wish's ticket. */
    sendToPeer: effect<{ wish: Wish }>('sendToPeer'),
    showScreen: effect<{ place: Place; notice: Notice | undefined }>('showScreen'),
    refresh: effect<{ notice: Notice | undefined }>('refresh'),
    ring: effect<{ notifications: number }>('ring'),
    askText: effect<{ subject: string; draft: string }>('askText'),
    keepDrafts: effect<{ drafts: FrontEndContext['drafts'] }>('keepDrafts'),
    askLine: effect<{ action: Action }>('askLine'),
    listPeers: effect<{ action: Action }>('listPeers'),
    askPeer: effect<{ action: Action; names: readonly string[] }>('askPeer'),
    act: effect<{ action: Action; subject: string }>('act'),
    askQuit: effect<{ lostDrafts: number }>('askQuit'),
    askWithdrawal: effect<{ subject: string }>('askWithdrawal'),
    askLink: effect<{ subject: string }>('askLink'),
    askTrust: effect<{ subject: string }>('askTrust'),
  },
  guards: {
    isBack: ({ event }) => chosen(event).action === 'back',
    isQuit: ({ event }) => chosen(event).action === 'quit',
    isQuitWithDrafts: ({ context, event }) => chosen(event).action === 'quit' && lostDrafts(context) > 0,
    lacksPeer: ({ event }) => chosen(event).subject === '' && needsPeer(chosen(event).action),
    isPlace: ({ event }) => isPlaceKind(chosen(event).action),
    isWriting: ({ event }) => ['post', 'reply'].includes(chosen(event).action),
    isQuestion: ({ event }) => ['search', 'hello', 'mute-word'].includes(chosen(event).action),
    isLink: ({ event }) => chosen(event).action === 'open-link',
    isWithdrawal: ({ event }) => chosen(event).action === 'withdraw',
    isTrust: ({ context }) => context.action === 'trust' && context.offered === undefined,
    isSyncOfAll: ({ event }) => chosen(event).action === 'sync-all',
    isBlank: ({ event }) => given(event).text.trim() === '',
    isAddress: ({ event }) => parseAddress(given(event).text.trim()).ok,
    isSearching: ({ context }) => context.action === 'search',
    isSyncingAll: ({ context }) => context.action === 'sync-all',
    leadsToPlace: ({ context }) => isPlaceKind(context.action),
    isSync: ({ context }) => isSyncAction(context.action),
    isForStore: ({ context }) => isStoreAction(context.action),
    isNobody: ({ event }) => {
      assertEvent(event, 'peers.listed');
      return event.names.length === 0;
    },
    isYes: ({ event }) => answered(event).yes,
    isExit: ({ event }) => {
      assertEvent(event, 'prompt.cancelled');
      return event.isExit;
    },
    isAnswer: ({ context, event }) => answerIn(event).ticket === ticketOf(context),
    isAnswerToFollow: ({ context, event }) => {
      assertEvent(event, 'follow.changed');
      return event.ticket === ticketOf(context) && event.following;
    },
    isAwaited: ({ context, event }) => {
      assertEvent(event, 'sync.finished');
      return context.awaited.some(({ name }) => name === event.report.peer);
    },
    isGreeted: ({ context: { greeted }, event }) => {
      assertEvent(event, 'session.opened');
      return event.direction === 'outgoing' && greeted !== undefined && sameAddress(greeted, event.address);
    },
    hasNotification: ({ event }) => {
      assertEvent(event, 'messages.received');
      return event.notifications > 0;
    },
  },
});

/** What would be gone if the program ended now. */
export function lostDrafts({ drafts, keepsDrafts }: FrontEndContext): number {
  return keepsDrafts ? 0 : Object.keys(drafts).length;
}
