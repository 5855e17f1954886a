/** The front end as a person uses it: real peers, answers as written down. */
import { expect, test } from 'vitest';
import { runFrontEnd } from '../../src/cli/front-end/run-front-end.ts';
import { bodiesOf, listedPeers } from '../support/scenarios.ts';
import { type Answer, cancel, type ScriptedDialogue, scripted } from '../support/scripted-dialogue.ts';
import type { VirtualPeer, World } from '../support/world.ts';

async function dialogue(
  ...answers: Answer[]
): Promise<{ world: World; alice: VirtualPeer; bob: VirtualPeer; seen: ScriptedDialogue['seen'] }> {
  const world = await listedPeers(5, ['alice', 'bob']);
  const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
  alice.peer.post('Is anybody there?');
  const person = scripted(world, answers);
  const paint = (_format: unknown, text: string) => text;
  await world.settle(runFrontEnd({ ...bob, dialogue: person, paint, clock: world.clock }));
  return { world, alice, bob, seen: person.seen };
}

test('follow, read, answer, quit', async () => {
  const { world, bob, seen } = await dialogue('follow', 'alice', 'sync', 'alice', 'read', 'post', 'I am.', 'quit');
  expect(bob.store.peer('alice')?.following).toBe(true);
  expect(seen.join('\n')).toContain('Is anybody there?');
  expect(bodiesOf(bob, 'bob')).toEqual(['I am.']);
  expect(seen.filter((text) => text.startsWith('bob: '))).toEqual([
    'bob: nothing new',
    // The message came while this question was open: it is counted on the next screen.
    'bob: nothing new',
    'bob: 1 unread message',
    'bob: nothing new',
    'bob: nothing new',
  ]);
  await world.close();
});

test('Ctrl-C at a question goes back; at the home screen it is asked once whether that is meant', async () => {
  const { world, seen } = await dialogue('post', cancel, 'follow', cancel, cancel, false, cancel, cancel);
  expect(seen.filter((text) => text === 'Quit?')).toHaveLength(2);
  await world.close();
});

test('what fails is said, and the dialogue goes on', async () => {
  const { world, seen } = await dialogue('sync', 'nobody', 'unfollow', 'quit');
  expect(seen).toContainEqual(expect.stringMatching(/knows no peer nobody/));
  expect(seen).toContainEqual('there is nobody to choose from\n');
  await world.close();
});

test('a message that cannot be published stays a draft', async () => {
  const { world, bob, seen } = await dialogue('post', 'x'.repeat(986), 'post', '', 'quit');
  expect(seen).toContainEqual(expect.stringMatching(/985/));
  expect(bodiesOf(bob, 'bob')).toEqual([]);
  await world.close();
});
