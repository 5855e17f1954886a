import { expect, test } from 'vitest';
import { createActor } from 'xstate';
import { frontEndMachine } from '../../machines/front-end.machine.ts';
import type { FrontEndContext } from '../../machines/front-end-context.ts';
import type { Wish } from '../../machines/wishes.ts';
import { inert, unwalked, walkMachine } from './walk-machine.ts';

const choose = (action: string, subject = '') => ({ type: 'action.chosen', action, subject, cursor: 'item' });
const give = (text: string) => ({ type: 'text.given', text });
const dismissed = { type: 'prompt.cancelled', isExit: false };
const interrupt = { type: 'prompt.cancelled', isExit: true };
const failure = { code: 'unexpected', message: 'disk full' };
const address = { ip: '10.0.0.1', port: 1194 };
const report = (peer: string, error?: object) => ({ type: 'sync.finished', report: { peer, ...(error && { error }) } });
const opened = { type: 'session.opened', direction: 'outgoing', name: 'bob', address };
/** The first wish of this front end, and one of another. */
const [ours, theirs] = ['me.1', 'other.1'];

const events = [
  choose('back'),
  choose('quit'),
  choose('peers'),
  choose('tree'),
  choose('tree', 'alice'),
  choose('follow'),
  choose('follow', 'alice'),
  choose('unfollow', 'alice'),
  choose('mute', 'alice'),
  choose('sync', 'alice'),
  choose('sync-all'),
  choose('mark-read'),
  choose('addresses', 'alice'),
  choose('post'),
  choose('reply', '00'),
  choose('search'),
  choose('withdraw', '00'),
  choose('hello'),
  { type: 'message.seen', hash: '00' },
  { type: 'text.changed', text: 'hel' },
  give('hello'),
  give('  '),
  give('10.0.0.1:1194'),
  { type: 'peer.chosen', name: 'alice' },
  { type: 'quit.answered', yes: true },
  { type: 'quit.answered', yes: false },
  choose('trust', 'alice'),
  { type: 'trust.answered', yes: true, key: 'key' },
  { type: 'trust.answered', yes: false, key: 'key' },
  { type: 'key.accepted', name: 'alice', key: 'key', ticket: ours },
  { type: 'withdrawal.answered', yes: true },
  { type: 'withdrawal.answered', yes: false },
  dismissed,
  interrupt,
  { type: 'peers.listed', names: ['alice'] },
  { type: 'peers.listed', names: [] },
  { type: 'work.done' },
  { type: 'work.failed', failure },
  { type: 'message.published', hash: '01', root: '02', ticket: ours },
  { type: 'message.published', hash: '01', root: '02', ticket: theirs },
  { type: 'message.withdrawn', hash: '01', root: '02', ticket: ours },
  { type: 'follow.changed', name: 'alice', following: true, ticket: ours },
  { type: 'follow.changed', name: 'alice', following: false, ticket: ours },
  { type: 'mute.changed', name: 'alice', muted: true, ticket: ours },
  { type: 'messages.read', count: 3, ticket: ours },
  { type: 'wish.failed', failure, ticket: ours },
  report('alice'),
  opened,
  { type: 'messages.received', peer: 'alice', count: 1, mentions: 0 },
  { type: 'messages.received', peer: 'alice', count: 1, mentions: 1 },
] as never;

const effects = [
  'sendToPeer',
  'showScreen',
  'refresh',
  'ring',
  'askText',
  'keepDrafts',
  'askLine',
  'listPeers',
  'askPeer',
  'act',
  'askQuit',
  'askWithdrawal',
  'askTrust',
];
const input = { id: 'me', drafts: {}, keepsDrafts: true };
const machine = frontEndMachine.provide({ actions: inert(...effects) });

test('every transition of the front end is walked', async () => {
  const key = ({ action, places, awaited, greeted }: FrontEndContext) => [
    action,
    places.at(-1)?.kind,
    awaited.length,
    greeted !== undefined,
  ];
  const losing = { ...input, drafts: { '': 'hello' }, keepsDrafts: false };
  const results = await Promise.all([
    walkMachine({ machine, input, key, events, depth: 3 }),
    walkMachine({ machine, input: losing, key, events, depth: 1 }),
  ]);
  const walked = new Set(results.flatMap((result) => [...result.walked]));
  expect(unwalked({ ...(results[0] as (typeof results)[number]), walked })).toEqual([]);
}, 60_000);

/** A front end after these events, and what it has asked the peer for. */
function run(sent: readonly object[], { keepsDrafts = true } = {}) {
  const wishes: Wish[] = [];
  const sendToPeer = (_: unknown, { wish }: { wish: Wish }) => void wishes.push(wish);
  const provided = machine.provide({ actions: { sendToPeer } });
  const actor = createActor(provided, { input: { ...input, keepsDrafts } }).start();
  for (const event of sent) actor.send(event as never);
  const snapshot = actor.getSnapshot();
  return { wishes, context: snapshot.context, state: snapshot.value };
}

const after = (...sent: readonly object[]) => run(sent);

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
    give('hello'),
    { type: 'message.published', hash: '01', root: '02', ticket: ours },
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
  const half = [choose('reply', '00'), { type: 'text.changed', text: 'I think' }, dismissed];
  expect(after(...half).context.drafts).toEqual({ '00': 'I think' });
  const own = after(...half, choose('post'), { type: 'text.changed', text: 'News' });
  expect(own.context.drafts).toEqual({ '00': 'I think', '': 'News' });
});

test('a message that cannot be published stays a draft; one that was is none', () => {
  const sent = [choose('post'), give('hello')];
  const failed = after(...sent, { type: 'wish.failed', failure, ticket: ours });
  expect(failed.context).toMatchObject({ drafts: { '': 'hello' }, notice: { type: 'failure', failure } });
  const published = after(...sent, { type: 'message.published', hash: '01', root: '02', ticket: ours });
  expect(published.context.drafts).toEqual({});
});

test('whatever changes something is asked of the peer, in plain data', () => {
  const asked = (...sent: readonly object[]) => after(...sent).wishes;
  expect(asked(choose('post'), give('hello'))).toEqual([
    { type: 'post.wanted', text: 'hello', inReplyTo: null, ticket: ours },
  ]);
  expect(asked(choose('reply', '00'), give('hello'))).toMatchObject([{ type: 'post.wanted', inReplyTo: '00' }]);
  expect(asked(choose('withdraw', '00'), { type: 'withdrawal.answered', yes: true })).toEqual([
    { type: 'withdrawal.wanted', hash: '00', ticket: ours },
  ]);
  expect(asked(choose('trust', 'alice'))).toEqual([]);
  expect(asked(choose('trust', 'alice'), { type: 'trust.answered', yes: false, key: 'key' })).toEqual([]);
  expect(asked(choose('trust', 'alice'), { type: 'trust.answered', yes: true, key: 'key' })).toEqual([
    { type: 'trust.wanted', name: 'alice', key: 'key', ticket: ours },
  ]);
  expect(asked(choose('unfollow', 'alice'))).toEqual([
    { type: 'follow.wanted', name: 'alice', following: false, ticket: ours },
  ]);
  expect(asked(choose('mute', 'alice'))).toEqual([{ type: 'mute.wanted', name: 'alice', muted: true, ticket: ours }]);
  expect(asked(choose('mark-read'))).toEqual([{ type: 'read.wanted', hashes: 'all', ticket: ours }]);
  expect(asked({ type: 'message.seen', hash: '00' })).toEqual([{ type: 'read.wanted', hashes: ['00'], ticket: '' }]);
  expect(asked(choose('hello'), give('10.0.0.1:1194'))).toEqual([{ type: 'hello.wanted', address }]);
  expect(asked(choose('sync-all'), { type: 'peers.listed', names: ['alice', 'bob'] })).toEqual([
    { type: 'sync.wanted', name: 'alice' },
    { type: 'sync.wanted', name: 'bob' },
  ]);
});

test('it waits for the answer to its own wish, not for that to the wish of another front end', () => {
  const muted = (ticket: string) => ({ type: 'mute.changed', name: 'alice', muted: true, ticket });
  expect(after(choose('mute', 'alice'), muted(theirs)).state).toBe('waiting');
  expect(after(choose('mute', 'alice'), muted(ours)).state).toBe('viewing');
});

test('whoever is followed is downloaded from, and only a failure of that is told', () => {
  const followed = [
    choose('follow', 'alice'),
    { type: 'follow.changed', name: 'alice', following: true, ticket: ours },
  ];
  expect(after(...followed).wishes.at(-1)).toEqual({ type: 'sync.wanted', name: 'alice' });
  expect(after(...followed, report('alice')).context.notice).toMatchObject({ type: 'follow.changed' });
  expect(after(...followed, report('alice', failure)).context.notice).toMatchObject({ type: 'sync.finished' });
});

test('of a download that nobody asked for here, nothing is told', () => {
  expect(after(report('alice')).context.notice).toBeUndefined();
  expect(after(choose('sync', 'alice'), report('alice')).context.notice).toMatchObject({ about: 'sync' });
  expect(
    after(choose('sync', 'alice'), report('alice'), choose('peers'), report('alice')).context.notice,
  ).toBeUndefined();
});

test('Ctrl-C twice leaves; Escape does not', () => {
  expect(after(interrupt, dismissed).state).toBe('viewing');
  expect(after(interrupt, interrupt).state).toBe('left');
});

test('whoever quits is asked first if a draft would be lost by that', () => {
  const quit = [choose('post'), { type: 'text.changed', text: 'hello' }, dismissed, choose('quit')];
  expect(run(quit).state).toBe('left');
  expect(run(quit, { keepsDrafts: false }).state).toBe('leaving');
  expect(run(quit.slice(0, 3), { keepsDrafts: false }).context.notice).toEqual({
    type: 'draft.kept',
    isLasting: false,
  });
});

test('JSON of the machine names all of its actions and guards', () => {
  const config = JSON.stringify(JSON.parse(JSON.stringify(frontEndMachine.config)));
  const { actions, guards } = frontEndMachine.implementations;
  const enqueued = ['sendToPeer'];
  for (const name of [...Object.keys(actions), ...Object.keys(guards)]) {
    if (!enqueued.includes(name)) expect(config).toContain(`"${name}"`);
  }
  expect(config).toContain('"sendToPeer"');
});
