/**
 * The dialogue with a person at a terminal. It asks nothing itself: prompts are effects, their answers are events; and so is what
 * the peer tells meanwhile.
 */
import { setup } from 'xstate';
import { effect } from './effects.ts';
import type { Failure } from './events.ts';
import {
  type Action,
  draftOf,
  type FrontEndContext,
  type FrontEndInput,
  here,
  isPlaceKind,
  needsPeer,
  type Place,
  pushed,
  withDraft,
} from './front-end-context.ts';
import { nameActions } from './named.ts';

export type FrontEndEvent =
  /** A key on a screen. `subject` is the message or the peer that it is about, `''` if there is none; `cursor` the item it was pressed on. */
  | { readonly type: 'action.chosen'; readonly action: Action; readonly subject: string; readonly cursor: string }
  | { readonly type: 'text.changed'; readonly text: string }
  | { readonly type: 'text.given'; readonly text: string }
  | { readonly type: 'peer.chosen'; readonly name: string }
  | { readonly type: 'quit.answered'; readonly yes: boolean }
  | { readonly type: 'withdrawal.answered'; readonly yes: boolean }
  /** Ctrl-C, or Escape: the question is not answered. */
  | { readonly type: 'prompt.cancelled' }
  | { readonly type: 'peers.listed'; readonly names: readonly string[] }
  /** `cursor` is the item to go to, if that is on the screen. */
  | { readonly type: 'work.done'; readonly notice: string; readonly cursor?: string }
  | { readonly type: 'work.failed'; readonly failure: Failure }
  /** What came of something that was begun earlier. */
  | { readonly type: 'news.heard'; readonly notice: string }
  | { readonly type: 'messages.arrived'; readonly count: number; readonly mentions: number };

const base = setup({
  types: { context: {} as FrontEndContext, events: {} as FrontEndEvent, input: {} as FrontEndInput },
  actions: {
    showScreen: effect<{ place: Place; notice: string }>('showScreen'),
    refresh: effect<{ notice: string }>('refresh'),
    ring: effect<{ mentions: number }>('ring'),
    askText: effect<{ subject: string; draft: string }>('askText'),
    keepDrafts: effect<{ drafts: FrontEndContext['drafts'] }>('keepDrafts'),
    publish: effect<{ subject: string; text: string }>('publish'),
    askLine: effect<{ action: Action }>('askLine'),
    listPeers: effect<{ action: Action }>('listPeers'),
    askPeer: effect<{ action: Action; names: readonly string[] }>('askPeer'),
    act: effect<{ action: Action; subject: string }>('act'),
    askQuit: effect<undefined>('askQuit'),
    askWithdrawal: effect<{ subject: string }>('askWithdrawal'),
  },
  guards: {
    isBack: ({ event }) => event.type === 'action.chosen' && event.action === 'back',
    isQuit: ({ event }) => event.type === 'action.chosen' && event.action === 'quit',
    lacksPeer: ({ event }) => event.type === 'action.chosen' && event.subject === '' && needsPeer(event.action),
    isPlace: ({ event }) => event.type === 'action.chosen' && isPlaceKind(event.action),
    isWriting: ({ event }) => event.type === 'action.chosen' && (event.action === 'post' || event.action === 'reply'),
    isQuestion: ({ event }) =>
      event.type === 'action.chosen' && (event.action === 'search' || event.action === 'hello'),
    isBlank: ({ event }) => event.type === 'text.given' && event.text.trim() === '',
    leadsToPlace: ({ context }) => isPlaceKind(context.action),
    isSearch: ({ context }) => context.action === 'search',
    isNobody: ({ event }) => event.type === 'peers.listed' && event.names.length === 0,
    isWithdrawal: ({ event }) => event.type === 'action.chosen' && event.action === 'withdraw',
    isYes: ({ event }) => (event.type === 'quit.answered' || event.type === 'withdrawal.answered') && event.yes,
    hasMention: ({ event }) => event.type === 'messages.arrived' && event.mentions > 0,
  },
});

const noteAction = base.assign(({ context, event }) => {
  if (event.type !== 'action.chosen') return {};
  const { action, subject, cursor } = event;
  const places = [...context.places.slice(0, -1), { ...here(context), cursor }];
  return { action, subject, places, notice: '' };
});
const enterPlace = base.assign(({ context, event }) => {
  if (event.type !== 'action.chosen' || !isPlaceKind(event.action)) return {};
  const { action, subject, cursor } = event;
  const left = [...context.places.slice(0, -1), { ...here(context), cursor }];
  return { places: pushed(left, { kind: action, subject, cursor: '' }), notice: '' };
});
const enterPlaceOfPeer = base.assign(({ context, event }) =>
  event.type === 'peer.chosen' && isPlaceKind(context.action)
    ? { places: pushed(context.places, { kind: context.action, subject: event.name, cursor: '' }) }
    : {},
);
const enterFound = base.assign(({ context, event }) =>
  event.type === 'text.given'
    ? { places: pushed(context.places, { kind: 'found', subject: event.text.trim(), cursor: '' }) }
    : {},
);
const leavePlace = base.assign(({ context: { places } }) => ({
  places: places.length > 1 ? places.slice(0, -1) : places,
  notice: '',
}));
const noteSubject = base.assign(({ event }) => {
  if (event.type === 'text.given') return { subject: event.text.trim() };
  return event.type === 'peer.chosen' ? { subject: event.name } : {};
});
const noteDraft = base.assign(({ context, event }) =>
  event.type === 'text.given' || event.type === 'text.changed' ? { drafts: withDraft(context, event.text) } : {},
);
const forgetDraft = base.assign(({ context }) => ({ drafts: withDraft(context, '') }));
const noteKept = base.assign(({ context }) => ({
  notice: draftOf(context) === '' ? '' : 'what you wrote is kept: it is there when you go on',
}));
const noteNames = base.assign(({ event }) => (event.type === 'peers.listed' ? { names: event.names } : {}));
const noteNobody = base.assign({ notice: 'there is nobody to choose from' });
const noteDone = base.assign(({ event }) =>
  event.type === 'work.done' || event.type === 'news.heard' ? { notice: event.notice } : {},
);
/** What was written is where the person is, on the screens that have it. */
const noteCursor = base.assign(({ context, event }) => {
  const place = here(context);
  if (event.type !== 'work.done' || event.cursor === undefined || !['timeline', 'thread'].includes(place.kind))
    return {};
  return { places: [...context.places.slice(0, -1), { ...place, cursor: event.cursor }] };
});
const noteFailed = base.assign(({ event }) => (event.type === 'work.failed' ? { notice: event.failure.message } : {}));

nameActions({
  noteAction,
  enterPlace,
  enterPlaceOfPeer,
  enterFound,
  leavePlace,
  noteSubject,
  noteDraft,
  forgetDraft,
  noteKept,
  noteNames,
  noteNobody,
  noteDone,
  noteCursor,
  noteFailed,
});

const keepDrafts = {
  type: 'keepDrafts' as const,
  params: ({ context }: { context: FrontEndContext }) => ({ drafts: context.drafts }),
};
const refresh = {
  type: 'refresh' as const,
  params: ({ context }: { context: FrontEndContext }) => ({ notice: context.notice }),
};

export const frontEndMachine = base.createMachine({
  id: 'front-end',
  description: 'The dialogue with a person at a terminal.',
  context: ({ input: { drafts } }) => ({
    places: [{ kind: 'timeline', subject: '', cursor: '' }],
    action: 'timeline',
    subject: '',
    names: [],
    drafts,
    notice: '',
  }),
  initial: 'viewing',
  on: {
    'messages.arrived': [
      {
        guard: 'hasMention',
        actions: [refresh, { type: 'ring', params: ({ event }) => ({ mentions: event.mentions }) }],
      },
      { actions: refresh },
    ],
    'news.heard': { actions: [noteDone, refresh] },
  },
  states: {
    viewing: {
      description: 'A screen is shown, the timeline at first; each key on it leads on.',
      entry: { type: 'showScreen', params: ({ context }) => ({ place: here(context), notice: context.notice }) },
      on: {
        'action.chosen': [
          { guard: 'isBack', target: 'viewing', reenter: true, actions: leavePlace },
          { guard: 'isQuit', target: 'left' },
          { guard: 'lacksPeer', target: 'listing', actions: noteAction },
          { guard: 'isPlace', target: 'viewing', reenter: true, actions: enterPlace },
          { guard: 'isWriting', target: 'writing', actions: noteAction },
          { guard: 'isQuestion', target: 'asking', actions: noteAction },
          { guard: 'isWithdrawal', target: 'withdrawing', actions: noteAction },
          { target: 'acting', actions: noteAction },
        ],
        'prompt.cancelled': 'leaving',
      },
    },
    writing: {
      description: 'A message is being written; what was written before is still there, and every change is kept.',
      entry: {
        type: 'askText',
        params: ({ context }) => ({ subject: context.subject, draft: draftOf(context) }),
      },
      on: {
        'text.changed': { actions: [noteDraft, keepDrafts] },
        'text.given': [
          { guard: 'isBlank', target: 'viewing', actions: [forgetDraft, keepDrafts] },
          { target: 'publishing', actions: [noteDraft, keepDrafts] },
        ],
        'prompt.cancelled': { target: 'viewing', actions: noteKept },
      },
    },
    publishing: {
      description: 'The message goes into the tree; if it cannot, it stays a draft.',
      entry: {
        type: 'publish',
        params: ({ context }) => ({ subject: context.subject, text: draftOf(context) }),
      },
      on: {
        'work.done': { target: 'viewing', actions: [noteDone, noteCursor, forgetDraft, keepDrafts] },
        'work.failed': { target: 'viewing', actions: noteFailed },
      },
    },
    asking: {
      description: 'A line is being typed: what to search for, or an address.',
      entry: { type: 'askLine', params: ({ context }) => ({ action: context.action }) },
      on: {
        'text.given': [
          { guard: 'isBlank', target: 'viewing' },
          { guard: 'isSearch', target: 'viewing', actions: enterFound },
          { target: 'acting', actions: noteSubject },
        ],
        'prompt.cancelled': 'viewing',
      },
    },
    listing: {
      description: 'Whom there is to choose from: at the directory, or among those who are followed.',
      entry: { type: 'listPeers', params: ({ context }) => ({ action: context.action }) },
      on: {
        'peers.listed': [
          { guard: 'isNobody', target: 'viewing', actions: noteNobody },
          { target: 'choosing', actions: noteNames },
        ],
        'work.failed': { target: 'viewing', actions: noteFailed },
      },
    },
    choosing: {
      description: 'Whom it is to be done with.',
      entry: {
        type: 'askPeer',
        params: ({ context: { action, names } }) => ({ action, names }),
      },
      on: {
        'peer.chosen': [
          { guard: 'leadsToPlace', target: 'viewing', actions: enterPlaceOfPeer },
          { target: 'acting', actions: noteSubject },
        ],
        'prompt.cancelled': 'viewing',
      },
    },
    acting: {
      description: 'It is being done, or begun; what came of it is noted on the screen.',
      entry: { type: 'act', params: ({ context: { action, subject } }) => ({ action, subject }) },
      on: {
        'work.done': { target: 'viewing', actions: noteDone },
        'work.failed': { target: 'viewing', actions: noteFailed },
      },
    },
    withdrawing: {
      description: 'It is said what withdrawing cannot do: is it meant?',
      entry: { type: 'askWithdrawal', params: ({ context }) => ({ subject: context.subject }) },
      on: {
        'withdrawal.answered': [{ guard: 'isYes', target: 'acting' }, { target: 'viewing' }],
        'work.failed': { target: 'viewing', actions: noteFailed },
        'prompt.cancelled': 'viewing',
      },
    },
    leaving: {
      description: 'Ctrl-C was pressed once: is that meant? Twice is.',
      entry: { type: 'askQuit' },
      on: {
        'quit.answered': [{ guard: 'isYes', target: 'left' }, { target: 'viewing' }],
        'prompt.cancelled': 'left',
      },
    },
    left: { type: 'final', description: 'The dialogue is over; everything is kept.' },
  },
});
