/**
 * Homes of earlier versions, as those versions wrote them (homes/): own messages, an answer among them; alice, followed and pinned,
 * who has withdrawn one of ten messages, and one is read; bob, unauthenticated, with one of alice's and a node of no known type;
 * a walk of carol's 40 messages that has brought 15. From version 6 on, dora has a message whose date is four ASCII digits.
 */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { notifications } from '../../../src/store/notifications.ts';
import type { Store } from '../../../src/store/store.ts';
import { bodies, fetchTree, freshFolder, messageNode, NOON, NOON_MS, openFile, treeOf } from './support.ts';

const aliceSays = Array.from({ length: 40 }, (_, i) => `message ${i} of alice`);

function openHome(version: number): Store {
  const file = join(freshFolder(), 'store.db');
  copyFileSync(fileURLToPath(new URL(`homes/version-${version}.db`, import.meta.url)), file);
  return openFile(file);
}

describe.each([1, 2, 4, 6, 9])('a home of version %i', (version) => {
  const open = () => openHome(version);
  const found = (store: Store, text: string) => store.search({ text }).map(({ body, author }) => [author, body]);

  test('keeps its messages and what is known of them', () => {
    const store = open();
    expect(bodies(store, 'me')).toEqual(['Première', 'Deuxième']);
    expect(bodies(store, 'alice')).toEqual(aliceSays.slice(0, 9));
    expect(bodies(store, 'bob')).toEqual(aliceSays.slice(3, 4));
    expect(store.messages({ authors: ['alice'] }).map(({ read }) => read)).toEqual([true, ...Array(8).fill(false)]);
    expect(store.messages({ authors: ['bob'] })).toMatchObject([{ authenticated: false }]);
    expect(store.peer('alice')).toMatchObject({ key: 'K'.repeat(86), following: true, messages: 9 });
    expect(store.ownLeaves()).toHaveLength(2);
  });

  test('is searched, and shows its conversations', () => {
    const store = open();
    expect(found(store, 'deuxieme')).toEqual([['me', 'Deuxième']]);
    expect(found(store, '"message 3"').map(([author]) => author)).toEqual(['alice', 'bob']);
    expect(found(store, '"message 9"')).toEqual([]);
    const first = store.messages({ authors: ['me'] })[0];
    expect(store.replies(first?.hash ?? '').map(({ body }) => body)).toEqual([aliceSays[3], 'Deuxième']);
  });

  test('has no notification that is new, of what came before there were any', () => {
    const store = open();
    const known = notifications(store, { ownName: 'me', nowMs: NOON_MS });
    expect(known.map(({ message, kind, isNew }) => [message.body, kind, isNew])).toEqual([
      [aliceSays[3], 'reply', false],
    ]);
    expect(store.noticedUntilMs()).toBeGreaterThan(0);
    const [own] = store.messages({ authors: ['me'] });
    const reply = messageNode('an answer', NOON, own?.hash);
    fetchTree(store, 'dave', treeOf([reply]), { nowMs: store.noticedUntilMs() + 1 });
    expect(notifications(store, { ownName: 'me', nowMs: NOON_MS }).at(-1)).toMatchObject({
      kind: 'reply',
      isNew: true,
    });
  });

  test('has nothing that waits to be published, and nobody who is blocked, and may have both', () => {
    const store = open();
    expect(store.scheduled()).toEqual([]);
    expect(store.peer('alice')?.blocked).toBe(false);
    const id = store.schedule({ body: 'Plus tard', inReplyTo: null, dueMs: NOON_MS });
    expect(store.publishScheduled('me', id, NOON, NOON_MS)).toBeDefined();
    expect([store.publishScheduled('me', id, NOON, NOON_MS), store.unschedule(id)]).toEqual([undefined, undefined]);
    store.setBlocked('alice', true, NOON_MS);
    expect(store.peer('alice')).toMatchObject({ blocked: true, following: false });
    expect(store.messages({ authors: ['alice'] })).toEqual([]);
  });

  test('goes on where it was', () => {
    const store = open();
    const own = store.publish('me', { date: NOON + 9, inReplyTo: null, body: 'Troisième' }, NOON_MS + 9_000);
    expect(store.ownFeed()).toEqual({ root: own.root, messages: 3 });
    const withdrawn = store.messages({ authors: ['me'] })[1];
    expect(store.withdraw('me', withdrawn?.hash ?? '', NOON_MS)).toBeDefined();
    expect(found(store, 'troisieme')).toEqual([['me', 'Troisième']]);
    expect(found(store, 'deuxieme')).toEqual([]);
    expect(fetchTree(store, 'dave', treeOf([messageNode('new here')]))).toMatchObject({ newMessages: 1 });
    expect(found(store, 'here')).toEqual([['dave', 'new here']]);
  });

  test('still has what a walk had brought', () => {
    const store = open();
    store.collectGarbage();
    const leaf = (i: number) => messageNode(`message ${i} of alice`, NOON - 100 + i).hash;
    expect(store.statusOf([leaf(0), leaf(14), leaf(15)])).toEqual(['complete', 'complete', 'missing']);
  });

  test('remembers readers, habits and whom one trusts from now on', () => {
    const store = open();
    expect(store.readersSince(0, NOON_MS)).toEqual([]);
    store.noteReader('alice', NOON_MS);
    expect(store.readersSince(NOON_MS, NOON_MS)).toEqual(['alice']);
    store.noteHabit('192.0.2.1:4000', null, { zeroEndingIds: true, noFlags: false }, NOON_MS);
    expect(store.habitOf('192.0.2.1:4000', null)).toEqual({ zeroEndingIds: true, noFlags: false });
    store.setTrustUnsigned('alice', 'K'.repeat(86), true);
    expect(store.trustsUnsigned('alice', 'K'.repeat(86))).toBe(true);
    expect(store.repinKey('alice', 'L'.repeat(86), NOON_MS)).toBe('K'.repeat(86));
    expect(store.peer('alice')).toMatchObject({ key: 'L'.repeat(86), following: true, messages: 9 });
  });
});

test('a message without a date, once sorted thirty years back, moves to when it was first seen', () => {
  const store = openHome(6);
  fetchTree(store, 'erin', treeOf([messageNode('before', NOON - 1)]));
  expect(bodies(store).indexOf('in no year')).toBeGreaterThan(bodies(store).indexOf('before'));
  expect(store.messages({ beforeMs: NOON_MS - 300_000 })).toEqual([]);
});
