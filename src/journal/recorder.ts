/** Writes down what enters a system of actors (see format.ts), each line before the actors get what it says. */
import type { AnyActorRef, AnyEventObject } from 'xstate';
import { pathOf, stateOf } from '../runtime/actor-tree.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Answering, GateObserver } from '../runtime/gate.ts';
import type { SocketAddress } from '../wire/socket-address.ts';
import { machineVersions, SentTally, stateHash } from './fingerprints.ts';
import { type EventEntry, FORMAT_VERSION, type JournalHeader } from './format.ts';
import { encodeValue } from './values.ts';

/** Where lines go: each is whole when the call returns. */
export interface JournalSink {
  /** One line, without its end. */
  write(line: string): void;
  close(): void;
}

export interface RecorderOptions {
  readonly sink: JournalSink;
  readonly clock: Clock;
  /** Of the program that records. */
  readonly version: string;
  readonly root: JournalHeader['root'];
  /** 32 bytes. */
  readonly seed: Uint8Array;
  /** The root machine's, without its randomness. */
  readonly input: object;
}

export class Recorder implements GateObserver {
  readonly #sink: JournalSink;
  readonly #clock: Clock;
  readonly #sent = new SentTally();
  readonly #startedAtMs: number;
  /** The clock's monotonic time then. */
  readonly #zeroMs: number;
  #seq = 0;
  #isClosed = false;

  constructor({ sink, clock, version, root, seed, input }: RecorderOptions) {
    this.#sink = sink;
    this.#clock = clock;
    this.#startedAtMs = clock.now();
    this.#zeroMs = clock.monotonicNow();
    const header: JournalHeader = {
      murmure: 'journal',
      v: FORMAT_VERSION,
      version,
      machines: machineVersions(),
      root,
      seed: Buffer.from(seed).toString('hex'),
      startedAtMs: this.#startedAtMs,
      input: encodeValue(input) as JournalHeader['input'],
    };
    sink.write(JSON.stringify(header));
  }

  entering(actor: AnyActorRef, event: AnyEventObject, answering: Answering | undefined): void {
    const answered = answering && answeredBy(answering, actor);
    this.#write({
      to: pathOf(actor),
      in: stateOf(actor),
      sent: `${this.#sent}`,
      ...answered,
      event: encodeValue(event),
    });
  }

  firing(timer: number): void {
    this.#write({ timer, sent: `${this.#sent}` });
  }

  sending(bytes: Uint8Array, to: SocketAddress): void {
    this.#sent.add(bytes, to);
  }

  /** Closes the journal with what everything has come to. */
  end(root: AnyActorRef): void {
    if (this.#isClosed) return;
    this.#write({ end: { states: stateHash(root), sent: `${this.#sent}` } });
    this.#isClosed = true;
    this.#sink.close();
  }

  #write(entry: object): void {
    if (this.#isClosed) return;
    this.#seq += 1;
    this.#sink.write(JSON.stringify({ seq: this.#seq, atMs: this.#atMs(), ...entry }));
  }

  /** Nobody can set the monotonic clock. */
  #atMs(): number {
    return this.#startedAtMs + Math.floor(this.#clock.monotonicNow() - this.#zeroMs);
  }
}

function answeredBy({ run, isNested }: Answering, answered: AnyActorRef): Pick<EventEntry, 'effect' | 'by' | 'nested'> {
  return {
    effect: `${run.effect}#${run.number}`,
    ...(run.actor !== answered && { by: pathOf(run.actor) }),
    ...(isNested && { nested: true }),
  };
}
