/**
 * The real program, killed with SIGKILL in the middle of what it does, again and again: writing, withdrawing, downloading, searching,
 * exporting, migrating a home, and a directory under registrations. Afterwards nothing is damaged, and what was acknowledged is there.
 */
import { copyFileSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { generateKeyPair } from '../../src/identity/key-pair.ts';
import { createDirectoryHttp } from '../../src/peer/directory-http.ts';
import { seededRandom } from '../../src/simulation/seeded-random.ts';
import { type LocalDirectory, startDirectory } from './local-directory.ts';
import type { Json } from './program.ts';

/** A command takes about so long: kills are spread over it, and a little further. */
const LONGEST_MS = 900;
const OLD_HOME = fileURLToPath(new URL('../unit/store/homes/version-9.db', import.meta.url));

interface Acknowledged {
  /** Messages of alice that were acknowledged, and not taken back. */
  readonly kept: Set<string>;
  /** Those whose withdrawal was acknowledged. */
  readonly withdrawn: Set<string>;
}

/** So many kills, one after the other. @throws if anything acknowledged is lost or damaged */
export async function survive(kills: number, seed: number): Promise<void> {
  await using setting = await startDirectory(['127.0.0.1:0']);
  const draw = seededRandom(seed).fork('kills');
  for (const name of ['alice', 'bob']) await setting.run(name, 'init', name);
  await setting.run('bob', 'follow', 'alice', '--force');
  // On a slow machine every later one may be killed before it says anything.
  const first = await setting.post('alice', 'before the first kill');
  const acknowledged: Acknowledged = { kept: new Set([first as string]), withdrawn: new Set() };
  const steps = [post, post, withdraw, download, serve, search, exportAll, migrate];
  for (let kill = 0; kill < kills; kill++) {
    const step = steps[kill % steps.length] as Step;
    await step(setting, acknowledged, Math.floor(draw.fraction() * LONGEST_MS), kill);
  }
  await examine(setting, acknowledged);
}

type Step = (setting: LocalDirectory, acknowledged: Acknowledged, ms: number, kill: number) => Promise<void>;

/** What it said before it was killed. */
async function killed(
  { programs, flags }: LocalDirectory,
  name: string,
  ms: number,
  ...argv: string[]
): Promise<Json[]> {
  const running = programs.start([...argv, ...flags(name)]);
  running.child.stdin.end();
  await Promise.race([wait(ms), running.finished]);
  const { values } = await running.stop('SIGKILL');
  return values;
}

const post: Step = async (setting, { kept }, ms, kill) => {
  for (const { hash } of await killed(setting, 'alice', ms, 'post', `message ${kill}`)) kept.add(hash as string);
};

const withdraw: Step = async (setting, acknowledged, ms) => {
  const said = await killed(setting, 'alice', ms, 'withdraw', '--last', '--yes');
  for (const { hash } of said) {
    acknowledged.withdrawn.add(hash as string);
    acknowledged.kept.delete(hash as string);
  }
  // It may have done so without having said it.
  if (said.length === 0) acknowledged.kept.delete([...acknowledged.kept].at(-1) ?? '');
};

/** Bob's peer is killed while it downloads. */
const download: Step = async (setting, _, ms) => {
  const alice = await setting.serve('alice');
  await killed(setting, 'bob', ms, 'sync', 'alice');
  await alice.stop();
};

/** Alice's is while bob downloads from it. */
const serve: Step = async (setting, _, ms) => {
  const alice = await setting.serve('alice');
  const bob = setting.programs.start(['sync', 'alice', '--timeout', '3', ...setting.flags('bob')]);
  await wait(ms);
  await alice.stop('SIGKILL');
  await bob.stop('SIGKILL');
};

/** It takes note of the words that it has not yet. */
const search: Step = async (setting, _, ms) => void (await killed(setting, 'alice', ms, 'search', 'message'));

const exportAll: Step = async (setting, _, ms) =>
  void (await killed(setting, 'alice', ms, 'export', setting.programs.home('pages')));

/** A home that an earlier version wrote. */
const migrate: Step = async (setting, _, ms, kill) => {
  const name = `old-${kill}`;
  await setting.run(name, 'init', name);
  const store = `${setting.programs.home(name)}/store.db`;
  for (const file of [store, `${store}-wal`, `${store}-shm`]) rmSync(file, { force: true });
  copyFileSync(OLD_HOME, store);
  await killed(setting, name, ms, 'timeline');
  expect((await setting.run(name, 'verify')).values).toMatchObject([{ damaged: [] }]);
  const { values } = await setting.run(name, 'timeline', 'alice');
  expect(values).toHaveLength(9);
};

async function examine(setting: LocalDirectory, { kept, withdrawn }: Acknowledged): Promise<void> {
  for (const name of ['alice', 'bob']) {
    expect((await setting.run(name, 'verify')).values).toMatchObject([{ damaged: [] }]);
  }
  const alice = await setting.serve('alice');
  await setting.run('bob', 'sync', 'alice');
  await alice.stop();
  for (const name of ['alice', 'bob']) {
    const { values } = await setting.run(name, 'timeline', 'alice', '--limit', '100000');
    const there = new Set(values.map(({ hash }) => hash as string));
    expect(
      [...kept].filter((hash) => !there.has(hash)),
      `of alice's, ${name} lacks`,
    ).toEqual([]);
    expect(
      [...withdrawn].filter((hash) => there.has(hash)),
      `withdrawn, ${name} has`,
    ).toEqual([]);
  }
}

/** The directory is killed so many times while names register; whose name was bound stays bound to its key. */
export async function surviveRegistrations(kills: number, seed: number): Promise<void> {
  await using setting = await startDirectory(['127.0.0.1:0']);
  const draw = seededRandom(seed).fork('registrations');
  const bound = new Set<string>();
  for (let kill = 0; kill < kills; kill++) {
    const name = `name-${kill}`;
    await setting.run(name, 'init', name);
    const running = setting.programs.start(['serve', '--udp', '127.0.0.1:0', ...setting.flags(name)]);
    const listed = running.event('peer.listed').then(
      () => bound.add(name),
      () => {},
    );
    // Every fifth name is bound before the kill, on a slow machine too.
    const isBoundFirst = kill % 5 === 0;
    await (isBoundFirst ? listed : Promise.race([wait(1_000 + draw.fraction() * LONGEST_MS), listed]));
    await setting.restart(() => {});
    await running.stop('SIGKILL');
    await listed;
  }
  expect(bound.size, 'names that were bound').toBeGreaterThanOrEqual(kills / 5);
  const [url = '', , file = ''] = setting.flags('').slice(-3);
  const directory = createDirectoryHttp({ url, ca: readFileSync(file, 'utf8') });
  const other = await generateKeyPair();
  for (const name of bound) {
    await expect(directory.register(name, other.publicKey), name).rejects.toMatchObject({ code: 'authentication' });
  }
}
