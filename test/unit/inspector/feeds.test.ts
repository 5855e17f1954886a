/** What can be read at a moment, and how it came: from what a run tells of nodes, trees, datagrams and wishes. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Line } from '../../../src/inspector/lines.ts';
import { Watcher } from '../../../src/inspector/watcher.ts';
import { parseJournal } from '../../../src/journal/format.ts';
import { replay } from '../../../src/journal/replay.ts';
import { type Carrier, carrierOf, Feeds, type Post } from '../../../src/web/feeds.ts';
import { Run } from '../../../src/web/run.ts';
import { listedPeers } from '../../support/scenarios.ts';
import { recording, type VirtualPeer } from '../../support/world.ts';

async function told(lines: readonly string[]): Promise<Run> {
  const run = new Run();
  const watcher = new Watcher((line) => run.take(JSON.parse(JSON.stringify(line)) as Line));
  await replay(parseJournal('run', lines), { inspect: watcher.inspect });
  return run;
}

const recorded = (name: string) =>
  told(
    readFileSync(new URL(`../../replay/${name}.jsonl`, import.meta.url), 'utf8')
      .trimEnd()
      .split('\n'),
  );

function readAll(run: Run): Feeds {
  const feeds = new Feeds(run);
  while (!feeds.follow());
  return feeds;
}

const postsAt = (feeds: Feeds, at: number) => feeds.at(at).flatMap(({ posts }) => posts);
const bodies = (posts: readonly Post[]) => posts.map((post) => post.body());

const eventAt = <T>(run: Run, at: Carrier | undefined) => run.moments[at?.at ?? -1]?.message?.event as T;

/** A journal of bob's, who reads what alice does. */
async function recordedWorld(does: (alice: VirtualPeer, bob: VirtualPeer, settle: Settle) => Promise<void>) {
  const lines: Record<string, string[]> = { alice: [], bob: [] };
  await recording(
    (of) => ({ write: (line: string) => void lines[of]?.push(line), close() {} }),
    async () => {
      const world = await listedPeers(5, ['alice', 'bob']);
      const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
      await does(alice, bob, (promise) => world.settle(promise));
      await world.close();
    },
  );
  return { alice: await told(lines.alice as string[]), bob: await told(lines.bob as string[]) };
}
type Settle = <T>(promise: Promise<T>) => Promise<T>;

test('a message is there from the moment at which the walk that fetched it got it, and is adopted with its tree', async () => {
  const run = await recorded('incremental-sync');
  const feeds = readAll(run);
  const last = run.moments.length - 1;
  const all = postsAt(feeds, last);
  expect(bodies(all)).toEqual([
    ...Array.from({ length: 40 }, (_, i) => `message ${i + 1} of alice`),
    'message 1 of alice',
  ]);
  const newest = all.at(-1) as Post;
  expect(newest).toMatchObject({ author: 'alice', came: { how: 'fetched' }, adopted: { newMessages: 1 } });
  expect(run.moments[newest.came.at]).toMatchObject({ actor: newest.came.by, message: { type: 'nodes.received' } });
  expect(postsAt(feeds, newest.came.at - 1)).toHaveLength(40);
  const onItsWay = postsAt(feeds, newest.came.at).find(({ hash }) => hash === newest.hash);
  expect(onItsWay?.adopted).toBeUndefined();
});

test('the datagram that carried a message is the one with its bytes in it, at the reader and at the author', async () => {
  const { alice, bob } = await recordedWorld(async (writer, reader, settle) => {
    writer.peer.post('Which datagram is it?');
    await settle(reader.peer.sync('alice'));
  });
  const utf8 = new TextDecoder();
  const [read] = postsAt(readAll(bob), bob.moments.length - 1);
  const came = carrierOf(bob, read as Post);
  const { arrivals } = eventAt<{ arrivals: { bytes: Uint8Array }[] }>(bob, came);
  expect(utf8.decode(arrivals[came?.index ?? -1]?.bytes)).toContain('Which datagram is it?');
  const [own] = postsAt(readAll(alice), alice.moments.length - 1);
  expect(own).toMatchObject({ author: 'alice', hash: read?.hash, came: { how: 'served' } });
  const went = carrierOf(alice, own as Post);
  const { datagrams } = eventAt<{ datagrams: Uint8Array[] }>(alice, went);
  expect(datagrams[went?.index ?? -1]).toEqual(arrivals[came?.index ?? -1]?.bytes);
});

test('what its author has withdrawn can be read until then, and no longer', async () => {
  let reread = 0;
  const { bob } = await recordedWorld(async (alice, reader, settle) => {
    alice.peer.post('first');
    const { hash } = alice.peer.post('regretted');
    await settle(reader.peer.sync('alice'));
    await settle(alice.peer.withdraw(hash));
    reread = reader.host.clock.now();
    await settle(reader.peer.sync('alice'));
  });
  const feeds = readAll(bob);
  expect(bodies(postsAt(feeds, bob.momentAt(reread)))).toEqual(['first', 'regretted']);
  expect(bodies(postsAt(feeds, bob.moments.length - 1))).toEqual(['first']);
});

test('what was published by a wish is there with its text, before anybody has asked for it', async () => {
  const { alice } = await recordedWorld(async (writer, reader, settle) => {
    writer.peer.ask({ type: 'post.wanted', text: 'By a wish', inReplyTo: null, ticket: 'one' });
    await settle(reader.peer.sync('alice'));
  });
  const [own] = postsAt(readAll(alice), alice.moments.length - 1);
  expect(own?.came.how).toBe('published');
  expect(own?.body()).toBe('By a wish');
  expect(bodies(postsAt(readAll(alice), own?.came.at ?? -1))).toEqual(['By a wish']);
});

test('what came at moments that are kept no more is let go, unless the peer says that it holds it', async () => {
  const run = await recorded('incremental-sync');
  const feeds = readAll(run);
  const newest = postsAt(feeds, run.moments.length - 1).at(-1) as Post;
  run.forget(run.moments.length - newest.came.at + 5);
  feeds.follow();
  // The root of its tree came earlier, and is let go.
  expect(postsAt(feeds, run.moments.length - 1)).toEqual([]);
  const common = { author: 'alice', date: null, receivedAt: '', inReplyTo: null, authenticated: true, read: false };
  const messages = [newest.hash, 'ff'.repeat(32)].map((hash) => ({ ...common, hash, body: 'held' }));
  run.take(['stored', messages]);
  const held = postsAt(feeds, run.moments.length - 1);
  expect(held.map(({ came }) => came.how)).toEqual(['fetched', 'stored']);
  run.take(['stored', messages.slice(1), 'alice']);
  expect(postsAt(feeds, run.moments.length - 1).map(({ came }) => came.how)).toEqual(['stored']);
});
