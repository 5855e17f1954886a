/**
 * The journal's format: JSON Lines. A header, then what entered from outside, in order, then the end. Version 1:
 *
 *     {"murmure":"journal","v":1,"version":…,"machines":{…},"root":"peer","seed":…,"startedAtMs":…,"input":{…}}
 *     {"seq":1,"atMs":…,"to":"peer/socket.0","in":"opening","sent":"0:00000000","event":{…}}
 *     {"seq":2,"atMs":…,"timer":7,"sent":"1:4c0e21aa"}
 *     {"seq":3,"atMs":…,"end":{"states":…,"sent":"1:4c0e21aa"}}
 *
 * `in` is the actor's state before the event, `sent` what had gone out by then (count and CRC): with both, a replay knows
 * where it parts from what was recorded. `nested` marks an answer that an effect gave at once, while its actor was busy.
 * `timer` numbers the actors' timers in the order in which they were set.
 */
import * as v from 'valibot';
import { MurmureError } from '../wire/murmure-error.ts';

export const FORMAT_VERSION = 1;

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const AnyObject = v.record(v.string(), v.unknown());

const Header = v.object({
  murmure: v.literal('journal'),
  v: v.literal(FORMAT_VERSION),
  /** Of the program. */
  version: v.string(),
  machines: v.record(v.string(), v.string()),
  root: v.picklist(['peer', 'directory', 'front-end', 'first-run']),
  /** 32 bytes in hex: all randomness of the machines. */
  seed: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  startedAtMs: v.number(),
  /** What the root machine was started with: name, addresses, own root, whom it follows. */
  input: AnyObject,
});

const EventEntry = v.object({
  seq: Count,
  atMs: v.number(),
  to: v.string(),
  in: v.string(),
  sent: v.string(),
  nested: v.optional(v.literal(true)),
  event: v.looseObject({ type: v.string() }),
});

const TimerEntry = v.object({ seq: Count, atMs: v.number(), timer: Count, sent: v.string() });

const EndEntry = v.object({
  seq: Count,
  atMs: v.number(),
  end: v.object({ states: v.string(), sent: v.string() }),
});

const Entry = v.union([EventEntry, TimerEntry, EndEntry]);

export type JournalHeader = v.InferOutput<typeof Header>;
export type EventEntry = v.InferOutput<typeof EventEntry>;
export type TimerEntry = v.InferOutput<typeof TimerEntry>;
export type EndEntry = v.InferOutput<typeof EndEntry>;
export type JournalEntry = EventEntry | TimerEntry | EndEntry;

export interface Journal {
  readonly header: JournalHeader;
  readonly entries: readonly JournalEntry[];
  /** Why it has no end: it was cut short, or the program was. Undefined for a whole one. */
  readonly cut: string | undefined;
}

/** It is no journal, or a line of it is not what it should be. */
export class InvalidJournalError extends MurmureError {
  override readonly name = 'InvalidJournalError';
  constructor(source: string, why: string) {
    super('invalid-data', `${source} is not a journal that can be replayed: ${why}`);
  }
}

/** @throws InvalidJournalError, unless only the last line is incomplete */
export function parseJournal(source: string, lines: readonly string[]): Journal {
  const [first = '', ...rest] = lines;
  const header = v.safeParse(Header, parseLine(first));
  if (!header.success) throw new InvalidJournalError(source, 'its first line is not the header of one');
  const entries: JournalEntry[] = [];
  for (const [i, line] of rest.entries()) {
    const entry = v.safeParse(Entry, parseLine(line));
    const isInOrder = entry.success && entry.output.seq === entries.length + 1;
    if (isInOrder) entries.push(entry.output);
    else if (i === rest.length - 1) return { header: header.output, entries, cut: `line ${i + 2} is incomplete` };
    else throw new InvalidJournalError(source, `line ${i + 2} is not an entry, or out of order`);
  }
  const last = entries.at(-1);
  const cut = last !== undefined && 'end' in last ? undefined : 'it ends without an end: recording was cut short';
  return { header: header.output, entries, cut };
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
