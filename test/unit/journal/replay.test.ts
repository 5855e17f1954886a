/** Journals: what a replay finds, and what it says of files that are damaged, foreign, or from another version. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { InvalidJournalError, parseJournal } from '../../../src/journal/format.ts';
import { createJournalFile, JournalNotWritableError, readJournal } from '../../../src/journal/journal-file.ts';
import { replay } from '../../../src/journal/replay.ts';
import { Tracer, type Transition } from '../../../src/journal/trace.ts';
import { record, type Scenario, scenarios } from '../../replay/scenarios.ts';
import { publishAndSync } from '../../support/scenarios.ts';
import { recordSeed } from '../../support/seeds.ts';

let lines: readonly string[];

beforeAll(async () => {
  lines = await record(scenarios.loss as Scenario);
});

function edited(seq: number, edit: (entry: Record<string, unknown>) => unknown): string[] {
  return lines.map((line, i) => (i === seq ? JSON.stringify(edit(JSON.parse(line))) : line));
}

function seqOf(type: string, nth = 0): number {
  const all = lines.flatMap((line, i) => (line.includes(`"event":{"type":"${type}"`) ? [i] : []));
  return all.at(nth) as number;
}

function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'murmure-journal-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

describe('a replay', () => {
  test('of a whole journal comes to the same states, and sends the same datagrams', async () => {
    const result = await replay(parseJournal('x', lines));
    expect(result).toMatchObject({ identical: true, events: lines.length - 1, versions: [] });
    expect(result.datagrams).toBeGreaterThan(40);
  });

  test('finds the entry at which other datagrams had been sent', async () => {
    const seq = seqOf('datagrams.received', 5);
    const other = edited(seq, (entry) => ({ ...entry, sent: '3:00c0ffee' }));
    expect(await replay(parseJournal('x', other))).toMatchObject({
      identical: false,
      firstDifference: { seq, expected: '3 datagrams (CRC 00c0ffee) sent until here' },
    });
  });

  test('finds the entry at which an actor had been in another state', async () => {
    const seq = seqOf('tree.adopted');
    const other = edited(seq, (entry) => ({ ...entry, in: 'asleep' }));
    expect((await replay(parseJournal('x', other))).firstDifference).toMatchObject({
      seq,
      actor: 'peer/merkle-walk.alice',
      before: 'fetching',
      expected: 'state asleep',
      got: 'state fetching',
    });
  });

  test('finds what an event that was changed leads to', async () => {
    const seq = seqOf('datagrams.received', -1);
    const other = edited(seq, (entry) => ({
      ...entry,
      event: { ...(entry.event as { arrivals: object[] }), arrivals: [] },
    }));
    const { firstDifference } = await replay(parseJournal('x', other));
    expect(firstDifference?.seq).toBeGreaterThan(seq);
  });

  test('finds a final state that is not the one recorded', async () => {
    const end = lines.length - 1;
    const other = edited(end, (entry) => ({ ...entry, end: { ...(entry.end as object), states: '0'.repeat(64) } }));
    expect((await replay(parseJournal('x', other))).firstDifference).toMatchObject({
      seq: end,
      expected: 'final states 000000000000',
    });
  });

  test('stops where it is told to', async () => {
    expect(await replay(parseJournal('x', lines), { until: 10 })).toMatchObject({ events: 10, identical: true });
  });

  test('without one datagram goes the way it would have gone: the request is repeated', async () => {
    const sent = (await replay(parseJournal('x', lines))).datagrams;
    const dropped = await replay(parseJournal('x', lines), { drop: new Set([seqOf('datagrams.received', 12)]) });
    expect(dropped.identical).toBe(false);
    expect(dropped.firstDifference).toBeUndefined();
    expect(dropped.datagrams).not.toBe(sent);
  });

  test('shows each transition with its guard and its actions', async () => {
    const seen: Transition[] = [];
    const tracer = new Tracer((transition) => seen.push(transition));
    await replay(parseJournal('x', lines), { inspect: (event, atMs, seq) => tracer.inspect(event, atMs, seq) });
    expect(seen).toContainEqual(
      expect.objectContaining({
        actor: 'peer/outgoing-session.@10.0.0.1:1194',
        event: 'request.ended',
        guard: 'isHelloAnswered',
        from: expect.stringMatching(/^greeting\./),
        to: 'established.answering',
        actions: expect.arrayContaining(['settle', 'usePath']),
      }),
    );
    expect(seen).toContainEqual(
      expect.objectContaining({ event: 'after retransmissionTimeout', from: 'open.awaitingAnswer' }),
    );
  });
});

describe('a journal', () => {
  test('cut short is replayed up to the cut, and says so', async () => {
    const whole = lines.slice(0, 30);
    expect(await replay(parseJournal('x', whole))).toMatchObject({
      identical: true,
      events: 29,
      cut: expect.stringMatching(/cut short/),
    });
    const torn = [...whole, lines[30]?.slice(0, 40) ?? ''];
    expect(await replay(parseJournal('x', torn))).toMatchObject({
      identical: true,
      events: 29,
      cut: 'line 31 is incomplete',
    });
  });

  test('of other machines is a warning', async () => {
    const header = JSON.parse(lines[0] ?? '');
    const other = { ...header, version: '0.0.1', machines: { ...header.machines, request: '000000000000' } };
    const { versions } = await replay(parseJournal('x', [JSON.stringify(other), ...lines.slice(1)]));
    expect(versions).toEqual([
      expect.stringMatching(/^recorded by murmure 0\.0\.1/),
      'the machine request has changed since this was recorded',
    ]);
  });

  test.for([
    ['nothing', []],
    ['text', ['Dear diary']],
    ['other JSON', ['{"murmure":"something else"}']],
    ['a header without anything else', ['{"murmure":"journal","v":2}']],
  ] as const)('that is %s is an error that says so', ([, foreign]) => {
    expect(() => parseJournal('x.jsonl', foreign)).toThrow(InvalidJournalError);
    expect(() => parseJournal('x.jsonl', foreign)).toThrow(/x\.jsonl is not a journal/);
  });

  test('with a line that is damaged, or missing, names it', async () => {
    const damaged = lines.map((line, i) => (i === 7 ? line.slice(1) : line));
    expect(() => parseJournal('x', damaged)).toThrow(/line 8 /);
    expect(() =>
      parseJournal(
        'x',
        lines.filter((_, i) => i !== 7),
      ),
    ).toThrow(/line 8 /);
  });

  test('holds no private key', async () => {
    const text = lines.join('\n');
    expect(text).not.toMatch(/PRIVATE KEY|secret|passphrase/i);
  });
});

describe('a journal’s file', () => {
  test('is whole after each line, for its owner only, and never overwrites another', async () => {
    const file = join(freshFolder(), 'j.jsonl');
    const sink = createJournalFile(file);
    sink.write(lines[0] ?? '');
    expect(readFileSync(file, 'utf8')).toBe(`${lines[0]}\n`);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(() => createJournalFile(file)).toThrow(JournalNotWritableError);
    sink.close();
  });

  test('is continued in another one when it has grown large; both are read as one', async () => {
    const file = join(freshFolder(), 'j.jsonl');
    const sink = createJournalFile(file, { rotateAt: 4_000 });
    for (const line of lines) sink.write(line);
    sink.close();
    expect(existsSync(`${file}.2`)).toBe(true);
    expect(await readJournal(file)).toEqual(parseJournal(file, lines));
    expect((await replay(await readJournal(file))).identical).toBe(true);
  });

  test('that is not there, or no text, is an error that names it', async () => {
    const folder = freshFolder();
    await expect(readJournal(join(folder, 'none.jsonl'))).rejects.toThrow(/none\.jsonl/);
    writeFileSync(join(folder, 'bytes.jsonl'), Uint8Array.of(0, 255, 3));
    await expect(readJournal(join(folder, 'bytes.jsonl'))).rejects.toThrow(InvalidJournalError);
  });
});

test('a seed that fails leaves a journal of everybody, which replays up to the failure', async () => {
  const folder = await recordSeed(5, async (seed) => {
    await publishAndSync(seed, 0.2);
    throw new Error('as if something had failed');
  });
  onTestFinished(() => rmSync(folder, { recursive: true }));
  expect(readdirSync(folder).sort()).toEqual(['alice.jsonl', 'bob.jsonl', 'directory.jsonl']);
  for (const name of readdirSync(folder)) {
    expect(await replay(await readJournal(join(folder, name)))).toMatchObject({
      identical: true,
      cut: expect.stringMatching(/cut/),
    });
  }
});
