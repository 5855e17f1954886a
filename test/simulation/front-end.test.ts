/** The front end as a person uses it: real peers, answers as written down. */
import { expect, test } from 'vitest';
import { runFrontEnd } from '../../src/cli/front-end/run-front-end.ts';
import { formatAddress } from '../../src/wire/socket-address.ts';
import { dialogue, paint } from '../support/front-end.ts';
import { bodiesOf, listedPeers } from '../support/scenarios.ts';
import { cancel, dismiss, press, scripted } from '../support/scripted-dialogue.ts';
import type { VirtualPeer } from '../support/world.ts';

test('follow, read, answer, quit', async () => {
  const { world, bob, seen } = await dialogue([
    press('f'),
    'alice',
    press('enter', 'Is anybody there?'),
    press('r', 'Is anybody there?'),
    'I am.',
    press('escape'),
    press('q'),
  ]);
  expect(bob.store.peer('alice')?.following).toBe(true);
  const [first, question, timeline, , answer, , last] = seen;
  expect(first).toContain('bob · timeline');
  expect(question).toBe('Whom do you want to follow?');
  expect(timeline).toContain('• alice now\n  Is anybody there?\nYou now follow alice.\n');
  expect(timeline).toContain('1 unread');
  expect(answer).toBe('Your reply');
  expect(last).toContain('alice now\n  Is anybody there?\n  ↳ bob (you) now\n    I am.');
  expect(last).not.toContain('unread');
  expect(bodiesOf(bob, 'bob')).toEqual(['I am.']);
  await world.close();
});

test('what arrives while a question is open is on the next screen; a mention of the own name rings', async () => {
  const { world, seen, rings } = await dialogue((world) => {
    // By then the answer is being written.
    world.clock.setTimeout(() => world.peers[0]?.peer.post('Hi @bob, how are you?'), 3_500);
    return [press('f'), 'alice', press('p'), 'Hello.', press('@'), press('escape'), press('q')];
  });
  expect(seen[4]).toContain('Hi @bob, how are you?');
  expect(seen[4]).toContain('@ 1 notification');
  expect(seen[5]).toContain('notifications · 1 new\n• alice');
  expect(rings).toBe(1);
  await world.close();
});

test('whoever is blocked on their page disappears, and comes back', async () => {
  const { world, bob, seen } = await dialogue([
    press('f'),
    'alice',
    press('v', 'Is anybody there?'),
    press('X'),
    press('escape'),
    press('w'),
    press('enter', 'alice'),
    press('X'),
    press('f'),
    press('escape'),
    press('escape'),
    press('q'),
  ]);
  expect(seen[4]).toContain('alice is blocked');
  expect(seen[5]).not.toContain('Is anybody there?');
  expect(seen.at(-1)).toContain('Is anybody there?');
  expect(bob.store.peer('alice')).toMatchObject({ blocked: false, following: true });
  await world.close();
});

test('Ctrl-C at a question goes back; on a screen it is asked once whether that is meant', async () => {
  const { world, seen } = await dialogue([press('p'), cancel, press('f'), cancel, cancel, false, cancel, cancel]);
  expect(seen.filter((text) => text === 'Quit?')).toHaveLength(2);
  await world.close();
});

test('Escape at "Quit?" goes back; what would be lost is said there', async () => {
  const world = await listedPeers(5, ['bob']);
  const [bob] = world.peers as [VirtualPeer];
  const person = scripted(world, [cancel, dismiss, press('p'), 'Half…', press('q'), dismiss, press('q'), true]);
  await world.settle(runFrontEnd({ ...bob, dialogue: person, paint, clock: world.clock }));
  expect(person.seen.filter((text) => text.startsWith('Quit?'))).toEqual([
    'Quit?',
    'Quit? Your draft will be lost.',
    'Quit? Your draft will be lost.',
  ]);
  expect(person.seen).toContainEqual(expect.stringContaining('Your draft is kept until you quit'));
  await world.close();
});

test('whoever leaves while downloads run leaves at once, and nothing is left to fail', async () => {
  const { world } = await dialogue([press('f'), 'alice', press('s'), press('q')]);
  await world.close();
});

test('a peer is online as long as it answers, not as long as the directory lists it', async () => {
  const { world, seen } = await dialogue(({ peers: [alice], clock }) => {
    clock.setTimeout(() => void alice?.peer.close(), 4_500);
    return [
      press('f'),
      'alice',
      press('w'),
      press('escape'),
      press('s'),
      ...Array(150).fill(press('t')),
      press('w'),
      press('q'),
      press('q'),
    ];
  });
  const lists = seen.filter((text) => text.startsWith('peers\n'));
  expect(lists[0]).toMatch(/^alice .*online/m);
  expect(lists[1]).not.toContain('online');
  await world.close();
});

test('what fails is said, and the dialogue goes on', async () => {
  const { world, seen } = await dialogue([
    press('i'),
    press('enter', 'addresses'),
    'nobody',
    press('escape'),
    press('u'),
    press('q'),
  ]);
  expect(seen).toContainEqual(expect.stringMatching(/lists no "nobody"/));
  expect(seen.at(-1)).toContain('You do not follow anybody yet');
  await world.close();
});

test('where there is no message, the key for its author asks which peer is meant', async () => {
  const { world, seen } = await dialogue([press('v'), 'alice', press('escape'), press('q')]);
  expect(seen[0]).toContain('No messages yet');
  expect(seen[1]).toBe('Which peer?');
  expect(seen[2]).toMatch(/^alice\nfingerprint/);
  await world.close();
});

test('everything under "inspect" answers', async () => {
  const { world, seen } = await dialogue(({ peers: [alice] }) => [
    press('i'),
    press('enter', 'list the peers'),
    press('escape'),
    press('enter', 'look up the addresses'),
    'alice',
    press('enter', 'send a Hello'),
    formatAddress(alice?.peer.addresses[0] as never),
    press('enter', 'RootRequest'),
    'alice',
    press('enter', 'download'),
    'alice',
    press('enter', 'my own tree'),
    press('escape'),
    press('enter', "show a peer's tree"),
    'alice',
    press('escape'),
    press('enter', "a peer's messages"),
    'alice',
    press('escape'),
    press('enter', 'quit'),
  ]);
  const all = seen.join('\n---\n');
  expect(all).toMatch(/alice {2}listed/);
  expect(all).toMatch(/alice is at .*:\d+/);
  expect(all).toMatch(/:\d+ has answered: a session is open/);
  expect(all).toMatch(/The root of alice is [0-9a-f]{12}/);
  expect(all).toContain('tree of bob\nThe tree is empty');
  expect(all).toMatch(/tree of alice\n[0-9a-f]{12} Is anybody there\?/);
  expect(all).toMatch(/messages by alice\n• alice now/);
  await world.close();
});

test('one looks at a peer, mutes it, and hears it again', async () => {
  const { world, bob, seen } = await dialogue([
    press('f'),
    'alice',
    press('w'),
    press('enter', 'alice'),
    press('m'),
    press('escape'),
    press('escape'),
    press('w'),
    press('enter', 'alice'),
    press('m'),
    press('t'),
    press('enter'),
    ...Array.from({ length: 4 }, () => press('escape')),
    press('q'),
  ]);
  const peerScreen = seen.find((text) => text.startsWith('alice\nfingerprint'));
  expect(peerScreen).toMatch(/relation +followed/);
  expect(peerScreen).toMatch(/messages +1\n/);
  expect(seen.find((text) => text.includes('alice is muted'))).toMatch(/relation +followed, muted/);
  expect(bob.store.peer('alice')?.muted).toBe(false);
  await world.close();
});
