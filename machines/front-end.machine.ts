/**
 * The dialogue with a person at a terminal. It asks nothing itself: prompts are effects, their answers are events; and so is what
 * the peer tells meanwhile.
 */
import { setup } from 'xstate';
import { effect } from './effects.ts';
import type { Failure } from './events.ts';
import { nameActions } from './named.ts';

/** What can be chosen on the home screen. */
export type Choice = 'read' | 'post' | 'sync' | 'follow' | 'unfollow' | 'quit';

export type FrontEndEvent =
  | { readonly type: 'home.chosen'; readonly choice: Choice }
  | { readonly type: 'text.given'; readonly text: string }
  | { readonly type: 'peer.chosen'; readonly name: string }
  | { readonly type: 'quit.answered'; readonly yes: boolean }
  /** Ctrl-C, or Escape: the question is not answered. */
  | { readonly type: 'prompt.cancelled' }
  | { readonly type: 'peers.listed'; readonly names: readonly string[] }
  | { readonly type: 'work.done'; readonly notice: string }
  | { readonly type: 'work.failed'; readonly failure: Failure }
  | { readonly type: 'messages.arrived'; readonly count: number };

export interface FrontEndInput {
  readonly name: string;
  /** Messages that are not read yet. */
  readonly unread: number;
}

export interface FrontEndContext extends FrontEndInput {
  readonly choice: Choice | undefined;
  readonly names: readonly string[];
  /** Half-written, or not published yet: nothing that was typed is lost. */
  readonly draft: string;
  /** What became of the last thing done; shown on the home screen. */
  readonly notice: string;
}

const base = setup({
  types: { context: {} as FrontEndContext, events: {} as FrontEndEvent, input: {} as FrontEndInput },
  actions: {
    showHome: effect<{ name: string; unread: number; notice: string }>('showHome'),
    showMessages: effect<undefined>('showMessages'),
    askText: effect<{ draft: string }>('askText'),
    publish: effect<{ text: string }>('publish'),
    listPeers: effect<{ choice: Choice }>('listPeers'),
    askPeer: effect<{ choice: Choice; names: readonly string[] }>('askPeer'),
    act: effect<{ choice: Choice; name: string }>('act'),
    askQuit: effect<undefined>('askQuit'),
  },
  guards: {
    isRead: ({ event }) => event.type === 'home.chosen' && event.choice === 'read',
    isPost: ({ event }) => event.type === 'home.chosen' && event.choice === 'post',
    isQuit: ({ event }) => event.type === 'home.chosen' && event.choice === 'quit',
    isBlank: ({ event }) => event.type === 'text.given' && event.text.trim() === '',
    isNobody: ({ event }) => event.type === 'peers.listed' && event.names.length === 0,
    isYes: ({ event }) => event.type === 'quit.answered' && event.yes,
  },
});

const noteChoice = base.assign(({ event }) =>
  event.type === 'home.chosen' ? { choice: event.choice, notice: '' } : {},
);
const noteDraft = base.assign(({ event }) => (event.type === 'text.given' ? { draft: event.text } : {}));
const noteNames = base.assign(({ event }) => (event.type === 'peers.listed' ? { names: event.names } : {}));
const noteNobody = base.assign({ notice: 'there is nobody to choose from' });
const noteDone = base.assign(({ event }) => (event.type === 'work.done' ? { notice: event.notice } : {}));
const noteFailed = base.assign(({ event }) => (event.type === 'work.failed' ? { notice: event.failure.message } : {}));
const forgetDraft = base.assign({ draft: '' });
const noteRead = base.assign({ unread: 0 });
const countArrived = base.assign(({ context, event }) =>
  event.type === 'messages.arrived' ? { unread: context.unread + event.count } : {},
);

nameActions({
  noteChoice,
  noteDraft,
  noteNames,
  noteNobody,
  noteDone,
  noteFailed,
  forgetDraft,
  noteRead,
  countArrived,
});

export const frontEndMachine = base.createMachine({
  id: 'front-end',
  description: 'The dialogue with a person at a terminal.',
  context: ({ input: { name, unread } }) => ({ name, unread, choice: undefined, names: [], draft: '', notice: '' }),
  initial: 'home',
  on: { 'messages.arrived': { actions: countArrived } },
  states: {
    home: {
      description: 'The home screen: what is new, and what can be done.',
      entry: {
        type: 'showHome',
        params: ({ context: { name, unread, notice } }) => ({ name, unread, notice }),
      },
      on: {
        'home.chosen': [
          { guard: 'isRead', target: 'reading', actions: noteChoice },
          { guard: 'isPost', target: 'writing', actions: noteChoice },
          { guard: 'isQuit', target: 'left' },
          { target: 'listing', actions: noteChoice },
        ],
        'prompt.cancelled': 'leaving',
      },
    },
    reading: {
      description: 'The timeline is shown; what is on it counts as read.',
      entry: { type: 'showMessages' },
      on: {
        'work.done': { target: 'home', actions: [noteDone, noteRead] },
        'work.failed': { target: 'home', actions: noteFailed },
      },
    },
    writing: {
      description: 'A message is being written; what was written before is still there.',
      entry: { type: 'askText', params: ({ context }) => ({ draft: context.draft }) },
      on: {
        'text.given': [
          { guard: 'isBlank', target: 'home', actions: forgetDraft },
          { target: 'publishing', actions: noteDraft },
        ],
        'prompt.cancelled': 'home',
      },
    },
    publishing: {
      description: 'The message goes into the tree; if it cannot, it stays a draft.',
      entry: { type: 'publish', params: ({ context }) => ({ text: context.draft }) },
      on: {
        'work.done': { target: 'home', actions: [noteDone, forgetDraft] },
        'work.failed': { target: 'home', actions: noteFailed },
      },
    },
    listing: {
      description: 'Whom there is to choose from: at the directory, or among those who are followed.',
      entry: { type: 'listPeers', params: ({ context }) => ({ choice: context.choice as Choice }) },
      on: {
        'peers.listed': [
          { guard: 'isNobody', target: 'home', actions: noteNobody },
          { target: 'choosing', actions: noteNames },
        ],
        'work.failed': { target: 'home', actions: noteFailed },
      },
    },
    choosing: {
      description: 'Whom it is to be done with.',
      entry: {
        type: 'askPeer',
        params: ({ context }) => ({ choice: context.choice as Choice, names: context.names }),
      },
      on: {
        'peer.chosen': 'acting',
        'prompt.cancelled': 'home',
      },
    },
    acting: {
      description: 'It is being done; it ends in a notice on the home screen.',
      entry: {
        type: 'act',
        params: ({ context, event }) => ({
          choice: context.choice as Choice,
          name: event.type === 'peer.chosen' ? event.name : '',
        }),
      },
      on: {
        'work.done': { target: 'home', actions: noteDone },
        'work.failed': { target: 'home', actions: noteFailed },
      },
    },
    leaving: {
      description: 'Ctrl-C was pressed once: is that meant? Twice is.',
      entry: { type: 'askQuit' },
      on: {
        'quit.answered': [{ guard: 'isYes', target: 'left' }, { target: 'home' }],
        'prompt.cancelled': 'left',
      },
    },
    left: { type: 'final', description: 'The dialogue is over; everything is kept.' },
  },
});
