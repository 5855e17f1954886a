/** The runs of effects that a replay has called for, and which of them a recorded answer belongs to. */
import type { AnyActorRef } from 'xstate';
import { pathOf } from '../runtime/actor-tree.ts';
import { RunCounter } from '../runtime/run-counter.ts';
import type { EventEntry, JournalEntry } from './format.ts';

/** "lookUp#12 of peer/merkle-walk.alice": the run that an entry answers; undefined for what nobody called for. */
export function runOf(entry: JournalEntry): string | undefined {
  if (!('to' in entry) || entry.effect === undefined) return undefined;
  return `${entry.effect} of ${entry.by ?? entry.to}`;
}

export function isNested(entry: JournalEntry | undefined): entry is EventEntry & { nested: true } {
  return entry !== undefined && 'nested' in entry && entry.nested === true;
}

export class CalledEffects {
  readonly #runs = new RunCounter();
  /** BOUNDED by what the journal makes actors call for. An actor that is started again counts anew: the highest number counts. */
  readonly #highest = new Map<string, number>();

  /** The run that begins now, as `runOf` names it. */
  begin(actor: AnyActorRef, effect: string): string {
    const number = this.#runs.next(actor, effect);
    const path = pathOf(actor);
    const calls = `${effect} of ${path}`;
    if (number > (this.#highest.get(calls) ?? 0)) this.#highest.set(calls, number);
    return `${effect}#${number} of ${path}`;
  }

  /** Whether the run that this entry answers has been called for; true for what answers none. */
  has({ effect, by, to }: EventEntry): boolean {
    if (effect === undefined) return true;
    const [name, number] = effect.split('#');
    return Number(number) <= (this.#highest.get(`${name} of ${by ?? to}`) ?? 0);
  }
}
