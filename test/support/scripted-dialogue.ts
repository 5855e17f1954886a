/** A person at the front end who answers as written down, a second after each question. */
import { CancelledError, type Dialogue } from '../../src/cli/front-end/dialogue.ts';
import { answerOf, type Screen, type ScreenAnswer } from '../../src/cli/front-end/screen.ts';
import type { World } from './world.ts';

/** Ctrl-C. */
export const cancel = Symbol('cancel');
/** Escape, at a question. */
export const dismiss = Symbol('dismiss');

/** A key on a screen: pressed on the item whose lines have this in them, or on the one that the cursor is on. */
export interface Press {
  readonly key: string;
  readonly on?: string;
}

export type Answer = string | boolean | Press | typeof cancel | typeof dismiss;

export interface ScriptedDialogue extends Dialogue {
  /** Questions, and what was shown, in order: screens as text. */
  readonly seen: readonly string[];
  /** How often it rang. */
  readonly rings: number;
}

const COLUMNS = 80;
/** The end of a message that others are not to see for half a minute. */
export const LATER = ' (later)';

export function press(key: string, on?: string): Press {
  return on === undefined ? { key } : { key, on };
}

export function scripted({ clock }: Pick<World, 'clock'>, answers: readonly Answer[]): ScriptedDialogue {
  const seen: string[] = [];
  let next = 0;
  let rings = 0;
  /** `look` is called when the person is about to answer. */
  const answer = <T>(
    question: string,
    convert: (given: Exclude<Answer, symbol>) => T,
    look: () => void = () => {},
  ): Promise<T> => {
    const asked = seen.push(question);
    const given = answers[next++];
    return new Promise((resolve, reject) => {
      clock.setTimeout(() => {
        look();
        if (given === undefined) reject(new Error(`nobody answers "${seen[asked - 1]}"`));
        else if (typeof given === 'symbol') reject(new CancelledError({ isExit: given === cancel }));
        else {
          try {
            resolve(convert(given));
          } catch (error) {
            reject(error);
          }
        }
      }, 1_000);
    });
  };
  const asGiven = <T>(question: string): Promise<T> => answer(question, (given) => given as T);
  return {
    seen,
    get rings() {
      return rings;
    },
    screen: (screen) => {
      const asked = seen.length;
      return answer(
        textOf(screen),
        (given) => pressed(screen, given),
        () => {
          seen[asked] = textOf(screen);
        },
      );
    },
    choose: asGiven,
    pick: asGiven,
    write: (question, { draft, onChange, onDelay }) =>
      answer(`${question}${draft === '' ? '' : `: ${draft}`}`, (given) => {
        // Ending in an ellipsis: typed, and then Escape.
        const isBrokenOff = typeof given === 'string' && given.endsWith('…');
        onChange(isBrokenOff ? given.slice(0, -1) : String(given));
        if (isBrokenOff) throw new CancelledError({ isExit: false });
        if (!String(given).endsWith(LATER)) return String(given);
        onDelay?.(30_000);
        return String(given).slice(0, -LATER.length);
      }),
    edit: asGiven,
    line: asGiven,
    secret: asGiven,
    confirm: asGiven,
    show: (text) => seen.push(text),
    fullScreen: () => ({ [Symbol.dispose]: () => {} }),
    ring: () => {
      rings += 1;
    },
  };
}

function textOf(screen: Screen): string {
  const items = screen.items();
  const shown = items.length === 0 ? [screen.empty] : items.flatMap((item) => item.lines(COLUMNS));
  return [screen.title(), ...shown, ...screen.status(COLUMNS)].join('\n');
}

function pressed(screen: Screen, given: Exclude<Answer, symbol>): ScreenAnswer {
  const { key, on } = typeof given === 'object' ? given : { key: String(given) };
  const pressed = screen.keys.find((candidate) => candidate.key === key);
  if (pressed === undefined) throw new Error(`there is no key "${key}" on\n${textOf(screen)}`);
  const items = screen.items();
  const wanted = (lines: readonly string[]) => lines.some((line) => on !== undefined && line.includes(on));
  const item =
    on === undefined
      ? (items.find(({ id }) => id === screen.cursor) ?? items.at(screen.from === 'top' ? 0 : -1))
      : items.find((candidate) => wanted(candidate.lines(COLUMNS)));
  if (on !== undefined && item === undefined) throw new Error(`there is no "${on}" on\n${textOf(screen)}`);
  return answerOf(pressed, item?.id ?? '');
}
