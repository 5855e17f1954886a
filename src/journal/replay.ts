/**
 * Runs a journal: the same machines with inert effects, on a clock that fires the timers that fired. They must come to the
 * same states and send the same datagrams; where they first do not, the replay says so.
 */
import { type AnyActorRef, type AnyEventObject, type AnyStateMachine, createActor, type InspectionEvent } from 'xstate';
import { machines } from '../../machines/index.ts';
import { pathOf, stateOf, unescapeId } from '../runtime/actor-tree.ts';
import { packageVersion } from '../runtime/version.ts';
import type { SocketAddress } from '../wire/socket-address.ts';
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
  /** Leave this entry out. Timers then fire when they are due, and nothing is compared. */
  readonly drop?: number;
  /** Sees every transition of every actor. */
  readonly inspect?: (event: InspectionEvent, atMs: number, seq: number) => void;
  /** Called after each entry. */
  readonly after?: (entry: JournalEntry, root: AnyActorRef) => void;
}

export function replay(journal: Journal, options: ReplayOptions = {}): ReplayResult {
  return new Replay(journal, options).run();
}

class Replay {
  readonly #journal: Journal;
  readonly #options: ReplayOptions;
  readonly #clock: ReplayClock;
  readonly #sent = new SentTally();
  readonly #root: AnyActorRef;
  #next = 0;
  #replayed = 0;
  #lastEvent = 'start';
  #lastActor = '';
  #difference: Difference | undefined;

  constructor(journal: Journal, options: ReplayOptions) {
    this.#journal = journal;
    this.#options = options;
    const { header } = journal;
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

  run(): ReplayResult {
    const { entries, cut } = this.#journal;
    const { until = Number.POSITIVE_INFINITY } = this.#options;
    // A machine that breaks down does so as it did when it was recorded, or differs.
    (this.#root as ReturnType<typeof createActor>).subscribe({ error: () => {} });
    (this.#root as ReturnType<typeof createActor>).start();
    for (let entry = entries[this.#next]; entry !== undefined && entry.seq <= until; entry = entries[this.#next]) {
      this.#next += 1;
      if (entry.seq === this.#options.drop) this.#skipAnswers();
      else this.#replay(entry);
      this.#replayed += 1;
      this.#options.after?.(entry, this.#root);
    }
    const firstDifference = this.#difference;
    const dropped = this.#options.drop !== undefined;
    return {
      events: this.#replayed,
      datagrams: this.#sent.count,
      identical: firstDifference === undefined && !dropped,
      ...(firstDifference && { firstDifference }),
      ...(cut !== undefined && { cut }),
      versions: otherVersions(this.#journal),
    };
  }

  get #seq(): number {
    return this.#journal.entries[this.#next - 1]?.seq ?? 0;
  }

  #replay(entry: JournalEntry, busy?: AnyActorRef): void {
    const isFree = this.#options.drop !== undefined;
    if (isFree) this.#clock.runUntil(entry.atMs);
    else this.#clock.at(entry.atMs);
    if ('end' in entry) {
      if (!isFree) this.#compareEnd(entry.end);
      return;
    }
    if (!isFree) this.#compare(entry, busy);
    if ('timer' in entry) {
      if (isFree) return;
      if (!this.#clock.fire(entry.timer)) this.#differ(entry.seq, '', `timer ${entry.timer} fires`, 'no such timer');
      this.#lastEvent = `timer ${entry.timer}`;
      this.#lastActor = '';
    } else {
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
    const entry = this.#journal.entries[this.#next];
    if (entry === undefined || !('nested' in entry) || entry.nested !== true || entry.to !== pathOf(actor)) return;
    this.#next += 1;
    this.#replayed += 1;
    if (entry.seq === this.#options.drop) return;
    this.#replay(entry, actor);
    this.#options.after?.(entry, this.#root);
  }

  /** What effects answered to a dropped event was never asked for. */
  #skipAnswers(): void {
    const { entries } = this.#journal;
    for (let entry = entries[this.#next]; entry !== undefined && 'nested' in entry; entry = entries[this.#next]) {
      this.#next += 1;
      this.#replayed += 1;
    }
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
    if (this.#options.drop !== undefined) return;
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
