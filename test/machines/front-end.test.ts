import { expect, test } from 'vitest';
import { createActor } from 'xstate';
import { frontEndMachine } from '../../machines/front-end.machine.ts';
import type { FrontEndContext } from '../../machines/front-end-context.ts';
import { inert, unwalked, walkMachine } from './walk-machine.ts';

const choose = (action: string, subject = '') => ({ type: 'action.chosen', action, subject, cursor: 'item' });

const events = [
  choose('back'),
  choose('quit'),
  choose('peers'),
  choose('tree'),
  choose('tree', 'alice'),
  choose('follow'),
  choose('follow', 'alice'),
  choose('post'),
  choose('reply', '00'),
  choose('search'),
  choose('withdraw', '00'),
  choose('hello'),
  { type: 'text.changed', text: 'hel' },
  { type: 'text.given', text: 'hello' },
  { type: 'text.given', text: '  ' },
  { type: 'peer.chosen', name: 'alice' },
  { type: 'quit.answered', yes: true },
  { type: 'quit.answered', yes: false },
  { type: 'withdrawal.answered', yes: true },
  { type: 'withdrawal.answered', yes: false },
  { type: 'prompt.cancelled' },
  { type: 'peers.listed', names: ['alice'] },
  { type: 'peers.listed', names: [] },
  { type: 'work.done', notice: 'done' },
  { type: 'work.done', notice: 'published', cursor: '01' },
  { type: 'work.failed', failure: { code: 'peer-unreachable', message: 'no' } },
  { type: 'news.heard', notice: 'later' },
  { type: 'messages.arrived', count: 1, mentions: 0 },
  { type: 'messages.arrived', count: 1, mentions: 1 },
] as never;

const effects = [
  'showScreen',
  'refresh',
  'ring',
  'askText',
  'keepDrafts',
  'publish',
  'askLine',
  'listPeers',
  'askPeer',
  'act',
  'askQuit',
  'askWithdrawal',
];
const machine = frontEndMachine.provide({ actions: inert(...effects) });

test('every transition of the front end is walked', async () => {
  const key = ({ action, places }: FrontEndContext) => [action, places.at(-1)?.kind];
  const result = await walkMachine({ machine, input: { drafts: {} }, key, events, depth: 4 });
  expect(unwalked(result)).toEqual([]);
});

/** The front end after these events. */
function after(...sent: readonly object[]) {
  const actor = createActor(machine, { input: { drafts: {} } }).start();
  for (const event of sent) actor.send(event as never);
  return actor.getSnapshot();
}

test('going back leads to where one came from, with the cursor where it was', () => {
  const { places } = after(choose('peers'), choose('peer', 'alice'), choose('back')).context;
  expect(places).toEqual([
    { kind: 'timeline', subject: '', cursor: 'item' },
    { kind: 'peers', subject: '', cursor: 'item' },
  ]);
});

test('what was published is where the cursor is, on the screens that have it', () => {
  const published = [
    choose('post'),
    { type: 'text.given', text: 'hello' },
    { type: 'work.done', notice: '', cursor: '01' },
  ];
  expect(after(...published).context.places.at(-1)?.cursor).toBe('01');
  expect(after(choose('peers'), ...published).context.places.at(-1)?.cursor).toBe('item');
});

test('the way back leads to the timeline, however far one went', () => {
  const far = Array.from({ length: 100 }, (_, index) => choose('peer', `peer ${index}`));
  const { places } = after(...far).context;
  expect(places[0]?.kind).toBe('timeline');
  expect(places.length).toBeLessThan(50);
  expect(places.at(-1)?.subject).toBe('peer 99');
});

test('a text that is broken off stays, and only where it was meant to go', () => {
  const half = [choose('reply', '00'), { type: 'text.changed', text: 'I think' }, { type: 'prompt.cancelled' }];
  expect(after(...half).context.drafts).toEqual({ '00': 'I think' });
  const own = after(...half, choose('post'), { type: 'text.changed', text: 'News' });
  expect(own.context.drafts).toEqual({ '00': 'I think', '': 'News' });
});

test('a message that cannot be published stays a draft; one that was is none', () => {
  const sent = [choose('post'), { type: 'text.given', text: 'hello' }];
  const failed = after(...sent, { type: 'work.failed', failure: { code: 'unexpected', message: 'disk full' } });
  expect(failed.context).toMatchObject({ drafts: { '': 'hello' }, notice: 'disk full' });
  expect(after(...sent, { type: 'work.done', notice: 'published' }).context.drafts).toEqual({});
});
