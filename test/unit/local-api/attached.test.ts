/** A peer of another process, as commands and the front end see it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as v from 'valibot';
import { describe, expect, expectTypeOf, onTestFinished, test } from 'vitest';
import type { PeerFact, SyncReport, Wish } from '../../../src/index.ts';
import { attach } from '../../../src/local-api/attached-peer.ts';
import { findLocalApi } from '../../../src/local-api/client.ts';
import { eventLines } from '../../../src/local-api/event-lines.ts';
import { type FactSchema, MAX_HASHES, type WishSchema } from '../../../src/local-api/schemas.ts';
import { offerLocalApi } from '../../../src/local-api/server.ts';
import { eventually } from '../../support/eventually.ts';
import { type FakeRunningPeer, fakeRunningPeer, HERE, ROOT } from './support.ts';

const HASH = 'cd'.repeat(32);

async function attached(answer?: Parameters<typeof fakeRunningPeer>[0]) {
  const folder = mkdtempSync(join(tmpdir(), 'murmure-api-'));
  const file = join(folder, 'local-api.json');
  const running: FakeRunningPeer = fakeRunningPeer(answer);
  const offered = await offerLocalApi({ ...running, file, runBy: 'serve', directoryUrl: 'https://directory.example' });
  const api = await findLocalApi(file);
  if (api === undefined) throw new Error('it is not found');
  const peer = await attach(api);
  onTestFinished(async () => {
    await peer[Symbol.asyncDispose]();
    await offered[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });
  return { ...running, offered, api, attached: peer };
}

/** What it tells here, once there is as much. */
function told(peer: Awaited<ReturnType<typeof attached>>['attached'], count: number): Promise<PeerFact[]> {
  const facts: PeerFact[] = [];
  return new Promise((resolve) => peer.on('*', (fact) => void (facts.push(fact) === count && resolve(facts))));
}

test('it stands where the other one stands', async () => {
  const { attached: peer } = await attached();
  expect(peer).toMatchObject({
    name: 'alice',
    publicKey: 'K'.repeat(86),
    addresses: [HERE],
    root: ROOT,
    sessions: { outgoing: 2, incoming: 1 },
    directory: { status: 'connected', answeredMs: 1_000 },
    silent: ['bob'],
    unlisted: ['carol'],
    ended: undefined,
  });
  await peer.whenListed();
  expect(await peer.contactWith('bob')).toEqual({ status: 'greeting', addresses: [HERE] });
  expect(await peer.syncUnderWay('bob')).toBeUndefined();
  expect(await peer.explain('bob')).toMatchObject([{ sentences: ['It waits.'] }]);
  expect(await peer.directoryPeers()).toEqual([{ name: 'bob', addresses: [HERE], key: 'B'.repeat(86) }]);
});

test('what the other one tells arrives as it was, in order', async () => {
  const { attached: peer, tell } = await attached();
  const message = {
    ...{ hash: HASH, author: 'bob', date: null, receivedAt: '2026-01-01T00:00:00.000Z', inReplyTo: null },
    ...{ body: 'ein\nZeilenende, 🦉', authenticated: true, read: false },
  };
  const facts: PeerFact[] = [
    { type: 'session.opened', direction: 'incoming', name: 'bob', address: HERE, authenticated: true },
    { type: 'messages.received', peer: 'bob', hashes: [HASH], messages: [message] },
    { type: 'error.received', from: HERE, name: undefined, text: 'no' },
    { type: 'key.changed', name: 'bob' },
  ];
  const heard = told(peer, facts.length);
  for (const fact of facts) tell(fact);
  expect(await heard).toEqual(facts);
});

test('every fact that a peer may tell has a schema, and every wish', () => {
  expectTypeOf<v.InferOutput<typeof FactSchema>['type']>().toEqualTypeOf<PeerFact['type']>();
  expectTypeOf<v.InferOutput<typeof WishSchema>['type']>().toEqualTypeOf<Wish['type']>();
});

describe('a wish', () => {
  test('of each kind gets there as it was', async () => {
    const { attached: peer, asked } = await attached();
    const wishes: Wish[] = [
      { type: 'post.wanted', text: 'Hi.\u0000\n', inReplyTo: HASH, ticket: '' },
      { type: 'withdrawal.wanted', hash: HASH, ticket: '' },
      { type: 'follow.wanted', name: 'bob', following: true, ticket: '' },
      { type: 'mute.wanted', name: 'bob', muted: false, ticket: '' },
      { type: 'read.wanted', hashes: Array(MAX_HASHES).fill(HASH), ticket: '' },
      { type: 'read.wanted', hashes: 'all', ticket: '' },
      { type: 'hello.wanted', address: HERE },
    ];
    for (const [index, wish] of wishes.entries()) {
      peer.ask(wish);
      await eventually(() => expect(asked).toHaveLength(index + 1));
    }
    expect(asked).toEqual(wishes);
  });

  test('is answered by its ticket, whatever others ask meanwhile', async () => {
    const { api } = await attached((wish, tell) => {
      tell({ type: 'message.published', hash: ROOT, root: ROOT, ticket: 'of somebody else' });
      if (wish.type === 'post.wanted') tell({ type: 'message.published', hash: HASH, root: ROOT, ticket: wish.ticket });
    });
    expect(await api.wish({ type: 'post.wanted', text: 'Hi.', inReplyTo: null, ticket: 'mine' })).toEqual({
      type: 'message.published',
      hash: HASH,
      root: ROOT,
      ticket: 'mine',
    });
  });

  test('that cannot be granted comes back as the peer refused it', async () => {
    const failure = { code: 'usage', message: 'no' } as const;
    const { attached: peer } = await attached((wish, tell) => {
      if ('ticket' in wish) tell({ type: 'wish.failed', failure, ticket: wish.ticket });
    });
    const heard = told(peer, 1);
    peer.ask({ type: 'follow.wanted', name: 'alice', following: true, ticket: 'one' });
    expect(await heard).toEqual([{ type: 'wish.failed', failure, ticket: 'one' }]);
  });

  test('that does not get there is told of as one that failed', async () => {
    const { attached: peer } = await attached();
    const heard = told(peer, 1);
    peer.ask({ type: 'read.wanted', hashes: Array(MAX_HASHES + 1).fill(HASH), ticket: 'one' });
    expect(await heard).toMatchObject([{ type: 'wish.failed', ticket: 'one', failure: { code: 'usage' } }]);
  });
});

describe('a download', () => {
  const report: SyncReport = {
    ...{
      peer: 'bob',
      status: 'unchanged' as const,
      root: ROOT,
      newMessages: 0,
      withdrawnMessages: 0,
      totalMessages: 3,
    },
    ...{ nodesFetched: 0, bytesFetched: 0, datagramsSent: 2, retransmissions: 0, durationMs: 12 },
  };

  test('ends with the report of that peer', async () => {
    const { attached: peer } = await attached((wish, tell) => {
      if (wish.type !== 'sync.wanted') return;
      tell({ type: 'sync.finished', report: { ...report, peer: 'carol' } });
      tell({ type: 'sync.finished', report });
    });
    expect(await peer.sync('bob')).toEqual(report);
  });

  test('is given up when the signal says so', async () => {
    const { attached: peer, asked } = await attached();
    const stop = new AbortController();
    const synced = peer.sync('bob', { signal: stop.signal });
    await eventually(() => expect(asked).toHaveLength(1));
    stop.abort(new Error('enough'));
    await expect(synced).rejects.toThrow('enough');
  });

  test('fails when the other process ends, and says so', async () => {
    const { attached: peer, offered, asked } = await attached();
    const synced = peer.sync('bob');
    synced.catch(() => {});
    await eventually(() => expect(asked).toHaveLength(1));
    await offered[Symbol.asyncDispose]();
    await expect(synced).rejects.toThrow(`(process ${process.pid}) has ended`);
    expect(await peer.whenEnded()).toBe(peer.ended);
    expect(() => peer.ask({ type: 'sync.wanted', name: 'bob' })).toThrow('has ended');
  });
});

test('leaving lets the other one go on', async () => {
  const { attached: peer, api, asked } = await attached();
  await peer[Symbol.asyncDispose]();
  await expect(api.status()).rejects.toThrow();
  expect(asked).toEqual([]);
});

test('a line that is cut, unknown, or no JSON spoils no other one', async () => {
  const fact = { fact: { type: 'key.changed', name: 'bøb' } };
  const text = `{"fact":{"type":"of.later"}}\nnonsense\n${JSON.stringify(fact)}\n{"fact":`;
  const bytes = new TextEncoder().encode(text);
  // In pieces of one byte, which divide characters as well.
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const read: unknown[] = [];
  for await (const event of eventLines(stream)) read.push(event);
  expect(read).toEqual([fact]);
});
