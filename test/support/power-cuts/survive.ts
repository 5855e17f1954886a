/** A store whose power is cut again and again; what it acknowledged is there, and nothing is damaged. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { seededRandom } from '../../../src/simulation/seeded-random.ts';
import { openSqliteStore } from '../../../src/store/sqlite-store.ts';
import type { Store } from '../../../src/store/store.ts';
import { hashOf } from '../../../src/wire/hash.ts';
import { messageHead } from '../../../src/wire/node.ts';
import { bodiesOf, feedOf } from './feeds.ts';
import { type Keeps, Shim } from './shim.ts';
import type { Job, Said } from './worker.ts';

const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url));
const OLD_HOMES = fileURLToPath(new URL('../../unit/store/homes/', import.meta.url));
const JOBS: readonly Job[] = ['post', 'adopt', 'withdraw', 'adopt', 'collect', 'migrate'];

interface Acknowledged {
  readonly posted: Set<string>;
  readonly withdrawn: Set<string>;
  /** Of those whose withdrawal was begun nobody knows. */
  readonly withdrawing: Set<string>;
  /** The version of bob's feed that was adopted last, and those that were begun since. */
  version: number;
  readonly begun: Set<number>;
}

/** @throws if anything acknowledged is lost or damaged. Gives how many of these ended in a cut, of each job. */
export async function survivePowerCuts(cuts: number, seed: number, keeps: 'nothing' | 'everything' | 'some') {
  const draw = seededRandom(seed).fork('power cuts');
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'murmure-cuts-')));
  using shim = new Shim();
  const file = join(folder, 'store.db');
  const acknowledged: Acknowledged = {
    posted: new Set(),
    withdrawn: new Set(),
    withdrawing: new Set(),
    version: 0,
    begun: new Set(),
  };
  const calls = new Map<Job, number>();
  const cutsOf: Partial<Record<Job, number>> = {};
  try {
    for (let cut = 0; cut < cuts; cut++) {
      const job = JOBS[cut % JOBS.length] as Job;
      const of = job === 'migrate' ? oldHome(folder, cut) : file;
      // The first of each shows how many calls there are to be cut off at.
      const at = 1 + Math.floor(draw.fraction() * (calls.get(job) ?? Number.MAX_SAFE_INTEGER));
      const kept: Keeps = keeps === 'some' ? 1 + Math.floor(draw.fraction() * 1e6) : keeps;
      if (job === 'adopt') acknowledged.begun.add(cut);
      const { said, signal } = await work(job, of, cut, shim.environment(folder, at, kept));
      if (signal === null) calls.set(job, shim.counted());
      if (signal === 'SIGKILL') cutsOf[job] = (cutsOf[job] ?? 0) + 1;
      else expect(said.at(-1)).toEqual({ done: job });
      for (const it of said) note(it, acknowledged);
      const what = `${job}, cut off at call ${at} of ${calls.get(job)}, keeping ${kept}`;
      using store = openSqliteStore(of);
      if (job === 'migrate') expect(store.messages({ authors: ['alice'], limit: 100 }).length, what).toBeGreaterThan(0);
      else examine(store, acknowledged, what);
      expect(
        [...store.verify()].flatMap(({ damaged }) => damaged),
        what,
      ).toEqual([]);
    }
    return cutsOf;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function work(job: Job, file: string, number: number, env: NodeJS.ProcessEnv) {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const child = spawn(process.execPath, [WORKER, job, file, String(number)], {
    env: { PATH, NODE_COMPILE_CACHE, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (some) => {
    text += some;
  });
  const [, signal] = await once(child, 'close');
  return {
    said: text
      .split('\n')
      .filter(Boolean)
      .map((line): Said => JSON.parse(line)),
    signal,
  };
}

/** A copy of a home that an earlier version wrote. */
function oldHome(folder: string, cut: number): string {
  const versions = readdirSync(OLD_HOMES).filter((name) => name.endsWith('.db'));
  const file = join(folder, `old-${cut}.db`);
  copyFileSync(join(OLD_HOMES, versions[cut % versions.length] ?? ''), file);
  return file;
}

function note(said: Said, acknowledged: Acknowledged): void {
  if ('posted' in said) acknowledged.posted.add(said.posted);
  if ('withdrawing' in said) acknowledged.withdrawing.add(said.withdrawing);
  if ('withdrawn' in said) acknowledged.withdrawn.add(said.withdrawn);
  if (!('adopted' in said)) return;
  acknowledged.version = said.adopted;
  acknowledged.begun.clear();
}

function examine(store: Store, acknowledged: Acknowledged, what: string): void {
  const { posted, withdrawn, withdrawing, version, begun } = acknowledged;
  const own = new Set(store.messages({ authors: ['alice'], limit: 10_000 }).map(({ hash }) => hash));
  expect(
    [...posted].filter((hash) => !own.has(hash) && !withdrawing.has(hash)),
    what,
  ).toEqual([]);
  expect(
    [...withdrawn].filter((hash) => own.has(hash)),
    what,
  ).toEqual([]);
  expect(new Set(store.ownLeaves().filter(messageHead).map(hashOf)), what).toEqual(own);
  const bodies = store.messages({ authors: ['bob'], limit: 10_000 }).map(({ body }) => body);
  if (begun.size === 0) {
    expect(store.currentRoot('bob'), what).toBe(version === 0 ? undefined : feedOf(version).root);
    expect(bodies.sort(), what).toEqual(bodiesOf(version).sort());
  } else {
    // Of a change that is under way some may be there: whoever makes the next one finds out which.
    const all = [version, ...begun].flatMap(bodiesOf);
    expect(all, what).toEqual(expect.arrayContaining(bodies));
    expect(bodies, what).toEqual(expect.arrayContaining(bodiesOf(version).filter((body) => body.includes('of all'))));
  }
  expect(store.search({ text: 'word', limit: 10_000 }).length, what).toBe(own.size + bodies.length);
}
