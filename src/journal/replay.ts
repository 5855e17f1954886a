/**
 * Runs a journal: the same machines with inert effects, on a clock that fires the timers that fired. They must come to the
 * same states and send the same datagrams; where they first do not, the replay says so.
 */
import { type AnyActorRef, type AnyEventObject, type AnyStateMachine, createActor, type InspectionEvent } from 'xstate';
import { machines } from '../../machines/index.ts';
import { pathOf, stateOf, unescapeId } from '../runtime/actor-tree.ts';
import { Turns } from '../runtime/turns.ts';
import { packageVersion } from '../runtime/version.ts';
import type { SocketAddress } from '../wire/socket-address.ts';
import { CalledEffects, isNested, runOf } from './called-effects.ts';
import { machineVersions, SentTally, stateHash } from './fingerprints.ts';
import type { EventEntry, Journal, JournalEntry } from './format.ts';
import { inertMachine } from './inert.ts';
import { ReplayClock } from './replay-clock.ts';
import { createSeededRandom } from './seeded-random.ts';
import { decodeValue, type Json } from './values.ts';

export interface Difference {
  /** Of the entry before which it shows. */
  readonly seq: number;
  readonly actor: string;
  /** The actor's state there, in the replay. */
  readonly before: string;
  /** Type of the last event before. */
  readonly event: string;
  readonly expected: string;
  readonly got: string;
}

export interface ReplayResult {
  /** Entries that were replayed. */
  readonly events: number;
  /** Datagrams that went out. */
  readonly datagrams: number;
  readonly identical: boolean;
  readonly firstDifference?: Difference;
  /** Why the journal has no end; what there was of it was replayed. */
  readonly cut?: string;
  /** Machines, or the program, of another version than recorded. */
  readonly versions: readonly string[];
}

export interface ReplayOptions {
  /** Stop before the entry after this one. */
  readonly until?: number;
  /**
   * Leave these entries out. Timers then fire when they are due, nothing is compared, and what answers a call that is not made any more is left
   * out as well.
   */
  readonly drop?: ReadonlySet<number>;
  /** Sees every transition of every actor. */
  readonly inspect?: (event: InspectionEvent, atMs: number, seq: number) => void;
  /** Called after each entry. */
  readonly after?: (entry: JournalEntry, root: AnyActorRef) => void;
  /** Ends the replay. */
  readonly signal?: AbortSignal | undefined;
}

/** An entry takes milliseconds if much has come in together, and less than a turn if not. */
const ENTRIES_A_TURN = 8;

/** @throws what `signal` was aborted with */
export async function replay(journal: Journal, options: ReplayOptions = {}): Promise<ReplayResult> {
  return new Replay(journal, options).run();
}

class Replay {
  readonly #journal: Journal;
  readonly #options: ReplayOptions;
  readonly #clock: ReplayClock;
  readonly #sent = new SentTally();
  readonly #called = new CalledEffects();
  /** Nothing is compared: entries are left out, so that all that follows may differ. */
  readonly #isFree: boolean;
  /** If entries are left out, nested answers by their run: it may be carried out earlier or later than it was. */
  readonly #nested = new Map<string, EventEntry[]>();
  readonly #turns: Turns;
  readonly #root: AnyActorRef;
  #next = 0;
  #replayed = 0;
  #lastEvent = 'start';
  #lastActor = '';
  #difference: Difference | undefined;

  constructor(journal: Journal, options: ReplayOptions) {
    this.#journal = journal;
    this.#options = options;
    this.#turns = new Turns(ENTRIES_A_TURN, options.signal);
    const { header } = journal;
    this.#isFree = options.drop !== undefined;
    if (this.#isFree) this.#gatherNested();
    this.#clock = new ReplayClock(header.startedAtMs);
    const machine = inertMachine(machines[header.root] as unknown as AnyStateMachine, (name, actor, params) =>
      this.#effect(name, actor, params),
    );
    const input = decodeValue(header.input as Json, () => undefined) as object;
    const random = createSeededRandom(Buffer.from(header.seed, 'hex'));
    const { inspect } = options;
    this.#root = createActor(machine, {
      id: header.root,
      clock: this.#clock,
      input: { ...input, random },
      ...(inspect && { inspect: (event: InspectionEvent) => inspect(event, this.#clock.now(), this.#seq) }),
    });
  }

  async run(): Promise<ReplayResult> {
    const { entries, cut } = this.#journal;
    const { until = Number.POSITIVE_INFINITY } = this.#options;
    // A machine that breaks down does so as it did when it was recorded, or differs.
    (this.#root as ReturnType<typeof createActor>).subscribe({ error: () => {} });
    (this.#root as ReturnType<typeof createActor>).start();
    for (let entry = entries[this.#next]; entry !== undefined && entry.seq <= until; entry = entries[this.#next]) {
      await this.#turns.pause();
      this.#next += 1;
      if (this.#isFree) await this.#passTime(entry.atMs);
      if (this.#isWanted(entry)) {
        this.#compareRun(entry);
        this.#replay(entry);
      }
      this.#replayed += 1;
      this.#options.after?.(entry, this.#root);
    }
    const firstDifference = this.#difference;
    return {
      events: this.#replayed,
      datagrams: this.#sent.count,
      identical: firstDifference === undefined && !this.#isFree,
      ...(firstDifference && { firstDifference }),
      ...(cut !== undefined && { cut }),
      versions: otherVersions(this.#journal),
    };
  }

  get #seq(): number {
    return this.#journal.entries[this.#next - 1]?.seq ?? 0;
  }

  /** Fires what is due until then. */
  async #passTime(ms: number): Promise<void> {
    while (this.#clock.fireNext(ms)) await this.#turns.pause();
    this.#clock.at(ms);
  }

  /** With entries left out: whether this one still comes. What a run answered at once comes when it is carried out. */
  #isWanted(entry: JournalEntry): boolean {
    if (!this.#isFree) return true;
    if (this.#options.drop?.has(entry.seq) || 'timer' in entry || 'end' in entry) return false;
    return !isNested(entry) && this.#called.has(entry);
  }

  #replay(entry: JournalEntry, busy?: AnyActorRef): void {
    if (!this.#isFree) this.#clock.at(entry.atMs);
    if ('end' in entry) this.#compareEnd(entry.end);
    else this.#compare(entry, busy);
    if ('timer' in entry) {
      if (!this.#clock.fire(entry.timer)) this.#differ(entry.seq, '', `timer ${entry.timer} fires`, 'no such timer');
      this.#lastEvent = `timer ${entry.timer}`;
      this.#lastActor = '';
    } else if ('to' in entry) {
      this.#deliver(entry, busy ?? this.#actorAt(entry.to));
    }
  }

  #deliver(entry: EventEntry, actor: AnyActorRef | undefined): void {
    this.#lastEvent = entry.event.type;
    this.#lastActor = entry.to;
    if (actor === undefined) {
      this.#differ(entry.seq, entry.to, `an actor ${entry.to} that gets ${entry.event.type}`, 'no such actor');
      return;
    }
    try {
      const event = decodeValue(entry.event as Json, (path) => this.#actorAt(path)) as AnyEventObject;
      if (actor.getSnapshot().status === 'active') actor.send(event);
    } catch (error) {
      this.#differ(entry.seq, entry.to, 'an event like the one recorded', (error as Error).message);
    }
  }

  /** An effect was called for: what went out is counted, and what came of it at once is next in the journal. */
  #effect(name: string, actor: AnyActorRef, params: unknown): void {
    if (name === 'transmit') {
      const { datagrams, to } = params as { datagrams: readonly Uint8Array[]; to: SocketAddress };
      for (const bytes of datagrams) this.#sent.add(bytes, to);
    }
    const run = this.#called.begin(actor, name);
    for (let entry = this.#nextAnswer(run); entry !== undefined; entry = this.#nextAnswer(run)) {
      this.#replay(entry, entry.to === pathOf(actor) ? actor : undefined);
      if (!this.#isFree) this.#options.after?.(entry, this.#root);
    }
  }

  /** What this run, which is being carried out, answers now. */
  #nextAnswer(run: string): EventEntry | undefined {
    if (this.#isFree) return this.#nested.get(run)?.shift();
    const entry = this.#journal.entries[this.#next];
    if (!isNested(entry) || runOf(entry) !== run) return undefined;
    this.#next += 1;
    this.#replayed += 1;
    return entry;
  }

  #gatherNested(): void {
    for (const entry of this.#journal.entries) {
      const run = runOf(entry);
      if (run === undefined || !isNested(entry) || this.#options.drop?.has(entry.seq)) continue;
      const answers = this.#nested.get(run);
      if (answers === undefined) this.#nested.set(run, [entry]);
      else answers.push(entry);
    }
  }

  /** What was answered at once has come before, with the run that answered it; what is answered later was called for before. */
  #compareRun(entry: JournalEntry): void {
    if (!('to' in entry)) return;
    const run = runOf(entry);
    if (isNested(entry)) this.#differ(entry.seq, entry.to, `${run} is called for`, 'something else, or nothing');
    else if (!this.#called.has(entry)) this.#differ(entry.seq, entry.to, `an answer to ${run}`, 'nobody called for it');
  }

  #compare(entry: Exclude<JournalEntry, { end: unknown }>, busy: AnyActorRef | undefined): void {
    const sent = `${this.#sent}`;
    if (sent !== entry.sent) {
      this.#differ(entry.seq, this.#lastActor, `${count(entry.sent)} sent until here`, count(sent));
    }
    if (!('to' in entry)) return;
    const actor = busy ?? this.#actorAt(entry.to);
    const state = actor === undefined ? 'no such actor' : stateOf(actor);
    if (state !== entry.in) this.#differ(entry.seq, entry.to, `state ${entry.in}`, `state ${state}`);
  }

  #compareEnd({ states, sent }: { states: string; sent: string }): void {
    const { seq } = this.#journal.entries.at(-1) as JournalEntry;
    if (`${this.#sent}` !== sent)
      this.#differ(seq, this.#lastActor, `${count(sent)} sent in all`, count(`${this.#sent}`));
    const now = stateHash(this.#root);
    if (now !== states) this.#differ(seq, this.#root.id, `final states ${states.slice(0, 12)}`, now.slice(0, 12));
  }

  #differ(seq: number, path: string, expected: string, got: string): void {
    if (this.#isFree) return;
    const actor = this.#actorAt(path);
    const before = actor === undefined ? '' : stateOf(actor);
    this.#difference ??= { seq, actor: path, before, event: this.#lastEvent, expected, got };
  }

  #actorAt(path: string): AnyActorRef | undefined {
    return actorAt(this.#root, path);
  }
}

/** Follows the path down the tree. */
function actorAt(root: AnyActorRef, path: string): AnyActorRef | undefined {
  const [first = '', ...ids] = path.split('/').map(unescapeId);
  if (first !== root.id) return undefined;
  let actor: AnyActorRef | undefined = root;
  for (const id of ids) {
    const { children = {} } = actor.getSnapshot() as { children?: Record<string, AnyActorRef | undefined> };
    actor = Object.hasOwn(children, id) ? children[id] : undefined;
    if (actor === undefined) return undefined;
  }
  return actor;
}

/** "12 datagrams (CRC 00c0ffee)" */
function count(tally: string): string {
  const [datagrams, crc] = tally.split(':');
  return `${datagrams} datagrams (CRC ${crc})`;
}

function otherVersions({ header }: Journal): string[] {
  const own = machineVersions();
  const program = packageVersion();
  const others = Object.keys(header.machines).filter((name) => header.machines[name] !== own[name]);
  const machinesText = others.map((name) => `the machine ${name} has changed since this was recorded`);
  return header.version === program
    ? machinesText
    : [`recorded by murmure ${header.version}, this is ${program}`, ...machinesText];
}
