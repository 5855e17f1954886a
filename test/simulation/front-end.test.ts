/** The front end as a person uses it: real peers, answers as written down. */
import width from 'fast-string-width';
import { expect, test } from 'vitest';
import type { Drafts } from '../../src/cli/front-end/drafts.ts';
import { positionInMemory } from '../../src/cli/front-end/reading-position.ts';
import { runFrontEnd } from '../../src/cli/front-end/run-front-end.ts';
import type { Screen } from '../../src/cli/front-end/screen.ts';
import { formatAddress } from '../../src/wire/socket-address.ts';
import { randomDialogue } from '../support/random-dialogue.ts';
import { bodiesOf, listedPeers } from '../support/scenarios.ts';
import {
  type Answer,
  cancel,
  dismiss,
  LATER,
  press,
  type ScriptedDialogue,
  scripted,
} from '../support/scripted-dialogue.ts';
import { underSeeds } from '../support/seeds.ts';
import type { VirtualPeer, World } from '../support/world.ts';

interface Told {
  readonly world: World;
  readonly alice: VirtualPeer;
  readonly bob: VirtualPeer;
  readonly seen: ScriptedDialogue['seen'];
  readonly rings: number;
  readonly drafts: Drafts;
}

const paint = (_format: unknown, text: string) => text;

/** Bob at his front end; alice has written something. */
async function dialogue(answers: readonly Answer[] | ((world: World) => readonly Answer[])): Promise<Told> {
  const world = await listedPeers(5, ['alice', 'bob']);
  const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
  alice.peer.post('Is anybody there?');
  const person = scripted(world, typeof answers === 'function' ? answers(world) : answers);
  let drafts: Drafts = {};
  const keeper = {
    drafts,
    keep: (kept: Drafts) => {
      drafts = kept;
    },
  };
  await world.settle(runFrontEnd({ ...bob, dialogue: person, paint, drafts: keeper, clock: world.clock }));
  return { world, alice, bob, seen: person.seen, rings: person.rings, drafts };
}

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

test('what others do not see yet is shown with its time, taken back with Z, and gone on with', async () => {
  const { world, bob, seen, drafts } = await dialogue([
    press('Z'),
    press('p'),
    `Not yet.${LATER}`,
    press('Z'),
    'Not yet, but soon.…',
    press('q'),
  ]);
  expect(seen[1]).not.toContain('To be published');
  expect(seen[3]).toMatch(/To be published at \d\d:\d\d:\d\d: “Not yet\.” {2}Z takes it back/);
  expect(seen[4]).toBe('Your message: Not yet.');
  expect(seen[5]).not.toContain('To be published');
  expect(drafts).toEqual({ '': 'Not yet, but soon.' });
  await world.clock.advance(60_000);
  expect(bodiesOf(bob, 'bob')).toEqual([]);
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

test('a restart begins where the person was last, whatever has arrived since', async () => {
  const world = await listedPeers(5, ['alice', 'bob']);
  const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
  const readingPosition = {
    position: '',
    keep: (hash: string) => {
      readingPosition.position = hash;
    },
  };
  const sit = async (...answers: readonly Answer[]) => {
    const dialogue = scripted(world, [...answers, press('q')]);
    await world.settle(runFrontEnd({ ...bob, dialogue, paint, readingPosition, clock: world.clock }));
    return dialogue.seen;
  };
  for (const text of ['first', 'second', 'third']) alice.peer.post(text);
  await sit(press('f'), 'alice', press('enter', 'second'), press('escape'));
  for (let number = 0; number < 300; number++) alice.peer.post(`later ${number}`);
  await world.clock.advance(10_000);
  expect((await sit(press('enter'), press('escape')))[1]).toMatch(/conversation\n.*alice.*\n {2}second/);
  await world.close();
});

test('the notifications have a count and a position of their own, also after a restart', async () => {
  const world = await listedPeers(3, ['alice', 'bob']);
  const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
  for (let i = 1; i <= 3; i++) alice.peer.post(`@bob ${i}`);
  bob.peer.follow('alice');
  await world.settle(bob.peer.sync('alice'));
  const positions = { readingPosition: positionInMemory(), notificationsPosition: positionInMemory() };
  const show = async (...answers: Answer[]) => {
    const dialogue = scripted(world, [...answers, cancel, cancel]);
    await world.settle(runFrontEnd({ ...bob, dialogue, paint, ...positions, clock: world.clock }));
    return dialogue.seen;
  };
  const seen = await show(press('@'), press('enter', '@bob 2'), press('escape'), press('q'));
  expect(seen[0]).toContain('@ 3 notifications');
  expect(seen[1]).toMatch(/^notifications · 3 new/);
  expect(seen[3]).toMatch(/^notifications · 2 new/);
  expect(seen[4]).toContain('@ 2 notifications');
  expect(bob.store.message(positions.notificationsPosition.position)?.body).toBe('@bob 2');
  // The place on the timeline is where it was.
  expect(positions.readingPosition.position).toBe('');
  alice.peer.post('@bob 4');
  await world.clock.advance(5_000);
  const later = await show(press('@'), press('enter'));
  expect(later[1]).toMatch(/^notifications · 3 new/);
  expect(later[2]).toMatch(/^conversation\n(• )?alice [^\n]*\n {2}@bob 2/);
  await world.close();
});

test('what one has written is where the cursor is, and one goes back to where one was', async () => {
  const world = await listedPeers(3, ['alice', 'bob']);
  const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
  for (let i = 1; i <= 5; i++) alice.peer.post(`message ${i}`);
  bob.peer.follow('alice');
  await world.settle(bob.peer.sync('alice'));
  const readingPosition = positionInMemory();
  const places: (string | undefined)[] = [];
  const answers: Answer[] = [press('enter', 'message 2'), press('escape'), press('p'), 'mine', cancel, cancel];
  const dialogue = scripted(world, answers);
  const screen = (shown: Screen) => {
    places.push(shown.returning?.backTo);
    return dialogue.screen(shown);
  };
  await world.settle(
    runFrontEnd({ ...bob, dialogue: { ...dialogue, screen }, paint, readingPosition, clock: world.clock }),
  );
  const position = bob.store.messages().find(({ body }) => body === 'message 2')?.hash;
  expect(places).toEqual(['', undefined, '', position]);
  expect(readingPosition.position).toBe(position);
  await world.close();
});

test('muted words and conversations are not shown, nor counted, until they are asked for', async () => {
  const world = await listedPeers(3, ['alice', 'bob']);
  const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
  for (const text of ['sun', 'rain for @bob', 'snow']) alice.peer.post(text);
  bob.peer.follow('alice');
  await world.settle(bob.peer.sync('alice'));
  bob.store.setMarks([{ kind: 'word', subject: 'rain', untilMs: undefined }]);
  const asides: string[] = [];
  const dialogue = scripted(world, [press('M', 'snow'), press('z'), press('M', 'snow'), press('z'), cancel, cancel]);
  const screen = (shown: Screen) => {
    asides.push(shown.aside?.() ?? '');
    return dialogue.screen(shown);
  };
  await world.settle(runFrontEnd({ ...bob, dialogue: { ...dialogue, screen }, paint, clock: world.clock }));
  const { seen } = dialogue;
  expect(seen[0]).not.toContain('rain');
  expect(seen[0]).toMatch(/2 unread(?! · @)/);
  expect(seen[1]).not.toContain('snow');
  expect(seen[2]).toMatch(/\[muted: “rain”\]\n {2}rain for @bob[\s\S]*\[muted: this conversation\]\n {2}snow/);
  expect(seen[4]).toContain('snow');
  expect(asides.slice(0, 5)).toEqual([
    '1 muted: z shows them',
    '2 muted: z shows them',
    'muted ones too: z hides them',
    'muted ones too: z hides them',
    '1 muted: z shows them',
  ]);
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

test('a message that cannot be published stays a draft', async () => {
  const { world, bob, seen, drafts } = await dialogue([press('p'), 'x'.repeat(986), press('q')]);
  expect(seen.at(-1)).toMatch(/985.* 1 draft/s);
  expect(bodiesOf(bob, 'bob')).toEqual([]);
  expect(drafts).toEqual({ '': 'x'.repeat(986) });
  await world.close();
});

test('half-written is kept, and there when one goes on; a blank text is none', async () => {
  const { world, bob, seen, drafts } = await dialogue([press('p'), 'I was about to…', press('p'), '  ', press('q')]);
  expect(seen).toContain('Your message: I was about to');
  expect(seen).toContainEqual(expect.stringContaining('Your draft is saved'));
  expect(drafts).toEqual({});
  expect(bodiesOf(bob, 'bob')).toEqual([]);
  await world.close();
});

test("a message of one's own is withdrawn, once it was said what that cannot do; one of others is not", async () => {
  const { world, bob, seen } = await dialogue([
    press('p'),
    'Too early.',
    press('x', 'Too early.'),
    false,
    press('x', 'Too early.'),
    true,
    press('f'),
    'alice',
    press('x', 'Is anybody there?'),
    press('q'),
  ]);
  expect(seen.filter((text) => text === 'Withdraw it?')).toHaveLength(2);
  expect(seen).toContainEqual(expect.stringContaining('cannot be made to forget it'));
  expect(bodiesOf(bob, 'bob')).toEqual([]);
  expect(seen.at(-1)).toContain('you can withdraw only messages that you wrote yourself');
  await world.close();
});

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

test('a muted word that is typed again is shown again, and the question says which are muted', async () => {
  const world = await listedPeers(5, ['bob']);
  const [bob] = world.peers as [VirtualPeer];
  const person = scripted(world, [press('W'), 'rain', press('W'), 'RAIN', cancel, cancel]);
  await world.settle(runFrontEnd({ ...bob, dialogue: person, paint, clock: world.clock }));
  const seen = person.seen.join('\n');
  expect(seen).toContain('Muted words: rain');
  expect(seen).toContain('Messages with “rain” are shown again.');
  await world.close();
});

/** Of Unicode only what can be seen, as it is on one line. */
const UNSEEN = /[\p{Cc}\u200b\u202a-\u202e\u2066-\u2069]/u;

test('whatever keys are pressed and whatever is answered, the dialogue goes on until one leaves', async () => {
  const titles = new Set<string>();
  const actions = new Set<string>();
  await underSeeds(20, async (seed) => {
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
