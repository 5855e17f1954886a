/**
 * The one way into a system of actors: what enters here – events from effects and from the program, and timers that fire –
 * determines the whole run. Whoever records a run listens here.
 */
import type { AnyActorRef, AnyEventObject, EventObject } from 'xstate';
import type { Ref } from '../../machines/messages.ts';
import type { SocketAddress } from '../wire/socket-address.ts';
import type { Clock } from './clock.ts';

export interface GateObserver {
  /** Called before the actor gets the event. Nested: an effect answers at once, while the actor is still busy. */
  entering(actor: AnyActorRef, event: AnyEventObject, isNested: boolean): void;
  /** Called before a timer's callback. Timers are numbered from 1 in the order in which they are set. */
  firing(timer: number): void;
  /** A datagram goes out. */
  sending(bytes: Uint8Array, to: SocketAddress): void;
}

export class Gate {
  /** For the actors' delays. */
  readonly clock: Clock;
  readonly #observer: GateObserver | undefined;
  /** BOUNDED by the delays that actors wait for: a timer is here until it fires or is cleared. */
  readonly #timers = new Set<unknown>();
  #depth = 0;
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

  /** Sends an event to an actor; what comes for one that has ended is dropped. */
  enter<TEvent extends EventObject = AnyEventObject>(actor: Ref<TEvent>, event: NoInfer<TEvent>): void {
    if (this.#isClosed || actor.getSnapshot().status !== 'active') return;
    this.#observer?.entering(actor, event, this.#depth > 0);
    this.#run(() => actor.send(event));
  }

  /** As `enter`, for calls of the program: one made from within a listener waits until the actors are at rest. */
  submit<TEvent extends EventObject = AnyEventObject>(actor: Ref<TEvent>, event: NoInfer<TEvent>): void {
    if (this.#depth > 0) queueMicrotask(() => this.enter(actor, event));
    else this.enter(actor, event);
  }

  sending(bytes: Uint8Array, to: SocketAddress): void {
    this.#observer?.sending(bytes, to);
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
          this.#run(callback);
        }, ms);
        this.#timers.add(timer);
        return timer;
      },
    };
  }

  #run(work: () => void): void {
    this.#depth += 1;
    try {
      work();
    } finally {
      this.#depth -= 1;
    }
  }
}
