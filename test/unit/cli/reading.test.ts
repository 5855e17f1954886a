/** mute, thread, search, withdraw and tree. */
import { beforeEach, describe, expect, test } from 'vitest';
import { markSeen } from '../../../src/cli/messages/print-messages.ts';
import { hashOf } from '../../../src/wire/hash.ts';
import { MurmureError } from '../../../src/wire/murmure-error.ts';
import { encodeMessage } from '../../../src/wire/node.ts';
import { fetchTree, messageNode, node, parentOf, treeOf } from '../store/support.ts';
import { answers, inHome, initHome, run } from './support.ts';

let home: string;
beforeEach(async () => {
  home = await initHome('me');
});

const { withStore, json, human } = inHome(() => home);

async function post(text: string, ...flags: string[]): Promise<string> {
  return (await json('post', text, ...flags)).lines[0]?.hash;
}

test('what is shown is shown, even where it cannot be noted as read', async () => {
  const warnings: string[] = [];
  const output = { json: false, warn: (text: string) => void warnings.push(text) };
  const store = {
    markRead: () => {
      throw new MurmureError('unexpected', 'the disk is full');
    },
  };
  markSeen({ output } as never, store as never, [{ hash: 'a', read: false }] as never);
  expect(warnings).toEqual(['these messages could not be marked as read: the disk is full']);
});

describe('mute and unmute', () => {
  test('leave a peer out of the timeline, unless it is named', async () => {
    withStore((store) => fetchTree(store, 'bob', treeOf([messageNode('loud')])));
    expect((await json('mute', 'bob')).lines).toEqual([{ peer: 'bob', muted: true }]);
    await post('mine');
    const seen = async (...argv: string[]) => (await json('timeline', ...argv)).lines.map(({ body }) => body);
    expect(await seen()).toEqual(['mine']);
    expect(await seen('bob')).toEqual(['loud']);
    expect((await json('unmute', 'bob')).lines).toEqual([{ peer: 'bob', muted: false }]);
    expect(await seen()).toEqual(['loud', 'mine']);
  });

  test('say what they did, to a person', async () => {
    expect((await human('mute', 'bob')).out).toBe('The timeline no longer shows bob.\n');
    expect((await human('unmute', 'bob')).out).toBe('The timeline shows bob again.\n');
  });

  test('not oneself: 2; not somebody nobody knows: 4', async () => {
    expect((await human('mute', 'me')).code).toBe(2);
    expect((await human('unmute', 'bob')).code).toBe(4);
    expect((await human('mute', 'a/b')).code).toBe(2);
  });
});

describe('thread', () => {
  test('shows the whole conversation, from any message of it, in tree order', async () => {
    const question = await post('question');
    const first = await post('first answer', '--reply-to', question);
    const second = await post('second answer', '--reply-to', question);
    const deep = await post('to the first', '--reply-to', first);
    await post('something else');
    for (const asked of [question, second, deep]) {
      const { lines } = await json('thread', asked);
      expect(lines.map(({ depth, body }) => [depth, body])).toEqual([
        [0, 'question'],
        [1, 'first answer'],
        [2, 'to the first'],
        [1, 'second answer'],
      ]);
    }
    const { out } = await human('thread', deep);
    expect(out).toMatch(/^me {2}.*\n {4}question\n {2}me .*\n {6}↳.*\n {6}first answer\n {4}→ me .*\n/);
  });

  test('begins where the stored part of it begins', async () => {
    const missing = 'ab'.repeat(32);
    const answer = await post('answer to nobody knows what', '--reply-to', missing);
    const { lines } = await json('thread', answer);
    expect(lines).toMatchObject([{ depth: 0, inReplyTo: missing }]);
  });

  test('any length, without a call stack for it', async () => {
    const nodes = [messageNode('0', 0)];
    for (let i = 1; i < 5_000; i++) {
      nodes.push(node(encodeMessage({ date: i, inReplyTo: nodes.at(-1)?.hash ?? null, body: `${i}` })));
    }
    withStore((store) => fetchTree(store, 'bob', treeOf(nodes)));
    const { lines, code } = await json('thread', nodes[2_500]?.hash ?? '');
    expect(code).toBe(0);
    expect(lines).toHaveLength(5_000);
    expect(lines.at(-1)).toMatchObject({ depth: 4_999 });
    const { out } = await human('thread', nodes[0]?.hash ?? '');
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThan(120);
  });

  test('of a message that is not stored: 7', async () => {
    expect((await human('thread', 'ab'.repeat(32))).code).toBe(7);
  });
});

describe('search', () => {
  test('finds words whatever their accents and case, newest last', async () => {
    await post('L’été est là');
    await post('ETE, once more');
    await post('winter');
    expect((await json('search', 'été')).lines.map(({ body }) => body)).toEqual(['L’été est là', 'ETE, once more']);
    expect((await json('search', 'ete', 'once')).lines).toHaveLength(1);
    expect((await json('search', '"once more"')).lines).toHaveLength(1);
    expect((await json('search', '"more once"')).lines).toHaveLength(0);
    expect((await json('search', 'e', '--limit', '1')).lines).toHaveLength(0);
    expect((await json('search', 'ete', '--limit', '1')).lines).toHaveLength(1);
  });

  test('what is not there: a word on stderr, and 0', async () => {
    expect(await human('search', 'nothing')).toMatchObject({
      code: 0,
      out: '',
      err: expect.stringContaining('nothing'),
    });
  });

  test('what is no word: 2', async () => {
    expect((await human('search', '!?')).code).toBe(2);
    expect((await human('search')).code).toBe(2);
  });
});

describe('withdraw', () => {
  test('takes a message back, and the tree keeps its shape', async () => {
    const [, second] = [await post('one'), await post('two'), await post('three')];
    const { lines, code } = await json('withdraw', second.slice(0, 8));
    expect(code).toBe(0);
    expect(lines).toEqual([{ hash: second, root: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
    expect((await json('timeline')).lines.map(({ body }) => body)).toEqual(['one', 'three']);
    const tree = (await json('tree', 'me')).lines;
    expect(tree.map(({ kind }) => kind)).toEqual(['internal', 'message', 'unknown', 'message']);
    expect(tree[0]?.hash).toBe(lines[0]?.root);
    await post('four');
    expect((await json('tree', 'me')).lines).toHaveLength(5);
    expect((await human('show', second)).code).toBe(7);
  });

  test('a person is told what it cannot do, and asked whether it is meant', async () => {
    const hash = await post('one');
    const withdraw = (prompts: ReturnType<typeof answers>, ...flags: string[]) =>
      run(['withdraw', hash, '--home', home, ...flags], { prompts });
    const no = answers('no');
    const { code, out } = await withdraw(no);
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(no.asked).toEqual([expect.stringMatching(/cannot be made to forget it.*\nWithdraw “one”\?/)]);
    expect((await json('timeline')).lines).toHaveLength(1);
    expect((await withdraw(answers('yes'))).out).toContain('Withdrew');
    expect((await json('timeline')).lines).toEqual([]);
  });

  test('with --yes nobody is asked', async () => {
    const hash = await post('one');
    expect((await run(['withdraw', hash, '--yes', '--home', home], { prompts: answers() })).code).toBe(0);
  });

  test('of somebody else: 2; of nobody: 7', async () => {
    withStore((store) => fetchTree(store, 'bob', treeOf([messageNode('theirs')])));
    const { code, err } = await human('withdraw', messageNode('theirs').hash);
    expect(code).toBe(2);
    expect(err).toContain('"bob"');
    expect((await human('withdraw', 'ab'.repeat(32))).code).toBe(7);
  });
});

describe('tree', () => {
  test('shows nodes of every kind, with depth and the first line of a message', async () => {
    const [a, odd, broken] = [
      messageNode('\nfirst\u001b[31m line\nsecond'),
      node(Uint8Array.of(9)),
      node(Uint8Array.of(0, 1)),
    ];
    const inner = parentOf(odd.hash, broken.hash);
    const root = parentOf(a.hash, inner.hash, a.hash);
    withStore((store) => fetchTree(store, 'bob', { root: root.hash, nodes: [a, odd, broken, inner, root] }));
    const { lines } = await json('tree', 'bob');
    expect(lines).toEqual([
      { depth: 0, hash: root.hash, kind: 'internal', children: 3, text: null },
      { depth: 1, hash: a.hash, kind: 'message', children: 0, text: 'first line' },
      { depth: 1, hash: inner.hash, kind: 'internal', children: 2, text: null },
      { depth: 2, hash: odd.hash, kind: 'unknown', children: 0, text: null },
      { depth: 2, hash: broken.hash, kind: 'malformed', children: 0, text: null },
      { depth: 1, hash: a.hash, kind: 'message', children: 0, text: 'first line' },
    ]);
    expect((await json('tree', 'bob', '--depth', '1')).lines).toHaveLength(4);
    expect((await human('tree', 'bob')).out).toContain(`\n    ${odd.hash.slice(0, 12)} unknown\n`);
  });

  test('few nodes that expand to many are shown up to the limit, and no further', async () => {
    const nodes = [messageNode('leaf')];
    for (let i = 0; i < 15; i++) nodes.push(parentOf(nodes.at(-1)?.hash ?? '', nodes.at(-1)?.hash ?? ''));
    const root = nodes.at(-1)?.hash ?? '';
    withStore((store) => fetchTree(store, 'bob', { root, nodes }));
    const { lines, err, code } = await json('tree', 'bob');
    expect(code).toBe(0);
    expect(lines).toHaveLength(1_000);
    expect(err).toContain('--limit');
    expect((await json('tree', 'bob', '--limit', '7')).lines).toHaveLength(7);
  });

  test('a chain of any depth', async () => {
    const nodes = [messageNode('end')];
    for (let i = 0; i < 20_000; i++) nodes.push(parentOf(messageNode('end').hash, nodes.at(-1)?.hash ?? ''));
    withStore((store) => fetchTree(store, 'bob', { root: nodes.at(-1)?.hash ?? '', nodes }));
    const { lines } = await json('tree', 'bob', '--limit', '50000');
    expect(lines).toHaveLength(40_001);
    expect(lines.at(-1)).toMatchObject({ depth: 20_000, hash: hashOf(messageNode('end').value) });
  });

  test('of oneself before the first message: nothing; of somebody nobody knows: 4', async () => {
    expect(await json('tree', 'me')).toMatchObject({ code: 0, out: '' });
    expect((await human('tree', 'bob')).code).toBe(4);
    expect((await human('tree', 'me', '--depth', '0')).code).toBe(2);
  });
});
