/** A person at the front end who answers as written down, a second after each question. */
import { CancelledError, type Dialogue } from '../../src/cli/front-end/dialogue.ts';
import type { World } from './world.ts';

/** Ctrl-C. */
export const cancel = Symbol('cancel');

export type Answer = string | boolean | typeof cancel;

export interface ScriptedDialogue extends Dialogue {
  /** Questions, and what was shown, in order. */
  readonly seen: readonly string[];
}

export function scripted({ clock }: Pick<World, 'clock'>, answers: readonly Answer[]): ScriptedDialogue {
  const seen: string[] = [];
  let next = 0;
  const answer = <T>(question: string): Promise<T> => {
    seen.push(question);
    const given = answers[next++];
    return new Promise((resolve, reject) => {
      clock.setTimeout(() => {
        if (given === undefined) reject(new Error(`nobody answers "${question}"`));
        else if (given === cancel) reject(new CancelledError());
        else resolve(given as T);
      }, 1_000);
    });
  };
  return {
    seen,
    choose: (question) => answer(question),
    pick: (question) => answer(question),
    write: (question) => answer(question),
    confirm: (question) => answer(question),
    show: (text) => seen.push(text),
  };
}
