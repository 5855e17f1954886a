/** Runs of one scenario under many seeds; the one that fails says how to run it again, and leaves journals to look into. */
import { randomInt } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createJournalFile } from '../../src/journal/journal-file.ts';
import { recording } from './world.ts';

/** The seeds 1 to `count`, or the one in MURMURE_SEED. */
export function seeds(count: number): number[] {
  const only = process.env.MURMURE_SEED;
  return only === undefined ? Array.from({ length: count }, (_, i) => i + 1) : [Number(only)];
}

/** The given ones and one that nobody has tried, or the one in MURMURE_SEED. */
export function withFreshSeed(...fixed: readonly number[]): number[] {
  const only = process.env.MURMURE_SEED;
  return only === undefined ? [...fixed, randomInt(2 ** 31)] : [Number(only)];
}

/** Under the seeds 1 to `which`, or those given. */
export async function underSeeds(
  which: number | readonly number[],
  scenario: (seed: number) => Promise<void>,
): Promise<void> {
  for (const seed of typeof which === 'number' ? seeds(which) : which) {
    try {
      await scenario(seed);
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      const folder = await recordSeed(seed, scenario);
      const how = `MURMURE_SEED=${seed} runs it alone, identically; murmure replay ${folder}/NAME.jsonl goes through it`;
      throw new Error(`seed ${seed} fails; ${how}: ${what}`, { cause: error });
    }
  }
}

/** The folder with a journal of each peer, and of the directory, up to where the scenario failed. */
export async function recordSeed(seed: number, scenario: (seed: number) => Promise<void>): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), `murmure-seed-${seed}-`));
  const times = new Map<string, number>();
  const open = (name: string) => {
    const before = times.get(name) ?? 0;
    times.set(name, before + 1);
    return createJournalFile(join(folder, before === 0 ? `${name}.jsonl` : `${name}-${before + 1}.jsonl`));
  };
  await recording(open, () => scenario(seed).catch(() => {}));
  return folder;
}
