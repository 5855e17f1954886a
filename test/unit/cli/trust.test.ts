/** murmure trust, with a real directory. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fingerprint } from '../../../src/identity/fingerprint.ts';
import type { PublicKey } from '../../../src/identity/public-key.ts';
import { createDirectory, createPeer, type Directory, generateKeyPair, type Peer } from '../../../src/index.ts';
import { openSqliteStore } from '../../../src/store/sqlite-store.ts';
import { answers, freshFolder, initHome, run } from './support.ts';

const LOOPBACK = ['127.0.0.1:0'];

let directory: Directory;
let alice: Peer;
let former: PublicKey;
beforeAll(async () => {
  directory = await createDirectory({ listen: '127.0.0.1:0', udp: LOOPBACK });
  const access = { directory: directory.url, ca: directory.ca, udp: LOOPBACK };
  const keyPair = await generateKeyPair();
  alice = await createPeer({ name: 'alice', keyPair, store: openSqliteStore(':memory:'), ...access });
  await alice.whenListed();
  former = (await generateKeyPair()).publicKey;
});
afterAll(async () => {
  await alice.close();
  await directory.close();
});

let home: string;
let flags: string[];
beforeEach(async () => {
  home = await initHome('bob');
  const ca = join(home, 'ca.pem');
  writeFileSync(ca, directory.ca ?? '');
  flags = ['--json', '--home', home, '--directory', directory.url, '--ca', ca];
});

const pin = (key: PublicKey) => {
  using store = openSqliteStore(join(home, 'store.db'));
  store.pinKey('alice', key, 0);
};
const pinned = () => {
  using store = openSqliteStore(join(home, 'store.db'));
  return store.peer('alice')?.key;
};
const trustsUnsigned = () => {
  using store = openSqliteStore(join(home, 'store.db'));
  return store.trustsUnsigned('alice', alice.publicKey);
};

describe('a changed key', () => {
  test('is shown beside the former one, and accepted once that is confirmed', async () => {
    pin(former);
    const prompts = answers('no', 'yes');
    expect(await run(['trust', 'alice', ...flags], { prompts })).toMatchObject({ code: 0, out: '' });
    expect(pinned()).toBe(former);
    const { code, lines } = await run(['trust', 'alice', ...flags], { prompts });
    expect({ code, lines }).toEqual({
      code: 0,
      lines: [{ peer: 'alice', fingerprint: fingerprint(alice.publicKey), before: fingerprint(former) }],
    });
    expect(prompts.asked[0]).toContain(fingerprint(former));
    expect(prompts.asked[0]).toContain(fingerprint(alice.publicKey));
    expect(pinned()).toBe(alice.publicKey);
    expect(trustsUnsigned()).toBe(false);
  });

  test('is accepted with --yes, and both fingerprints are on stderr', async () => {
    pin(former);
    const { code, err } = await run(['trust', 'alice', '--yes', ...flags]);
    expect(code).toBe(0);
    expect(err).toContain(fingerprint(former));
    expect(err).toContain(fingerprint(alice.publicKey));
    expect(pinned()).toBe(alice.publicKey);
  });

  test('is not accepted where nobody can be asked, but shown: 2', async () => {
    pin(former);
    const { code, err } = await run(['trust', 'alice', ...flags]);
    expect(code).toBe(2);
    expect(err).toContain(fingerprint(alice.publicKey));
    expect(err).toContain('--yes');
    expect(pinned()).toBe(former);
  });
});

test('a key that is the same already needs no confirmation', async () => {
  pin(alice.publicKey);
  const { code, lines } = await run(['trust', 'alice', ...flags]);
  const same = fingerprint(alice.publicKey);
  expect({ code, lines }).toEqual({ code: 0, lines: [{ peer: 'alice', fingerprint: same, before: same }] });
});

test('the first key of a peer has none before it', async () => {
  const { lines } = await run(['trust', 'alice', '--yes', ...flags]);
  expect(lines).toEqual([{ peer: 'alice', fingerprint: fingerprint(alice.publicKey), before: null }]);
  expect(pinned()).toBe(alice.publicKey);
});

test('--unsigned is a decision of its own, even if the key is the same', async () => {
  pin(alice.publicKey);
  const prompts = answers('no', 'yes');
  await run(['trust', 'alice', '--unsigned', ...flags], { prompts });
  expect(trustsUnsigned()).toBe(false);
  await run(['trust', 'alice', '--unsigned', ...flags], { prompts });
  expect(trustsUnsigned()).toBe(true);
  expect(prompts.asked[0]).toContain('Without signatures');
});

test('somebody who is not listed: 4; a directory that is not there: 3', async () => {
  expect(await run(['trust', 'nobody', '--yes', ...flags])).toMatchObject({
    code: 4,
    err: expect.stringContaining('does not list "nobody" now'),
  });
  const elsewhere = ['--json', '--home', home, '--directory', 'https://127.0.0.1:9'];
  expect((await run(['trust', 'alice', '--yes', ...elsewhere])).code).toBe(3);
});

test('a folder that is no home: 2', async () => {
  expect((await run(['trust', 'alice', '--home', freshFolder()])).code).toBe(2);
});
