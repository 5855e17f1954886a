/** Numbers the runs of effects, live and in a replay alike. */
import type { AnyActorRef } from 'xstate';

export class RunCounter {
  /** BOUNDED: as many as there are actors, each with the effects of its machine; what has ended is forgotten with its actor. */
  readonly #counts = new WeakMap<AnyActorRef, Map<string, number>>();

  /** The number of the run that begins now: from 1, for each actor and each of its effects. */
  next(actor: AnyActorRef, effect: string): number {
    const number = this.last(actor, effect) + 1;
    const counts = this.#counts.get(actor);
    if (counts === undefined) this.#counts.set(actor, new Map([[effect, number]]));
    else counts.set(effect, number);
    return number;
  }

  /** The number of the latest run; 0 if there was none. */
  last(actor: AnyActorRef, effect: string): number {
    return this.#counts.get(actor)?.get(effect) ?? 0;
  }
}
