/**
 * The one way into a system of actors: what enters here – events from effects and from the program, and timers that fire –
 * determines the whole run. Whoever records a run listens here.
 *
 * Each time an actor calls for an effect is a run of that effect. Runs are numbered, and an effect answers through its run, so
 * that everybody knows which answer belongs to which call. A run may answer at once, while it is carried out: that answer is
 * nested, and a replay has to give it at the same place. Whatever else comes while the actors are busy waits until they are at rest.
 */
import type { AnyActorRef, AnyEventObject, EventObject } from 'xstate';
import type { Ref } from '../../machines/messages.ts';
import type { SocketAddress } from '../wire/socket-address.ts';
import type { Clock } from './clock.ts';
import { RunCounter } from './run-counter.ts';

/** One time that an actor calls for an effect. */
export interface EffectRun {
  readonly actor: AnyActorRef;
  readonly effect: string;
  /** From 1, for this actor and this effect, in the order in which they are called for. */
  readonly number: number;
}

/** How an event enters that is an answer of an effect. */
export interface Answering {
  readonly run: EffectRun;
  /** The effect answers at once: it is still being carried out, and its actor is busy. */
  readonly isNested: boolean;
}

export interface GateObserver {
  /** Called before the actor gets the event. `answering` is undefined for what nobody called for: datagrams, the program's calls. */
  entering(actor: AnyActorRef, event: AnyEventObject, answering: Answering | undefined): void;
  /** Called before a timer's callback. Timers are numbered from 1 in the order in which they are set. */
  firing(timer: number): void;
  /** A datagram goes out. */
  sending(bytes: Uint8Array, to: SocketAddress): void;
}

/** Sends an event to an actor; what comes for one that has ended is dropped. */
export type Enter = <TEvent extends EventObject = AnyEventObject>(actor: Ref<TEvent>, event: NoInfer<TEvent>) => void;

/** What an effect gets: the actor that called for it, and the way in for what comes of it. */
export interface Call<TSelf = AnyActorRef> {
  readonly self: TSelf;
  /** For what was called for: an answer, now or later. */
  readonly enter: Enter;
}

type Effect = (call: never, params: never) => unknown;
/** As XState calls it. */
type Provided<TEffect> = TEffect extends (call: infer TCall, params: infer TParams) => unknown
  ? (args: { readonly self: TCall extends { readonly self: infer TSelf } ? TSelf : unknown }, params: TParams) => void
  : never;

export class Gate {
  /** For the actors' delays. */
  readonly clock: Clock;
  readonly #observer: GateObserver | undefined;
  /** BOUNDED by the delays that actors wait for: a timer is here until it fires or is cleared. */
  readonly #timers = new Set<unknown>();
  readonly #runs = new RunCounter();
  /** The one that is carried out right now: of several within each other, the innermost. */
  #current: EffectRun | undefined;
  #depth = 0;
  /** How many events wait until the actors are at rest. What comes later waits behind them. */
  #waiting = 0;
  #isClosed = false;

  constructor(clock: Clock, observer?: GateObserver) {
    this.#observer = observer;
    this.clock = this.#passing(clock);
  }

  /** From now on nothing enters, and no timer fires: the children of a root that broke down would run on without it. */
  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers) this.clock.clearTimeout(timer);
  }

  /** Effects as a machine is provided with them: each is told through which run to answer. */
  effects<T extends Readonly<Record<string, Effect>>>(effects: T): { readonly [K in keyof T]: Provided<T[K]> } {
    const provided = Object.entries(effects).map(([name, effect]) => [name, this.#provided(name, effect)]);
    return Object.fromEntries(provided) as { readonly [K in keyof T]: Provided<T[K]> };
  }

  /** For what no effect was called for, as the program's calls. While the actors are busy it waits until they are at rest. */
  submit<TEvent extends EventObject = AnyEventObject>(actor: Ref<TEvent>, event: NoInfer<TEvent>): void {
    this.#enterAtRest(actor, event, undefined);
  }

  sending(bytes: Uint8Array, to: SocketAddress): void {
    this.#observer?.sending(bytes, to);
  }

  #provided(effect: string, work: Effect): (args: Call, params: unknown) => void {
    return ({ self: actor }, params) => {
      const run: EffectRun = { actor, effect, number: this.#runs.next(actor, effect) };
      const enter: Enter = (to, event) => this.#answer(run, to, event);
      const outer = this.#current;
      this.#current = run;
      try {
        this.#busy(() => work({ self: actor, enter } as never, params as never));
      } finally {
        this.#current = outer;
      }
    };
  }

  #answer(run: EffectRun, actor: AnyActorRef, event: AnyEventObject): void {
    if (run === this.#current) this.#enter(actor, event, { run, isNested: true });
    else this.#enterAtRest(actor, event, run);
  }

  #enterAtRest(actor: AnyActorRef, event: AnyEventObject, run: EffectRun | undefined): void {
    const answering = run && { run, isNested: false };
    if (this.#depth === 0 && this.#waiting === 0) {
      this.#enter(actor, event, answering);
      return;
    }
    this.#waiting += 1;
    queueMicrotask(() => {
      this.#waiting -= 1;
      this.#enter(actor, event, answering);
    });
  }

  #enter(actor: AnyActorRef, event: AnyEventObject, answering: Answering | undefined): void {
    if (this.#isClosed || actor.getSnapshot().status !== 'active') return;
    this.#observer?.entering(actor, event, answering);
    this.#busy(() => actor.send(event));
  }

  #passing(clock: Clock): Clock {
    let timers = 0;
    return {
      now: () => clock.now(),
      monotonicNow: () => clock.monotonicNow(),
      clearTimeout: (timer) => {
        this.#timers.delete(timer);
        clock.clearTimeout(timer);
      },
      setTimeout: (callback, ms) => {
        timers += 1;
        const number = timers;
        const timer = clock.setTimeout(() => {
          this.#timers.delete(timer);
          this.#observer?.firing(number);
          this.#busy(callback);
        }, ms);
        this.#timers.add(timer);
        return timer;
      },
    };
  }

  #busy(work: () => unknown): void {
    this.#depth += 1;
    try {
      work();
    } finally {
      this.#depth -= 1;
    }
  }
}
