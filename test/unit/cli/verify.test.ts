/** verify: what is damaged, it names. */
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, describe, expect, test } from 'vitest';
import { homeAt } from '../../../src/cli/home/home.ts';
import { openSqliteStore } from '../../../src/store/sqlite-store.ts';
import { fetchTree, treeOfBodies } from '../store/support.ts';
import { initHome, run } from './support.ts';

let home: string;
const verify = async () => {
  const { code, lines } = await run(['verify', '--home', home, '--json']);
  return { code, ...lines[0] } as {
    code: number;
    nodes: number;
    messages: number;
    damaged: { hash: string | null; why: string }[];
  };
};

/** Forty of one's own, and two of somebody else's. */
beforeEach(async () => {
  home = await initHome('me');
  using store = openSqliteStore(homeAt(home).storeFile);
  for (let i = 0; i < 40; i++) store.publish('me', { date: i, inReplyTo: null, body: `number ${i}` }, i);
  fetchTree(store, 'bob', treeOfBodies('one', 'two'));
});

/** As a bad disk would do it: behind the back of everybody. */
function damage(sql: string): void {
  const db = new DatabaseSync(homeAt(home).storeFile);
  // The first byte of the first message's text in a pack: behind length, hash, type, date and reply.
  db.function('flipped', { deterministic: true }, (value) => {
    const bytes = Uint8Array.from(value as Uint8Array);
    const at = bytes.length - 1;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    return bytes;
  });
  db.exec(sql);
  db.close();
}

test('says how much it has hashed where nothing is damaged: 0', async () => {
  expect(await verify()).toEqual({ code: 0, nodes: expect.any(Number), messages: 42, damaged: [] });
  const { out, err } = await run(['verify', '--home', home]);
  expect(out).toMatch(/^Checked \d+ nodes, 42 messages among them: nothing is damaged\.\n$/);
  expect(err).toBe('');
});

test('an empty home is whole', async () => {
  home = await initHome('new');
  expect(await verify()).toEqual({ code: 0, nodes: 0, messages: 0, damaged: [] });
});

describe('damaged, which it names, with 7, is', () => {
  test('a message of which a bit has changed', async () => {
    damage('UPDATE packs SET value = flipped(value) WHERE id = 3');
    const { code, damaged } = await verify();
    expect([code, damaged]).toEqual([7, [{ hash: expect.stringMatching(/^[0-9a-f]{64}$/), why: expect.any(String) }]]);
  });

  test('an internal node of which a bit has changed', async () => {
    damage('UPDATE internal_nodes SET value = flipped(value) WHERE id = (SELECT max(id) FROM internal_nodes)');
    expect((await verify()).damaged.map(({ why }) => why)).toContain('its bytes do not give its hash');
  });

  test('a message of one’s own that has gone', async () => {
    damage('DELETE FROM packs WHERE id = 3');
    expect((await verify()).damaged.map(({ why }) => why)).toContain('your own tree lacks it');
  });

  test('the own tree, if its root has gone', async () => {
    damage('DELETE FROM internal_nodes WHERE hash = (SELECT own_root FROM home)');
    const { code, damaged } = await verify();
    expect(code).toBe(7);
    expect(damaged[0]?.why).toContain('your own tree is damaged');
  });

  test('told to a person with what to do', async () => {
    damage('UPDATE packs SET value = flipped(value) WHERE id = 3');
    const { code, out, err } = await run(['verify', '--home', home]);
    expect(code).toBe(7);
    expect(out).toContain('1 fault.');
    expect(err).toContain('restore your newest backup');
  });
});
