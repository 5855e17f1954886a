/** What a person sees of something that takes longer than a second. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createOutput, type Output } from '../../../src/cli/output/output.ts';

const CLEAR = '\r\u001B[K';
let err: string[];
let out: string[];

beforeEach(() => {
  vi.useFakeTimers();
  err = [];
  out = [];
});
afterEach(() => void vi.useRealTimers());

function begin(isTTY: boolean, { quiet = false, json = false, env = {} } = {}): Output {
  const stderr = { isTTY, columns: 60, write: (text: string) => err.push(text) };
  const stdout = { isTTY, write: (text: string) => out.push(text) };
  return createOutput({ stdout, stderr, env }, { json, quiet, color: false });
}

test.each([true, false])('nothing is said of what ends within a second, on a terminal: %s', (isTTY) => {
  const progress = begin(isTTY).progress();
  progress.tell('waiting for the directory');
  vi.advanceTimersByTime(999);
  progress[Symbol.dispose]();
  vi.advanceTimersByTime(60_000);
  expect(err).toEqual([]);
});

test('a terminal gets a bar that is redrawn ten times a second, and gone at the end', () => {
  const progress = begin(true).progress();
  vi.advanceTimersByTime(1_000);
  progress.tell('downloading', 0.5);
  for (let i = 0; i < 100; i++) progress.tell('downloading', 0.6);
  vi.advanceTimersByTime(100);
  progress[Symbol.dispose]();
  const bar = (full: number, percent: string) =>
    `${CLEAR}[${'#'.repeat(full)}${'.'.repeat(24 - full)}] ${percent} %  downloading`;
  expect(err).toEqual([bar(12, ' 50'), bar(14, ' 60'), CLEAR]);
});

test('a line is never longer than the terminal is wide', () => {
  const progress = begin(true).progress();
  vi.advanceTimersByTime(1_000);
  progress.tell('many words '.repeat(20), 0.5);
  expect(err[0]?.length).toBeLessThanOrEqual(CLEAR.length + 59);
  progress[Symbol.dispose]();
});

test('what is waited for without knowing how long is said as soon as it has lasted a second', () => {
  const progress = begin(true).progress();
  progress.tell('waiting for the directory');
  vi.advanceTimersByTime(1_000);
  expect(err).toEqual([`${CLEAR}waiting for the directory …`]);
  progress[Symbol.dispose]();
});

test.each([
  ['a file', false, {}],
  ['a dumb terminal', true, { TERM: 'dumb' }],
])('%s gets a line after a second, and one every ten seconds', (_, isTTY, env) => {
  const progress = begin(isTTY, { env }).progress();
  progress.tell('downloading', 0.1);
  for (let second = 1; second <= 20; second++) {
    vi.advanceTimersByTime(1_000);
    progress.tell('downloading', second / 20);
  }
  progress[Symbol.dispose]();
  expect(err).toEqual(['downloading: 10 %\n', 'downloading: 50 %\n']);
});

test('whatever else is written begins on a line of its own', () => {
  const output = begin(true);
  const progress = output.progress();
  vi.advanceTimersByTime(1_000);
  progress.tell('downloading', 0.5);
  output.data({}, () => 'a result');
  output.note('by the way');
  expect(err.slice(1)).toEqual([CLEAR, 'by the way\n']);
  progress[Symbol.dispose]();
});

test('stdout gets nothing of it, and --quiet silences it', () => {
  for (const output of [begin(true, { json: true }), begin(true, { quiet: true })]) {
    const progress = output.progress();
    vi.advanceTimersByTime(2_000);
    progress.tell('downloading', 0.5);
    progress[Symbol.dispose]();
  }
  expect(out).toEqual([]);
  expect(err).toHaveLength(2);
});

test('names in it are made safe to show', () => {
  const progress = begin(false).progress();
  vi.advanceTimersByTime(1_000);
  progress.tell('downloading from \u001B[31mmallory', 0.5);
  expect(err).toEqual(['downloading from mallory: 50 %\n']);
  progress[Symbol.dispose]();
});
