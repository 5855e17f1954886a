import { expect, test } from 'vitest';
import { type FrontEndContext, frontEndMachine } from '../../machines/front-end.machine.ts';
import { inert, unwalked, walkMachine } from './walk-machine.ts';

const choices = ['read', 'post', 'sync', 'follow', 'unfollow', 'quit'] as const;
const events = [
  ...choices.map((choice) => ({ type: 'home.chosen', choice })),
  { type: 'text.given', text: 'hello' },
  { type: 'text.given', text: '  ' },
  { type: 'peer.chosen', name: 'alice' },
  { type: 'quit.answered', yes: true },
  { type: 'quit.answered', yes: false },
  { type: 'prompt.cancelled' },
  { type: 'peers.listed', names: ['alice'] },
  { type: 'peers.listed', names: [] },
  { type: 'work.done', notice: 'done' },
  { type: 'work.failed', failure: { code: 'peer-unreachable', message: 'no' } },
  { type: 'messages.arrived', count: 1 },
] as never;

const effects = ['showHome', 'showMessages', 'askText', 'publish', 'listPeers', 'askPeer', 'act', 'askQuit'];

test('every transition of the front end is walked', async () => {
  const machine = frontEndMachine.provide({ actions: inert(...effects) });
  const key = ({ choice, draft }: FrontEndContext) => [choice, draft];
  const result = await walkMachine({ machine, input: { name: 'me', unread: 0 }, key, events, depth: 6 });
  expect(unwalked(result)).toEqual([]);
});
