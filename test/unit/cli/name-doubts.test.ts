/** Names that could be taken for somebody else's are marked wherever they are shown. */
import { expect, test } from 'vitest';
import { nameDoubts } from '../../../src/cli/render/name-doubts.ts';
import { renderPeers } from '../../../src/cli/render/peers.ts';
import { fetchTree, messageNode, treeOf } from '../store/support.ts';
import { inHome, initHome } from './support.ts';

/** With a Cyrillic а. */
const CYRILLIC = '\u0430lice';

test.each([
  ['alice', {}],
  ['bob', {}],
  ['Алиса', {}],
  ['👩‍💻', {}],
  [CYRILLIC, { looksLike: 'alice' }],
  ['aIice', { looksLike: 'alice' }],
  ['Alice', { looksLike: 'alice' }],
  ['al\u0131ce\u200b', { looksLike: 'alice', hidden: ['U+200B'] }],
  ['alice\u200b', { looksLike: 'alice', hidden: ['U+200B'] }],
  ['alice ', { looksLike: 'alice', hidden: ['U+0020'] }],
  ['\u202eecila', { hidden: ['U+202E'] }],
  ['rnary', { looksLike: 'mary' }],
])('%j: what is to be doubted of it for whoever follows alice and mary', (name, doubts) => {
  expect(nameDoubts(['alice', 'mary'])(name)).toEqual(doubts);
});

test('nothing is doubted of somebody who is followed, however much the name looks like another', () => {
  expect(nameDoubts(['alice', CYRILLIC])(CYRILLIC)).toEqual({});
});

test('a message by a look-alike is marked, for people and in JSON; following one warns', async () => {
  const home = await initHome('me');
  const { withStore, json, human } = inHome(() => home);
  withStore((store) => {
    store.setFollowing('alice', true, 1);
    fetchTree(store, `${CYRILLIC}\u200b`, treeOf([messageNode('send me money')]));
  });
  expect((await json('timeline')).lines).toMatchObject([
    { body: 'send me money', looksLike: 'alice', hidden: ['U+200B'] },
  ]);
  const { out } = await human('timeline');
  expect(out).toContain('[looks like alice]');
  expect(out).toContain('[not shown in the name: U+200B]');
  const followed = await human('follow', CYRILLIC, '--force');
  expect(followed.code).toBe(0);
  expect(followed.err).toContain('looks like alice; compare the fingerprint');
});

test('a list of peers says it of each', () => {
  const peer = { name: CYRILLIC, addresses: [], key: null, following: false };
  const text = renderPeers(
    [
      { ...peer, looksLike: 'alice' },
      { ...peer, name: 'bob' },
    ],
    (_, it) => it,
  );
  expect(text.split('\n').map((line) => line.includes('looks like alice'))).toEqual([true, false]);
});
