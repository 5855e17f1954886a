/** A run as the page keeps it: actors, and every moment at which one of them took a step or a message came too late. */
import type { Message as StoredMessage } from '../feed/message.ts';
import type {
  Encoded,
  Run as Header,
  Line,
  MessageLine,
  Status,
  Step,
  StepLine,
  StoredLine,
} from '../inspector/lines.ts';
import { isReason, type Reason } from '../journal/reasons.ts';
import { Values } from './values.ts';

export interface Actor {
  readonly number: number;
  readonly path: string;
  readonly kind: string;
  /** Its id without its kind. */
  readonly key: string;
  readonly parent: Actor | undefined;
  readonly children: Actor[];
  /** Moments of its steps, in order. */
  readonly steps: number[];
  /** Its last step among those that are kept no more. */
  base: Moment | undefined;
  endedAt: number;
}

export interface Message {
  readonly atMs: number;
  /** Undefined: from outside. */
  readonly from: Actor | undefined;
  readonly to: Actor;
  readonly type: string;
  readonly event: unknown;
  /** Moment of the sender's step before, counted from the first that ever was; -1 if there is none. */
  readonly sentAfter: number;
}

export interface Moment {
  readonly atMs: number;
  readonly seq: number;
  readonly actor: Actor;
  readonly message: Message | undefined;
  /** Undefined: the message came after the actor had ended. */
  readonly step: Step | undefined;
  /** What changed the state of its actor last: this step, or one before, also one that is kept no more. */
  readonly reason: Reason | undefined;
  readonly context: unknown;
}

/** What a peer that runs said that its store holds. */
export interface Stored {
  /** The last moment before, counted from the first that ever was. */
  readonly at: number;
  readonly messages: readonly StoredMessage[];
  /** They take the place of all that it said of this author before. */
  readonly author: string | undefined;
}

/** One of several runs, and the moment of it, counted from the first that ever was. */
export interface MomentPlace {
  readonly run: number;
  readonly at: number;
}

/** What a page keeps of a system that runs; the oldest tenth goes at once. */
export const MOST_MOMENTS = 400_000;
/** Messages that a page keeps beside; the oldest half goes at once. */
const MOST_STORED = 20_000;

export class Run {
  header: Header = { murmure: 'run', name: '', root: '', startedAtMs: 0, isLive: false };
  /** BOUNDED by the journal, or by MOST_MOMENTS. */
  moments: Moment[] = [];
  readonly actors: Actor[] = [];
  readonly remarks: string[] = [];
  /** BOUNDED by MOST_STORED messages, and what is said at once. */
  stored: Stored[] = [];
  isWhole = false;
  /** Moments that are kept no more. */
  forgotten = 0;
  readonly #values = new Values();
  /** Those that may yet be asked for, by their number from the first on. */
  #messages: Message[] = [];
  readonly #byPath = new Map<string, Actor>();

  /** The last actor of that path. */
  actorAt(path: string): Actor | undefined {
    return this.#byPath.get(path);
  }

  take(line: Line): void {
    if (line[0] === 'step') this.#step(line);
    else if (line[0] === 'message') this.#message(line);
    else if (line[0] === 'actor') this.#actor(line[1], line[2], line[3], line[4]);
    else if (line[0] === 'run') this.header = line[1];
    else if (line[0] === 'stored') this.#store(line);
    else if (line[0] === 'remark') this.remarks.push(line[1]);
    else if (line[0] === 'reset') this.#values.reset();
    else if (line[0] === 'end') this.isWhole = true;
  }

  #actor(number: number, path: string, kind: string, above: number): void {
    const parent = this.actors[above];
    const id = path.slice(path.lastIndexOf('/') + 1);
    const key = id === kind ? '' : id.slice(kind.length + 1);
    const actor: Actor = {
      number,
      path,
      kind,
      key,
      parent,
      children: [],
      steps: [],
      base: undefined,
      endedAt: Number.POSITIVE_INFINITY,
    };
    this.actors[number] = actor;
    this.#byPath.set(path, actor);
    parent?.children.push(actor);
  }

  #message([, atMs, seq, from, to, type, encoded]: MessageLine): void {
    const sender = this.actors[from];
    const receiver = this.actors[to] as Actor;
    const last = sender?.steps.at(-1);
    const sentAfter = last === undefined ? -1 : last + this.forgotten;
    const event = this.#values.decode(encoded);
    const message: Message = { atMs, from: sender, to: receiver, type, event, sentAfter };
    this.#messages.push(message);
    if (this.#messages.length > 4_096) this.#messages = this.#messages.slice(-1_024);
    if (receiver.endedAt === Number.POSITIVE_INFINITY) return;
    this.moments.push({ atMs, seq, actor: receiver, message, step: undefined, reason: undefined, context: undefined });
  }

  #store([, messages, author]: StoredLine): void {
    this.stored.push({ at: this.moments.length + this.forgotten - 1, messages, author });
    const count = this.stored.reduce((sum, it) => sum + it.messages.length, 0);
    if (count > MOST_STORED) this.stored = this.stored.slice(Math.ceil(this.stored.length / 2));
  }

  #step([, atMs, seq, number, ago, step, encoded]: StepLine): void {
    const actor = this.actors[number] as Actor;
    const context = this.#values.decode(encoded as Encoded);
    const message = ago === 0 ? undefined : this.#messages.at(-ago);
    // No step leads to the first state.
    const isNews = step.from !== '' && isReason(step);
    const before = actor.steps.at(-1);
    const last = before === undefined ? actor.base : this.moments[before];
    const reason = isNews ? { atMs, ...step } : last?.reason;
    actor.steps.push(this.moments.length);
    if (step.status !== undefined && isEnd(step.status)) actor.endedAt = Math.min(actor.endedAt, this.moments.length);
    this.moments.push({ atMs, seq, actor, message, step, reason, context });
  }

  /** The place in the actor's steps after its last one until then. */
  stepsUntil({ steps }: Actor, position: number): number {
    return countUntil(steps, position);
  }

  /** The last one until then. */
  momentAt(atMs: number): number {
    return countWhile(this.moments, (it) => it.atMs <= atMs) - 1;
  }

  /** The last step of the actor until then; undefined: there was none yet. */
  lastStep(actor: Actor, position: number): Moment | undefined {
    const at = actor.steps[this.stepsUntil(actor, position) - 1];
    return at === undefined ? actor.base : this.moments[at];
  }

  hasBegun(actor: Actor, position: number): boolean {
    return actor.base !== undefined || (actor.steps[0] ?? Number.POSITIVE_INFINITY) <= position;
  }

  isLiving(actor: Actor, position: number): boolean {
    return this.hasBegun(actor, position) && actor.endedAt > position;
  }

  /** Lets go of the oldest moments; returns how many. */
  forget(most = MOST_MOMENTS): number {
    if (this.moments.length <= most) return 0;
    const gone = this.moments.length - Math.floor(most * 0.9);
    for (const actor of this.actors) {
      const count = this.stepsUntil(actor, gone - 1);
      if (count > 0) actor.base = this.moments[actor.steps[count - 1] as number];
      actor.steps.splice(0, count);
      for (let i = 0; i < actor.steps.length; i++) (actor.steps[i] as number) -= gone;
      actor.endedAt -= gone;
    }
    this.moments = this.moments.slice(gone);
    this.forgotten += gone;
    return gone;
  }
}

/** How many of these, which are in order, are not after it. */
export function countUntil(sorted: readonly number[], last: number): number {
  return countWhile(sorted, (it) => it <= last);
}

/** How many there are before the first for which that does not hold; it holds for none after that. */
export function countWhile<T>(all: readonly T[], holds: (it: T) => boolean): number {
  let low = 0;
  let high = all.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(all[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isEnd(status: Status): boolean {
  return status !== 'active';
}
