/** What a person at the front end sees of messages, and where reading goes on. */
import { expect, test } from 'vitest';
import { positionInMemory } from '../../src/cli/front-end/reading-position.ts';
import { runFrontEnd } from '../../src/cli/front-end/run-front-end.ts';
import type { Screen } from '../../src/cli/front-end/screen.ts';
import { paint } from '../support/front-end.ts';
import { listedPeers } from '../support/scenarios.ts';
import { type Answer, cancel, press, scripted } from '../support/scripted-dialogue.ts';
import type { VirtualPeer } from '../support/world.ts';

test('a restart begins where the person was last, whatever has arrived since', async () => {
  const world = await listedPeers(5, ['alice', 'bob']);
  const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
  const readingPosition = positionInMemory();
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
