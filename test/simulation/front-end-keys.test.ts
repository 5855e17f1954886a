/** The keys of the front end: how many each thing takes, and that none of them ends it by accident. */
import width from 'fast-string-width';
import { expect, test } from 'vitest';
import { runFrontEnd } from '../../src/cli/front-end/run-front-end.ts';
import { paint } from '../support/front-end.ts';
import { randomDialogue } from '../support/random-dialogue.ts';
import { listedPeers } from '../support/scenarios.ts';
import { type Answer, cancel, press, scripted } from '../support/scripted-dialogue.ts';
import { underSeeds } from '../support/seeds.ts';
import type { VirtualPeer } from '../support/world.ts';

/** What there is to do, the keys for it (a name that is picked is Enter, what is typed not counted), and what is seen then. */
const ways: readonly (readonly [string, readonly Answer[], RegExp])[] = [
  ['read', [], /^bob · timeline/],
  ['open a thread', [press('enter')], /^conversation/],
  ['reply', [press('r'), 'I am.'], /Published\./],
  ['post', [press('p'), 'Hello.'], /Published\./],
  ['follow', [press('f'), 'carol'], /You now follow carol/],
  ['unfollow', [press('u'), 'alice'], /You no longer follow alice/],
  ['mute', [press('v'), press('m')], /alice is muted/],
  ['mark read', [press('m')], /Marked 1 message as read/],
  ['bookmark', [press('b')], /Bookmarked/],
  ['bookmarks', [press('b'), press('B')], /^bookmarks\nalice .*★/],
  ['mute a conversation', [press('M')], /timeline\n[\s\S]*This conversation is muted/],
  ['mute a word', [press('W'), 'Anybody'], /timeline\n[\s\S]*Messages with “anybody” are muted/],
  ['see what is muted', [press('M'), press('z')], /Is anybody there/],
  ['own page', [press('y')], /^bob\nthis is +you/],
  ['notifications', [press('@')], /^notifications/],
  ['search', [press('/'), 'anybody'], /1 message with “anybody”/],
  ['look at a peer', [press('v')], /fingerprint/],
  ["look at a peer's Merkle tree", [press('v'), press('t')], /^tree of alice/],
  ['see received Errors and what happened lately', [press('e')], /^recent events/],
  ['settings', [press('c')], /^settings/],
  ['help', [press('?')], /^help/],
  ['list the peers', [press('i'), press('1')], /^peers/],
  ['addresses of a peer', [press('i'), press('2'), 'alice'], /alice is at /],
  ['Hello to an address', [press('i'), press('3'), '10.0.1.1:40000'], /10\.0\.1\.1:40000/],
  ['RootRequest', [press('i'), press('4'), 'alice'], /The root of alice/],
  ['download a tree', [press('i'), press('5'), 'alice'], /alice: nothing new/],
  ['print own tree', [press('i'), press('6')], /^tree of bob/],
  ["print a peer's tree", [press('i'), press('7'), 'alice'], /^tree of alice/],
  ["print a peer's messages", [press('i'), press('8'), 'alice'], /^messages by alice/],
  ['quit', [press('i'), press('9')], /^inspect/],
];

test.for(ways)('%s takes three keys at most', async ([what, keys, seenThen]) => {
  expect(keys.length).toBeLessThanOrEqual(3);
  const world = await listedPeers(5, ['alice', 'bob', 'carol']);
  const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
  alice.peer.post('Is anybody there?');
  bob.peer.follow('alice');
  await world.settle(bob.peer.sync('alice'));
  const person = scripted(world, [...keys, cancel, cancel]);
  await world.settle(runFrontEnd({ ...bob, dialogue: person, paint, clock: world.clock }));
  const last = person.seen.findLast((text) => text !== 'Quit?');
  expect(last).toMatch(seenThen);
  expect(person.seen.includes('Quit?')).toBe(what !== 'quit');
  await world.close();
});

/** Of Unicode only what can be seen, as it is on one line. */
const UNSEEN = /[\p{Cc}\u200b\u202a-\u202e\u2066-\u2069]/u;

test('whatever keys are pressed and whatever is answered, the dialogue goes on until one leaves', async () => {
  const titles = new Set<string>();
  const actions = new Set<string>();
  await underSeeds(28, async (seed) => {
    const world = await listedPeers(seed, ['alice', 'bob']);
    const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
    const texts = ['Is anybody there?', '@bob, \u001b[2Jare you?\u202e', '日本語 👩‍🌾 '.repeat(40)];
    for (const text of texts) alice.peer.post(text);
    const columns = 20 + (seed % 5) * 20;
    const person = randomDialogue(world, world.random.fork('person'), { columns, questions: 150 });
    await world.settle(
      runFrontEnd({ ...bob, dialogue: person, paint, clock: world.clock, openAddress: async () => {} }),
    );
    expect(person.seen.length).toBeGreaterThan(150);
    for (const line of person.lines) {
      expect(line).not.toMatch(UNSEEN);
      expect(width(line)).toBeLessThanOrEqual(columns);
    }
    for (const hint of person.hints) expect(hint).toContain('? help');
    for (const title of person.seen) titles.add(title.replace(/ (of|by|with|· \d+ new) ?.*/, ''));
    for (const action of person.actions) actions.add(action);
    await world.close();
  });
  const places = [
    'bob · timeline',
    'notifications',
    'bookmarks',
    'bob',
    'conversation',
    'peers',
    'alice',
    'messages',
    'tree',
    'settings',
    'help',
    'inspect',
  ];
  expect([...titles]).toEqual(expect.arrayContaining(places));
  // All but those that "inspect" leads to, which `choose` stands for.
  const keys = [
    'thread',
    'reply',
    'withdraw',
    'post',
    'search',
    'follow',
    'unfollow',
    'mute',
    'unmute',
    'sync',
    'sync-all',
  ];
  const others = [
    'notifications',
    'bookmarks',
    'bookmark',
    'mute-conversation',
    'mark-read',
    'toggle-dates',
    'toggle-muted',
    'log',
    'settings',
    'edit-settings',
    'inspect',
    'choose',
    'tree',
  ];
  expect([...actions]).toEqual(
    expect.arrayContaining([...keys, ...others, 'mute-word', 'peers', 'peer', 'help', 'back']),
  );
}, 300_000);
