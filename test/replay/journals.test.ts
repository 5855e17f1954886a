/** Every journal in this folder replays identically: the machines are those that it was recorded with, or behave like them. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseJournal } from '../../src/journal/format.ts';
import { readJournal } from '../../src/journal/journal-file.ts';
import { type Difference, replay } from '../../src/journal/replay.ts';
import { record, scenarios } from './scenarios.ts';

const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.jsonl'));

test('the journals replay identically', async () => {
  const report: string[] = [];
  for (const file of files) {
    const result = await replay(await readJournal(join(import.meta.dirname, file)));
    if (result.firstDifference !== undefined) report.push(describeDifference(file, result.firstDifference));
  }
  expect(report.join('\n'), 'if the machines were meant to change: npm run journals:update').toBe('');
});

test('there is one for each scenario, and a scenario for each', () => {
  expect(files.sort()).toEqual(
    Object.keys(scenarios)
      .map((name) => `${name}.jsonl`)
      .sort(),
  );
  expect(files.length).toBeGreaterThanOrEqual(12);
});

describe.each(Object.keys(scenarios))('%s', (name) => {
  test('recorded again, it is the same journal', async () => {
    const scenario = scenarios[name];
    if (scenario === undefined) throw new Error(name);
    const lines = await record(scenario);
    const kept = await readJournal(join(import.meta.dirname, `${name}.jsonl`));
    const { entries, cut } = parseJournal(name, lines);
    expect(cut).toBeUndefined();
    expect(entries).toEqual(kept.entries);
  });
});

function describeDifference(file: string, { seq, actor, before, event, expected, got }: Difference): string {
  return `${file}: before entry ${seq}, after ${event}, ${actor} (${before}): expected ${expected}, got ${got}`;
}
