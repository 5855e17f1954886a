/** A home on which a peer has stopped publishing (docs/adr/0016): what is done in it afterwards. */
import { copyFileSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { StoppedError } from '../../../src/cli/errors.ts';
import type { PeerFact } from '../../../src/index.ts';
import { openSqliteStore } from '../../../src/store/sqlite-store.ts';
import { DIRECTORY, type FakePeer, fakePeer, initHome, type RunSettings, run } from './support.ts';

let home: string;
beforeEach(async () => {
  home = await initHome('alice');
  expect((await inHome(['post', 'one'])).code).toBe(0);
});

const inHome = (argv: readonly string[], settings: RunSettings = {}) =>
  run([...argv, '--home', home, '--directory', DIRECTORY, '--json'], settings);
const has = (file: string) => existsSync(join(home, file));
const copy = { code: 'in-use', message: 'another murmure at 192.0.2.1:1 publishes as alice: stop it' } as const;
const later = { code: 'invalid-data', message: '"bob" has messages of yours that are newer' } as const;

/** Runs `serve`, which tells this after it is ready. */
async function serve(failure: typeof copy | typeof later | undefined): Promise<string> {
  return (await serveTelling(...(failure === undefined ? [] : [{ type: 'publishing.stopped', failure } as const]))).err;
}

async function serveTelling(...facts: PeerFact[]) {
  const stop = new AbortController();
  const peer = fakePeer({ whenListed: async () => {}, root: rootOf() });
  const onOutput = (text: string) => {
    if (!/ready/.test(text) || stop.signal.aborted) return;
    facts.forEach(peer.tell);
    stop.abort(new StoppedError('SIGTERM'));
  };
  const { err, code } = await inHome(['serve'], { ...peer, signal: stop.signal, onOutput });
  return { err, code, options: peer.options() };
}

function rootOf(): string {
  using store = openSqliteStore(join(home, 'store.db'));
  return store.ownFeed().root;
}

describe('after another program with the same key was found', () => {
  test('post stores the message, and says that and why it is not published', async () => {
    expect(await serve(copy)).toContain(copy.message);
    const { code, err, lines } = await inHome(['post', 'two']);
    expect({ code, lines }).toMatchObject({ code: 0, lines: [{ body: 'two' }] });
    expect(err).toContain(
      `the message is stored here, and is not published until this home publishes again: ${copy.message}`,
    );
    using store = openSqliteStore(join(home, 'store.db'));
    expect(store.ownFeed().messages).toBe(2);
  });

  test('withdraw says so, too', async () => {
    await serve(copy);
    const hash = (await inHome(['timeline'])).lines[0]?.hash;
    expect((await inHome(['withdraw', hash])).err).toContain('the withdrawal is stored here, and is not published');
  });

  test('doctor says so: 8', async () => {
    await serve(copy);
    const line = (await inHome(['doctor'])).lines.find(({ check }) => check === 'publishing');
    expect(line).toMatchObject({ status: 'failed', detail: copy.message, advice: expect.stringContaining('serve') });
  });

  test.each([
    ['sync', 'bob'],
    ['ping', 'bob'],
  ])('%s tells nobody the root', async (...argv) => {
    await serve(copy);
    const peer = fakePeer({ sync: async () => Promise.reject(new Error('enough')) });
    await inHome(argv, peer);
    expect(peer.options()).toMatchObject({ register: false, publish: false });
  });

  test('serve looks anew, and if there is none, nothing is held back', async () => {
    await serve(copy);
    expect(has('stopped.txt')).toBe(true);
    await serve(undefined);
    expect(has('stopped.txt')).toBe(false);
    expect((await inHome(['post', 'two', '--quiet'])).err).toBe('');
  });
});

const oneShots: readonly (readonly [string, () => FakePeer])[] = [
  ['sync', () => fakePeer({ sync: async () => Promise.reject(new Error('enough')) })],
  ['ping', () => fakePeer({ sync: async () => Promise.reject(new Error('enough')) })],
];

test.each(oneShots)('%s that learns of newer messages says so, and post is refused', async (command, make) => {
  const peer = make();
  const { services } = peer;
  const telling = {
    ...services,
    createPeer: async (options: Parameters<typeof services.createPeer>[0]) => {
      const created = await services.createPeer(options);
      setImmediate(() => peer.tell({ type: 'publishing.stopped', failure: later }));
      return {
        ...created,
        sync: () => new Promise<never>((_, reject) => setTimeout(() => reject(new Error('enough')), 50)),
      };
    },
  };
  expect((await inHome([command, 'bob'], { services: telling })).err).toContain(later.message);
  expect(has('restored.txt')).toBe(true);
});

describe('after others were found to have newer messages, whom one does not follow', () => {
  beforeEach(() => serve(later));

  test.each([[['post', 'two']], [['withdraw', 'newest']]])(
    '%s is refused without serve, each time: 7',
    async (argv) => {
      const hash = (await inHome(['timeline'])).lines[0]?.hash;
      for (let time = 0; time < 2; time += 1) {
        const { code, err } = await inHome(argv.map((word) => (word === 'newest' ? hash : word)));
        expect({ code, err }).toEqual({ code: 7, err: expect.stringContaining(later.message) });
      }
    },
  );

  test('doctor says so, also after post was refused: 7', async () => {
    await inHome(['post', 'two']);
    const line = (await inHome(['doctor'])).lines.find(({ check }) => check === 'publishing');
    expect(line).toMatchObject({ status: 'failed', detail: later.message, advice: expect.stringContaining('resume') });
  });

  test('serve goes on reading, asks again, and post is refused still', async () => {
    expect(await serveTelling()).toMatchObject({ code: 0, options: { guarded: true } });
    expect((await inHome(['post', 'two'])).code).toBe(7);
  });

  test('the newer database, put back, publishes', async () => {
    using store = openSqliteStore(join(home, 'store.db'));
    store.publish('alice', { date: 1, inReplyTo: null, body: 'newer' }, 1);
    expect((await inHome(['post', 'two'])).code).toBe(0);
    expect(has('restored.txt')).toBe(false);
  });

  test('key resume ends that', async () => {
    await inHome(['post', 'two']);
    expect((await inHome(['key', 'resume', '--yes'])).lines).toEqual([{ name: 'alice', resumed: true }]);
    expect((await inHome(['post', 'two'])).code).toBe(0);
  });
});

describe('after key resume', () => {
  const read = (atMs: number) => {
    using store = openSqliteStore(join(home, 'store.db'));
    store.noteReader('bob', atMs);
  };
  beforeEach(async () => {
    await serve(later);
    await inHome(['key', 'resume', '--yes']);
  });

  test('serve asks nobody whether there is a later tree than this one, until somebody has read that', async () => {
    read(1);
    expect((await serveTelling()).options).toMatchObject({ guarded: false });
    expect((await serveTelling()).options).toMatchObject({ guarded: false });
    read(Date.now() + 1_000);
    expect((await serveTelling()).options).toMatchObject({ guarded: true, givenUp: 0 });
  });

  test('serve asks about what was published since', async () => {
    await inHome(['post', 'two']);
    expect((await serveTelling()).options).toMatchObject({ guarded: true, givenUp: 1 });
  });

  test('a database of before is asked about as ever', async () => {
    rmSync(join(home, 'store.db'));
    const other = await initHome('alice');
    await run(['post', 'zero', '--home', other]);
    copyFileSync(join(other, 'store.db'), join(home, 'store.db'));
    const { options } = await serveTelling();
    expect(options).toMatchObject({ guarded: true });
    expect(options.givenUp).toBeUndefined();
  });
});

describe('a home whose database is gone', () => {
  beforeEach(() => rmSync(join(home, 'store.db')));

  test.each([['post', 'two'], ['serve']])('%s is refused, and says what to do: 7', async (...argv) => {
    const { code, err } = await inHome(argv, fakePeer({}));
    expect(code).toBe(7);
    expect(err).toMatch(/the database of this home was gone.*put the former database .*back.*key resume/);
  });

  test('sync reads, and tells nobody that there is nothing', async () => {
    const peer = fakePeer({ sync: async () => Promise.reject(new Error('enough')) });
    await inHome(['sync', 'bob'], peer);
    expect(peer.options()).toMatchObject({ publish: false });
    expect((await inHome(['post', 'two'])).code).toBe(7);
  });

  test('publishes once the loss is accepted', async () => {
    expect((await inHome(['following'])).code).toBe(0);
    await inHome(['key', 'resume', '--yes']);
    expect((await inHome(['post', 'two'])).code).toBe(0);
  });

  test('publishes once the database is back', async () => {
    const other = await initHome('alice');
    await run(['post', 'one', '--home', other]);
    expect((await inHome(['post', 'two'])).code).toBe(7);
    copyFileSync(join(other, 'store.db'), join(home, 'store.db'));
    expect((await inHome(['post', 'two'])).code).toBe(0);
  });
});

test('a mark that says nothing is a mark all the same', async () => {
  writeFileSync(join(home, 'stopped.txt'), '');
  expect((await inHome(['post', 'two'])).err).toContain('is not published');
});
