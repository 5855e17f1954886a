/** A home that was restored from a backup, and may lack newer messages of its owner (docs/adr/0016). */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { StoppedError } from '../../../src/cli/errors.ts';
import type { HistoryCheck } from '../../../src/index.ts';
import { openSqliteStore } from '../../../src/store/sqlite-store.ts';
import {
  answers,
  DIRECTORY,
  type FakePeer,
  fakePeer,
  freshFolder,
  initHome,
  type Run,
  type RunSettings,
  run,
} from './support.ts';

/** A restored home of alice, who follows bob and carol. */
let home: string;
beforeEach(async () => {
  home = await restoredHome();
});

async function restoredHome({ texts = ['one', 'two'], follow = ['bob', 'carol'] } = {}): Promise<string> {
  const lost = await initHome('alice');
  for (const text of texts) await run(['post', text, '--home', lost]);
  for (const name of follow) await run(['follow', name, '--home', lost]);
  const backup = join(lost, '..', 'backup.json');
  await run(['key', 'export', backup, '--home', lost]);
  const restored = freshFolder();
  expect((await run(['key', 'import', backup, '--home', restored])).code).toBe(0);
  return restored;
}

const mark = (where = home) => existsSync(join(where, 'restored.txt'));
const inHome = (argv: readonly string[], settings: RunSettings = {}): Promise<Run> =>
  run([...argv, '--home', home, '--directory', DIRECTORY, '--json'], settings);
const rootOf = (where = home) => {
  using store = openSqliteStore(join(where, 'store.db'));
  return store.ownFeed().root;
};

const silence = { code: 'peer-unreachable', message: 'it did not answer' } as const;
const bob = (outcome: HistoryCheck['outcome']): HistoryCheck =>
  outcome === 'unreachable' ? { peer: 'bob', outcome, failure: silence } : { peer: 'bob', outcome };
const carol = (outcome: HistoryCheck['outcome']): HistoryCheck => ({ ...bob(outcome), peer: 'carol' });

/** A peer whose followed ones answer so; it is to be closed before anything is published. */
const asked = (...checks: HistoryCheck[]): FakePeer =>
  fakePeer({ checkHistory: async () => checks, whenListed: async () => {} });

const publishing: readonly (readonly [string, () => Promise<readonly string[]>])[] = [
  ['post', async () => ['post', 'three']],
  ['an answer', async () => ['post', 'three', '--reply-to', await newest()]],
  ['withdraw', async () => ['withdraw', await newest()]],
  ['serve', async () => ['serve']],
];

async function newest(): Promise<string> {
  return (await inHome(['timeline', '--limit', '1'])).lines[0]?.hash;
}

describe.each(publishing)('%s from a restored home', (_, command) => {
  test('is refused while somebody whom one follows has newer messages: 7', async () => {
    const root = rootOf();
    const peer = asked(bob('later'), carol('same'));
    const { code, err, lines } = await inHome(await command(), peer);
    expect(code).toBe(7);
    expect(err).toMatch(
      /^murmure: "bob" has messages of yours that are newer .* delete them for everybody: .*key resume/m,
    );
    expect(lines).toMatchObject([{ error: { code: 'invalid-data' } }]);
    expect(peer.options()).toMatchObject({ register: false, publish: false });
    expect(peer.closed()).toBe(true);
    expect({ mark: mark(), root: rootOf() }).toEqual({ mark: true, root });
  });

  test('is refused while nobody can be asked: 5', async () => {
    const root = rootOf();
    const { code, err } = await inHome(await command(), asked(bob('unreachable'), carol('unreachable')));
    expect(code).toBe(5);
    expect(err).toMatch(/^murmure: .*nobody you follow could be asked .*"bob": it did not answer.*later.*key resume/m);
    expect({ mark: mark(), root: rootOf() }).toEqual({ mark: true, root });
  });
});

describe('a restored home publishes', () => {
  test.each([
    ['somebody knows the same', [bob('same'), carol('unreachable')]],
    ['somebody was reached who knows nothing', [bob('unknown'), carol('unreachable')]],
  ])('once %s, and asks no more', async (_, checks) => {
    const peer = asked(...checks);
    expect(await inHome(['post', 'three'], peer)).toMatchObject({ code: 0, lines: [{ body: 'three' }] });
    expect(peer.closed()).toBe(true);
    expect(mark()).toBe(false);
    expect((await inHome(['post', 'four'])).code).toBe(0);
  });

  test('at once if it follows nobody: no directory is needed', async () => {
    const alone = await restoredHome({ follow: [] });
    expect(mark(alone)).toBe(true);
    expect((await run(['post', 'three', '--home', alone])).code).toBe(0);
    expect(mark(alone)).toBe(false);
  });

  test('with serve, by a second peer, which registers', async () => {
    const stop = new AbortController();
    const peer = asked(bob('same'));
    const onOutput = (text: string) => void (/ready/.test(text) && stop.abort(new StoppedError('SIGTERM')));
    expect((await inHome(['serve'], { ...peer, signal: stop.signal, onOutput })).code).toBe(0);
    expect(peer.options().register).not.toBe(false);
    expect(peer.options().publish).not.toBe(false);
    expect(mark()).toBe(false);
  });
});

test('a serve that is stopped while it asks ends as ever, and the question stays open', async () => {
  const stop = new AbortController();
  const checkHistory = () => {
    stop.abort(new StoppedError('SIGTERM'));
    return new Promise<never>(() => {});
  };
  expect(await inHome(['serve'], { ...fakePeer({ checkHistory }), signal: stop.signal })).toMatchObject({ code: 0 });
  expect(mark()).toBe(true);
});

test('many who have newer messages are not all named', async () => {
  const names = ['a', 'b', 'c', 'd', 'e'].map((peer): HistoryCheck => ({ peer, outcome: 'later' }));
  const { err } = await inHome(['post', 'three'], asked(...names));
  expect(err).toContain('"a", "b", "c", and 2 more have messages of yours that are newer');
});

test('without a directory to find anybody: 2, and what it is for', async () => {
  const { code, err } = await run(['post', 'three', '--home', home]);
  expect(code).toBe(2);
  expect(err).toMatch(/restored from a backup[\s\S]*no directory is given/);
});

describe('in a restored home, reading goes on as ever', () => {
  test('offline commands ask nobody', async () => {
    expect((await inHome(['timeline'])).lines).toHaveLength(2);
    expect((await inHome(['following'])).lines).toHaveLength(2);
    expect(mark()).toBe(true);
  });

  test.each([['sync', 'bob'], ['ping', 'bob'], ['peers']])('%s tells nobody the old root', async (...argv) => {
    const sync = async () => {
      throw new Error('enough');
    };
    const peer = fakePeer({ sync, directoryPeers: async () => [] });
    await inHome(argv, peer);
    expect(peer.options()).toMatchObject({ register: false, publish: false });
    rmSync(join(home, 'restored.txt'));
    await inHome(argv, peer);
    expect(peer.options()).toMatchObject({ register: false, publish: true, guarded: true });
  });
});

describe('the mark of a restored home', () => {
  test('is for the owner alone, and says what it is', () => {
    expect(readFileSync(join(home, 'restored.txt'), 'utf8')).toMatch(/^Restored from a backup/);
  });

  test('is there before the messages are', async () => {
    const lost = await initHome('alice');
    await run(['post', 'one', '--home', lost]);
    const backup = join(lost, '..', 'backup.json');
    await run(['key', 'export', backup, '--home', lost]);
    const fresh = freshFolder();
    mkdirSync(join(fresh, 'store.db'), { recursive: true });
    expect((await run(['key', 'import', backup, '--home', fresh])).code).toBe(1);
    expect(mark(fresh)).toBe(true);
  });

  test('outlives an import that was interrupted', async () => {
    // As if the power went before the name was written, which is last, and the home made another way.
    rmSync(join(home, 'identity.json'));
    expect((await run(['init', 'alice', '--home', home])).code).toBe(0);
    expect((await inHome(['post', 'three'], asked(bob('later')))).code).toBe(7);
  });

  test('is not there without a message to ask for', async () => {
    const empty = await restoredHome({ texts: [] });
    expect(readdirSync(empty)).not.toContain('restored.txt');
  });
});

describe('key import says what will happen', () => {
  const imported = async (follow: string[]) => {
    const lost = await initHome('alice');
    await run(['post', 'one', '--home', lost]);
    for (const name of follow) await run(['follow', name, '--home', lost]);
    const backup = join(lost, '..', 'backup.json');
    await run(['key', 'export', backup, '--home', lost]);
    return (await run(['key', 'import', backup, '--home', freshFolder()])).err;
  };

  test('those one follows are asked; or there is nobody to ask', async () => {
    expect(await imported(['bob'])).toContain('murmure asks the peers you follow');
    expect(await imported([])).toContain('You follow nobody who could be asked');
  });
});

describe('key resume', () => {
  test('lets the home publish, once that is meant', async () => {
    const prompts = answers('no', 'yes');
    expect(await inHome(['key', 'resume'], { prompts })).toMatchObject({ code: 0, out: '' });
    expect(mark()).toBe(true);
    expect((await inHome(['key', 'resume'], { prompts })).lines).toEqual([{ name: 'alice', resumed: true }]);
    expect(prompts.asked[0]).toMatch(/everybody drops them.*\nPublish from here anyway\?/);
    expect(mark()).toBe(false);
    expect((await inHome(['post', 'three'])).code).toBe(0);
  });

  test('with --yes nobody is asked, but told what it means', async () => {
    const { lines, err } = await inHome(['key', 'resume', '--yes']);
    expect(lines).toEqual([{ name: 'alice', resumed: true }]);
    expect(err).toContain('everybody drops them');
  });

  test('where nobody can be asked, without --yes: 2', async () => {
    expect(await inHome(['key', 'resume'])).toMatchObject({ code: 2, err: expect.stringContaining('--yes') });
    expect(mark()).toBe(true);
  });

  test('where nothing is held back there is nothing to ask', async () => {
    await inHome(['key', 'resume', '--yes']);
    expect((await inHome(['key', 'resume'])).lines).toEqual([{ name: 'alice', resumed: false }]);
  });

  test('a folder that is no home: 2', async () => {
    expect((await run(['key', 'resume', '--home', freshFolder()])).code).toBe(2);
  });
});
