/** What one asks a peer for in plain data, and how it answers. */
import { expect, test } from 'vitest';
import { WISH_ANSWERS } from '../../../machines/wishes.ts';
import type { PeerFact, Wish, WishAnswer } from '../../../src/index.ts';
import { ZERO_HASH } from '../../../src/wire/hash.ts';
import { bodiesOf, listedPeers } from '../../support/scenarios.ts';
import type { VirtualPeer } from '../../support/world.ts';

const ANSWERS: readonly PeerFact['type'][] = WISH_ANSWERS;

async function asking() {
  const world = await listedPeers(3, ['alice', 'bob']);
  const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
  /** What comes of a wish that went through JSON, as between two processes. */
  const ask = async (wish: Wish): Promise<WishAnswer | undefined> => {
    const before = bob.facts.length;
    bob.peer.ask(JSON.parse(JSON.stringify(wish)));
    await world.clock.advance(1_000);
    const answers = bob.facts.slice(before).filter(({ type }) => ANSWERS.includes(type));
    expect(answers.length).toBeLessThanOrEqual(1);
    return answers[0] as WishAnswer | undefined;
  };
  return { world, alice, bob, ask };
}

test('a message that is asked for is published, pushed, and withdrawn again', async () => {
  const { world, alice, bob, ask } = await asking();
  alice.peer.follow('bob');
  await world.settle(alice.peer.sync('bob'));
  const published = await ask({ type: 'post.wanted', text: 'Hello.', inReplyTo: null, ticket: 'one' });
  expect(published).toMatchObject({ type: 'message.published', ticket: 'one', root: bob.peer.root });
  await world.clock.advance(5_000);
  expect(bodiesOf(alice, 'bob')).toEqual(['Hello.']);
  const { hash } = published as Extract<WishAnswer, { type: 'message.published' }>;
  const withdrawn = await ask({ type: 'withdrawal.wanted', hash, ticket: 'two' });
  expect(withdrawn).toEqual({ type: 'message.withdrawn', hash, root: bob.peer.root, ticket: 'two' });
  await world.clock.advance(5_000);
  expect(bodiesOf(alice, 'bob')).toEqual([]);
  await world.close();
});

test('whom one follows or mutes is remembered, and told', async () => {
  const { world, alice, bob, ask } = await asking();
  alice.peer.post('Is anybody there?');
  expect(await ask({ type: 'follow.wanted', name: 'alice', following: true, ticket: 'a' })).toEqual({
    type: 'follow.changed',
    name: 'alice',
    following: true,
    ticket: 'a',
  });
  expect(bodiesOf(bob, 'alice')).toEqual(['Is anybody there?']);
  expect(bob.peer.timeline().map(({ body }) => body)).toEqual(['Is anybody there?']);
  expect(await ask({ type: 'mute.wanted', name: 'alice', muted: true, ticket: 'b' })).toMatchObject({ muted: true });
  expect(bob.peer.timeline()).toEqual([]);
  expect(bob.peer.messages()).toHaveLength(1);
  await world.close();
});

test('what is muted until a date, a word or a conversation is not on the timeline, and each mark is told', async () => {
  const { world, alice, bob, ask } = await asking();
  const [first] = [alice.peer.post('Is it raining?'), alice.peer.post('The sun is out.')];
  await ask({ type: 'follow.wanted', name: 'alice', following: true, ticket: 'a' });
  const shown = () => bob.peer.timeline().map(({ body }) => body);
  const mark = async (kind: 'word' | 'conversation', subject: string, marked: boolean) =>
    expect(await ask({ type: 'mark.wanted', kind, subject, marked, ticket: 'b' })).toEqual({
      ...{ type: 'mark.changed', kind, subject, marked, ticket: 'b' },
    });
  await mark('word', 'sun', true);
  expect(shown()).toEqual(['Is it raining?']);
  await mark('conversation', first.hash, true);
  expect(shown()).toEqual([]);
  await mark('word', 'sun', false);
  expect(shown()).toEqual(['The sun is out.']);
  const untilMs = world.clock.now() + 60_000;
  await ask({ type: 'mute.wanted', name: 'alice', muted: true, untilMs, ticket: 'c' });
  expect(shown()).toEqual([]);
  await world.clock.advance(61_000);
  expect(shown()).toEqual(['The sun is out.']);
  await world.close();
});

test('what is unread on the timeline is marked as read, and how much that was is told', async () => {
  const { world, alice, bob, ask } = await asking();
  for (const text of ['one', 'two', 'three']) alice.peer.post(text);
  await ask({ type: 'follow.wanted', name: 'alice', following: true, ticket: 'a' });
  const [first] = bob.peer.timeline();
  const hashes = [first?.hash as string] as never;
  expect(await ask({ type: 'read.wanted', hashes, ticket: 'b' })).toMatchObject({ count: 1, ticket: 'b' });
  expect(await ask({ type: 'read.wanted', hashes, ticket: 'c' })).toMatchObject({ count: 0 });
  expect(await ask({ type: 'read.wanted', hashes: 'all', ticket: 'd' })).toMatchObject({ count: 2 });
  expect(bob.peer.timeline().every(({ read }) => read)).toBe(true);
  await world.close();
});

test('a wish that cannot be granted is answered with why', async () => {
  const { world, ask } = await asking();
  const failures: readonly (readonly [Wish, RegExp])[] = [
    [{ type: 'post.wanted', text: 'x'.repeat(986), inReplyTo: null, ticket: 'a' }, /985/],
    [{ type: 'withdrawal.wanted', hash: ZERO_HASH, ticket: 'a' }, /only messages that you wrote/],
    [{ type: 'follow.wanted', name: 'bob', following: true, ticket: 'a' }, /your own name/],
    [{ type: 'follow.wanted', name: 'a/b', following: true, ticket: 'a' }, /must not contain/],
    [{ type: 'mute.wanted', name: '', muted: true, ticket: 'a' }, /at least one character/],
  ];
  for (const [wish, why] of failures) {
    expect(await ask(wish)).toMatchObject({
      type: 'wish.failed',
      ticket: 'a',
      failure: { message: expect.stringMatching(why) },
    });
  }
  await world.close();
});

test('messages come with the fact that says so, with real dates', async () => {
  const { world, alice, bob, ask } = await asking();
  const { hash } = alice.peer.post('Is anybody there?');
  await ask({ type: 'follow.wanted', name: 'alice', following: true, ticket: 'a' });
  const fact = bob.facts.find(({ type }) => type === 'messages.received');
  expect(fact).toMatchObject({
    peer: 'alice',
    hashes: [hash],
    messages: [{ hash, author: 'alice', body: 'Is anybody there?' }],
  });
  const [message] = bob.peer.messages({ authors: ['alice'] });
  expect(Math.abs(Date.parse(message?.date as string) - world.clock.now())).toBeLessThan(60_000);
  await world.close();
});

test('the calls of a program end as its wishes do', async () => {
  const { world, bob } = await asking();
  const { hash } = bob.peer.post('Too early.');
  await expect(world.settle(bob.peer.withdraw(hash))).resolves.toEqual({ root: bob.peer.root });
  await expect(world.settle(bob.peer.withdraw(hash))).rejects.toThrow('only messages that you wrote');
  bob.peer.mute('alice');
  expect(bob.store.peer('alice')?.muted).toBe(true);
  bob.peer.unmute('alice');
  expect(bob.store.peer('alice')?.muted).toBe(false);
  await world.close();
  expect(() => bob.peer.follow('alice')).toThrow('closed');
  await expect(bob.peer.withdraw(hash)).rejects.toThrow('closed');
});
