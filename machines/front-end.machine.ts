/**
 * The dialogue with a person at a terminal. It asks nothing itself: prompts are effects, their answers are events. What changes
 * something is asked of the root peer, and is done once that says so.
 */
import { withActions } from './front-end-actions.ts';
import { draftOf, type FrontEndContext, here, postWishOf, storeWishOf } from './front-end-context.ts';
import { lostDrafts } from './front-end-setup.ts';

interface Args {
  readonly context: FrontEndContext;
}

const keepDrafts = {
  type: 'keepDrafts' as const,
  params: ({ context }: Args) => ({ drafts: context.drafts }),
};
const refresh = {
  type: 'refresh' as const,
  params: ({ context }: Args) => ({ notice: context.notice }),
};

export const frontEndMachine = withActions.createMachine({
  id: 'front-end',
  description: 'The dialogue with a person at a terminal.',
  context: ({ input: { id, drafts, keepsDrafts } }) => ({
    id,
    drafts,
    keepsDrafts,
    places: [{ kind: 'timeline', subject: '', cursor: '' }],
    action: 'timeline',
    subject: '',
    dueMs: undefined,
    offered: undefined,
    names: [],
    notice: undefined,
    wishes: 0,
    awaited: [],
    greeted: undefined,
  }),
  initial: 'viewing',
  on: {
    'messages.received': [
      {
        guard: 'hasNotification',
        actions: [refresh, { type: 'ring', params: ({ event }) => ({ notifications: event.notifications }) }],
      },
      { actions: refresh },
    ],
    'sync.finished': { guard: 'isAwaited', actions: ['noteSync', refresh] },
    'session.opened': { guard: 'isGreeted', actions: ['noteGreeted', refresh] },
    'message.seen': { actions: 'markSeen' },
    'notification.seen': { actions: 'markNoticed' },
  },
  states: {
    viewing: {
      description: 'A screen is shown, the timeline at first. Each of its keys leads on.',
      entry: { type: 'showScreen', params: ({ context }) => ({ place: here(context), notice: context.notice }) },
      on: {
        'action.chosen': [
          { guard: 'isBack', target: 'viewing', reenter: true, actions: 'leavePlace' },
          { guard: 'isQuitWithDrafts', target: 'leaving' },
          { guard: 'isQuit', target: 'left' },
          { guard: 'lacksPeer', target: 'listing', actions: 'noteAction' },
          { guard: 'isPlace', target: 'viewing', reenter: true, actions: 'enterPlace' },
          { guard: 'isWriting', target: 'writing', actions: 'noteAction' },
          { guard: 'isQuestion', target: 'asking', actions: 'noteAction' },
          { guard: 'isWithdrawal', target: 'withdrawing', actions: 'noteAction' },
          { guard: 'isLink', target: 'opening', actions: 'noteAction' },
          { guard: 'isSyncOfAll', target: 'listing', actions: 'noteAction' },
          { target: 'deciding', actions: 'noteAction' },
        ],
        'prompt.cancelled': 'leaving',
      },
    },
    writing: {
      description: 'The person writes a message, or goes on with a draft. Every change is kept.',
      entry: {
        type: 'askText',
        params: ({ context }) => ({ subject: context.subject, draft: draftOf(context) }),
      },
      on: {
        'text.changed': { actions: ['noteDraft', keepDrafts] },
        'text.given': [
          { guard: 'isBlank', target: 'viewing', actions: ['forgetDraft', keepDrafts] },
          { target: 'publishing', actions: ['noteDraft', keepDrafts] },
        ],
        'prompt.cancelled': { target: 'viewing', actions: 'noteKept' },
      },
    },
    publishing: {
      description: 'The peer is asked to publish the message. If it cannot, the message stays a draft.',
      entry: ['takeTicket', { type: 'sendToPeer', params: ({ context }) => ({ wish: postWishOf(context) }) }],
      on: {
        'message.published': {
          guard: 'isAnswer',
          target: 'viewing',
          actions: ['noteAnswer', 'notePublished', 'forgetDraft', keepDrafts],
        },
        'message.scheduled': {
          guard: 'isAnswer',
          target: 'viewing',
          actions: ['noteAnswer', 'forgetDraft', keepDrafts],
        },
        'wish.failed': { guard: 'isAnswer', target: 'viewing', actions: 'noteFailed' },
      },
    },
    asking: {
      description: 'The person types a line: what to search for, a word to mute, or an address.',
      entry: { type: 'askLine', params: ({ context }) => ({ action: context.action }) },
      on: {
        'text.given': [
          { guard: 'isBlank', target: 'viewing' },
          { guard: 'isSearching', target: 'viewing', actions: 'enterFound' },
          { guard: 'isAddress', target: 'viewing', actions: 'sendHello' },
          { target: 'viewing', actions: 'noteBadAddress' },
        ],
        'word.given': { target: 'deciding', actions: 'noteWord' },
        'prompt.cancelled': 'viewing',
      },
    },
    listing: {
      description: 'The names to choose from are looked up: at the directory, or among the peers in the store.',
      entry: { type: 'listPeers', params: ({ context }) => ({ action: context.action }) },
      on: {
        'peers.listed': [
          { guard: 'isNobody', target: 'viewing', actions: 'noteNobody' },
          { guard: 'isSyncingAll', target: 'viewing', actions: 'beginSyncs' },
          { target: 'choosing', actions: 'noteNames' },
        ],
        'work.failed': { target: 'viewing', actions: 'noteFailed' },
      },
    },
    choosing: {
      description: 'The person chooses a peer.',
      entry: {
        type: 'askPeer',
        params: ({ context: { action, names } }) => ({ action, names }),
      },
      on: {
        'peer.chosen': [
          { guard: 'leadsToPlace', target: 'viewing', actions: 'enterPlaceOfPeer' },
          { target: 'deciding', actions: 'notePeer' },
        ],
        'prompt.cancelled': 'viewing',
      },
    },
    withdrawing: {
      description: 'The person reads what withdrawing cannot do, and confirms.',
      entry: { type: 'askWithdrawal', params: ({ context }) => ({ subject: context.subject }) },
      on: {
        'withdrawal.answered': [{ guard: 'isYes', target: 'deciding' }, { target: 'viewing' }],
        'work.failed': { target: 'viewing', actions: 'noteFailed' },
        'prompt.cancelled': 'viewing',
      },
    },
    opening: {
      description: 'The person sees the whole web address, and confirms that the browser is to open it.',
      entry: { type: 'askLink', params: ({ context }) => ({ subject: context.subject }) },
      on: {
        'work.done': { target: 'viewing', actions: 'noteDone' },
        'work.failed': { target: 'viewing', actions: 'noteFailed' },
        'prompt.cancelled': 'viewing',
      },
    },
    comparing: {
      description:
        'The person compares the key that is known with the one that the directory hands out now, and confirms.',
      entry: { type: 'askTrust', params: ({ context }) => ({ subject: context.subject }) },
      on: {
        'trust.answered': [{ guard: 'isYes', target: 'deciding', actions: 'noteOffered' }, { target: 'viewing' }],
        'work.failed': { target: 'viewing', actions: 'noteFailed' },
        'prompt.cancelled': 'viewing',
      },
    },
    deciding: {
      description: 'It is clear what to do, and with whom.',
      always: [
        { guard: 'isTrust', target: 'comparing' },
        { guard: 'isSync', target: 'viewing', actions: 'beginSync' },
        { guard: 'isForStore', target: 'waiting' },
        { target: 'acting' },
      ],
    },
    waiting: {
      description: 'The peer is asked to change something, and has not answered yet.',
      entry: ['takeTicket', { type: 'sendToPeer', params: ({ context }) => ({ wish: storeWishOf(context) }) }],
      on: {
        'follow.changed': [
          { guard: 'isAnswerToFollow', target: 'viewing', actions: ['noteAnswer', 'beginSync'] },
          { guard: 'isAnswer', target: 'viewing', actions: 'noteAnswer' },
        ],
        'mute.changed': { guard: 'isAnswer', target: 'viewing', actions: 'noteAnswer' },
        'mark.changed': { guard: 'isAnswer', target: 'viewing', actions: 'noteAnswer' },
        'key.accepted': { guard: 'isAnswer', target: 'viewing', actions: 'noteAnswer' },
        'block.changed': { guard: 'isAnswer', target: 'viewing', actions: 'noteAnswer' },
        'message.withdrawn': { guard: 'isAnswer', target: 'viewing', actions: 'noteAnswer' },
        'message.unscheduled': { guard: 'isAnswer', target: 'writing', actions: ['noteTakenBack', keepDrafts] },
        'messages.read': { guard: 'isAnswer', target: 'viewing', actions: 'noteAnswer' },
        'wish.failed': { guard: 'isAnswer', target: 'viewing', actions: 'noteFailed' },
      },
    },
    acting: {
      description: 'Something that concerns the front end alone, or a question to the directory.',
      entry: { type: 'act', params: ({ context: { action, subject } }) => ({ action, subject }) },
      on: {
        'work.done': { target: 'viewing', actions: 'noteDone' },
        'work.failed': { target: 'viewing', actions: 'noteFailed' },
      },
    },
    leaving: {
      description: 'The person confirms that they want to leave. A second Ctrl-C does so, too.',
      entry: { type: 'askQuit', params: ({ context }) => ({ lostDrafts: lostDrafts(context) }) },
      on: {
        'quit.answered': [{ guard: 'isYes', target: 'left' }, { target: 'viewing' }],
        'prompt.cancelled': [{ guard: 'isExit', target: 'left' }, { target: 'viewing' }],
      },
    },
    left: { type: 'final', description: 'The dialogue is over.' },
  },
});
