/** A person at the front end who presses any key, and answers anything, a second after each question; in the end it quits. */
import { CancelledError, type Dialogue } from '../../src/cli/front-end/dialogue.ts';
import { keyLines } from '../../src/cli/front-end/key-lines.ts';
import type { Screen } from '../../src/cli/front-end/screen.ts';
import { truncate, wrapText } from '../../src/cli/render/wrap.ts';
import type { SeededRandom } from '../../src/simulation/seeded-random.ts';
import type { World } from './world.ts';

export interface RandomDialogue extends Dialogue {
  /** Titles of screens, and questions, in order. */
  readonly seen: readonly string[];
  /** Every line that was shown. */
  readonly lines: ReadonlySet<string>;
  /** The keys of each screen but the one that explains them, as a narrow terminal shows them. */
  readonly hints: ReadonlySet<string>;
  /** All that was done on screens. */
  readonly actions: ReadonlySet<string>;
}

export interface RandomDialogueOptions {
  readonly columns: number;
  /** Questions before it wants to leave. */
  readonly questions: number;
}

const QUIT = 'Quit?';
const LINES = ['', '  ', 'hello', 'nobody', '10.0.0.1:1194', 'no address', '"', '\u001b[2J\u202e', 'x'.repeat(986)];
const TEXTS = [
  '',
  ' ',
  'Hello @alice, @bob.',
  'x'.repeat(985),
  'x'.repeat(986),
  '👩‍🌾 日本語\nand more',
  '\u001b[31mred',
];

export function randomDialogue(
  { clock }: Pick<World, 'clock'>,
  random: SeededRandom,
  { columns, questions }: RandomDialogueOptions,
): RandomDialogue {
  const seen: string[] = [];
  const lines = new Set<string>();
  const hints = new Set<string>();
  const actions = new Set<string>();
  const one = <T>(choices: readonly T[]): T => choices[random.uint32() % choices.length] as T;
  const isTired = () => seen.length > questions;
  const answer = <T>(question: string, decide: () => T): Promise<T> => {
    seen.push(question);
    return new Promise((resolve, reject) => {
      clock.setTimeout(() => {
        // Ctrl-C twice leaves from everywhere: too early that would end the walk.
        if (isTired() || (!question.startsWith(QUIT) && random.uint32() % 10 === 0))
          return reject(new CancelledError({ isExit: true }));
        try {
          resolve(decide());
        } catch (error) {
          reject(error);
        }
      }, 1_000);
    });
  };
  const look = (screen: Screen) => {
    const shown = screen.items().flatMap((item) => item.lines(columns));
    for (const line of [truncate(screen.title(), columns), ...screen.status(columns), ...shown]) lines.add(line);
    if (screen.title() !== 'help') hints.add(keyLines(screen.keys, 40, (_format, text) => text).join('\n'));
  };
  return {
    seen,
    lines,
    hints,
    actions,
    screen: (screen) => {
      look(screen);
      return answer(screen.title(), () => {
        look(screen);
        const items = screen.items();
        const item = items.length === 0 ? '' : one(items).id;
        if (item !== '') screen.visited?.(item);
        screen.reachedTop?.();
        const keys = screen.keys.filter((key) => key.action !== 'quit');
        const fresh = keys.filter((key) => !actions.has(key.action));
        const { action } = one(fresh.length > 0 && random.uint32() % 2 === 0 ? fresh : keys);
        actions.add(action);
        return { action, item: action === 'choose' && item === 'quit' ? 'peers' : item };
      });
    },
    choose: (question, options) => answer(question, () => one(options).value),
    pick: (question, names) => answer(question, () => one(names)),
    write: (question, { draft, whyInvalid, onChange, above }) =>
      answer(question, () => {
        for (const line of above(columns)) lines.add(line);
        const text = random.uint32() % 3 === 0 ? draft : one(TEXTS);
        onChange(text);
        if (whyInvalid(text) !== undefined) throw new CancelledError({ isExit: false });
        return text;
      }),
    edit: (text) => answer('editor', () => text),
    line: (question) => answer(question, () => one(LINES)),
    secret: (question) => answer(question, () => 'secret'),
    confirm: (question) => answer(question, () => !question.startsWith(QUIT) && random.uint32() % 2 === 0),
    show: (text) => {
      for (const line of wrapText(text, columns)) lines.add(line);
    },
    fullScreen: () => ({ [Symbol.dispose]: () => {} }),
    ring: () => {},
  };
}
