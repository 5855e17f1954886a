import { expect, test } from 'vitest';
import { frontEndMachine } from '../../machines/front-end.machine.ts';
import type { FrontEndContext } from '../../machines/front-end-context.ts';
import { FRONT_END_EFFECTS } from './front-end-effects.ts';
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
  choose('mute', 'alice'),
  choose('block', 'alice'),
  choose('take-back', '1'),
  choose('open-link', '00'),
  choose('sync', 'alice'),
  choose('sync-all'),
  choose('mark-read'),
  choose('addresses', 'alice'),
  choose('post'),
  choose('reply', '00'),
  choose('search'),
  choose('withdraw', '00'),
  choose('hello'),
  choose('mute-word'),
  { type: 'word.given', word: 'football', muted: true },
  { type: 'message.seen', hash: '00' },
  { type: 'notification.seen', hash: '00' },
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
  { type: 'message.scheduled', id: 1, dueMs: 9, ticket: ours },
  { type: 'message.unscheduled', id: 1, text: 'hello', inReplyTo: null, ticket: ours },
  { type: 'block.changed', name: 'alice', blocked: true, ticket: ours },
  { type: 'message.withdrawn', hash: '01', root: '02', ticket: ours },
  { type: 'follow.changed', name: 'alice', following: true, ticket: ours },
  { type: 'follow.changed', name: 'alice', following: false, ticket: ours },
  { type: 'mute.changed', name: 'alice', muted: true, ticket: ours },
  { type: 'mark.changed', kind: 'bookmark', subject: '00', marked: true, ticket: ours },
  { type: 'messages.read', count: 3, ticket: ours },
  { type: 'wish.failed', failure, ticket: ours },
  report('alice'),
  opened,
  { type: 'messages.received', peer: 'alice', count: 1, notifications: 0 },
  { type: 'messages.received', peer: 'alice', count: 1, notifications: 1 },
] as never;

const input = { id: 'me', drafts: {}, keepsDrafts: true };
const machine = frontEndMachine.provide({ actions: inert(...FRONT_END_EFFECTS) });

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
