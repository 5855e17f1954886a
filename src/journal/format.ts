/**
 * The journal's format: JSON Lines. A header, then what entered from outside, in order, then the end. Version 2:
 *
 *     {"murmure":"journal","v":2,"version":…,"machines":{…},"root":"peer","seed":…,"startedAtMs":…,"input":{…}}
 *     {"seq":1,"atMs":…,"to":"peer/socket.0","in":"opening","sent":"0:00000000","effect":"openSocket#1","event":{…}}
 *     {"seq":2,"atMs":…,"timer":7,"sent":"1:4c0e21aa"}
 *     {"seq":3,"atMs":…,"to":"peer/merkle-walk.alice","in":"beginning","sent":"1:4c0e21aa","effect":"beginWalk#1","nested":true,"event":{…}}
 *     {"seq":4,"atMs":…,"end":{"states":…,"sent":"1:4c0e21aa"}}
 *
 * `in` is the actor's state before the event, `sent` what had gone out by then (count and CRC): with both, a replay knows
 * where it parts from what was recorded. `effect` is the run that the event answers: its effect, and the how-many-th time it is that
 * the actor called for that effect. The actor is the one that gets the answer, or `by` if it is another. What nobody called for
 * has no `effect`: datagrams, and calls of the program. `nested` marks an answer that a run gave at once, while it was carried out.
 * `timer` numbers the actors' timers in the order in which they were set. `atMs` never goes back: it is the wall time of the start,
 * and goes on as the machines' time does (src/runtime/elapsed-time.ts).
 *
 * Version 1 did not name effects, so that a replay had to guess which call an answer belonged to. It is refused: its machines have
 * changed since anyway, and the program that recorded it replays it.
 */
import * as v from 'valibot';
import { MurmureError } from '../wire/murmure-error.ts';
import { decodeValue, type Json } from './values.ts';

export const FORMAT_VERSION = 2;

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** Unix ms, as far as dates go. */
const Time = v.pipe(v.number(), v.minValue(0), v.maxValue(8.64e15));
/** No run is recorded for longer: ten years, in ms. */
const LONGEST_MS = 10 * 365 * 24 * 3_600_000;

const names = (most: number) => v.optional(v.pipe(v.array(v.string()), v.maxLength(most)));

/** What the root machine was started with: name, addresses, own root, whom it follows. Each address is a socket to be opened. */
const Input = v.looseObject({
  binds: v.optional(v.pipe(v.array(v.object({ ip: v.string(), port: v.number() })), v.maxLength(64))),
  following: names(100_000),
  formerReaders: names(100_000),
});

const Header = v.object({
  murmure: v.literal('journal'),
  v: v.literal(FORMAT_VERSION),
  /** Of the program. */
  version: v.string(),
  machines: v.record(v.string(), v.string()),
  root: v.picklist(['peer', 'directory', 'front-end', 'first-run']),
  /** 32 bytes in hex: all randomness of the machines. */
  seed: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  startedAtMs: Time,
  input: Input,
});

const EventEntry = v.object({
  seq: Count,
  atMs: Time,
  to: v.string(),
  in: v.string(),
  sent: v.string(),
  effect: v.optional(v.pipe(v.string(), v.regex(/^\w+#[1-9]\d{0,14}$/))),
  by: v.optional(v.string()),
  nested: v.optional(v.literal(true)),
  event: v.looseObject({ type: v.string() }),
});

const TimerEntry = v.object({ seq: Count, atMs: Time, timer: Count, sent: v.string() });

const EndEntry = v.object({
  seq: Count,
  atMs: Time,
  end: v.object({ states: v.string(), sent: v.string() }),
});

const Entry = v.union([EventEntry, TimerEntry, EndEntry]);

/** The header of a journal that this program does not read. */
const OtherVersion = v.object({
  murmure: v.literal('journal'),
  v: Count,
  version: v.optional(v.pipe(v.string(), v.regex(/^[\w.+-]{1,64}$/))),
});

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
  const parser = new JournalParser(source);
  for (const line of lines) parser.add(line);
  return parser.end();
}

/** Takes a journal line by line. */
export class JournalParser {
  readonly #source: string;
  readonly #entries: JournalEntry[] = [];
  #header: JournalHeader | undefined;
  #lines = 0;
  #atMs = 0;
  /** The line that was no entry: if another one follows, it was not cut short but damaged. */
  #damaged: number | undefined;

  constructor(source: string) {
    this.#source = source;
  }

  /** @throws InvalidJournalError */
  add(line: string): void {
    this.#lines += 1;
    if (this.#damaged !== undefined) {
      throw new InvalidJournalError(this.#source, `line ${this.#damaged} is not an entry, or out of order`);
    }
    if (this.#header === undefined) this.#header = this.#headerOf(line);
    else if (!this.#takes(this.#header, line)) this.#damaged = this.#lines;
  }

  /** @throws InvalidJournalError */
  end(): Journal {
    const header = this.#header ?? this.#headerOf('');
    return { header, entries: this.#entries, cut: this.#whyCut() };
  }

  #whyCut(): string | undefined {
    if (this.#damaged !== undefined) return `line ${this.#damaged} is incomplete`;
    const last = this.#entries.at(-1);
    return last !== undefined && 'end' in last ? undefined : 'it ends without an end: recording was cut short';
  }

  #headerOf(line: string): JournalHeader {
    const json = parseLine(line);
    const header = v.safeParse(Header, json);
    if (!header.success) throw new InvalidJournalError(this.#source, whyNoHeader(json));
    try {
      decodeValue(header.output.input as Json, () => undefined);
    } catch (error) {
      throw new InvalidJournalError(
        this.#source,
        `what the run began with cannot be read: ${(error as Error).message}`,
      );
    }
    return header.output;
  }

  /** False: it is no entry, or not the next one. */
  #takes({ startedAtMs }: JournalHeader, line: string): boolean {
    const parsed = v.safeParse(Entry, parseLine(line));
    if (!parsed.success) return false;
    const { seq, atMs } = parsed.output;
    const isNext = seq === this.#entries.length + 1 && atMs >= this.#atMs && atMs - startedAtMs <= LONGEST_MS;
    if (!isNext) return false;
    this.#atMs = atMs;
    this.#entries.push(parsed.output);
    return true;
  }
}

function whyNoHeader(json: unknown): string {
  const isOther = v.safeParse(OtherVersion, json);
  if (!isOther.success || isOther.output.v === FORMAT_VERSION) return 'its first line is not the header of one';
  const { v: format, version } = isOther.output;
  const program = version === undefined ? 'the program that recorded it' : `murmure ${version}, which recorded it`;
  return format < FORMAT_VERSION
    ? `its format is version ${format}, which did not say which effect an answer belongs to; replay it with ${program}`
    : `its format is version ${format}, which is newer than this program; replay it with ${program}`;
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
