/** The front end's questions where the terminal can do nothing but print lines (TERM=dumb); it suits a screen reader, too. */
import { createInterface, type Interface } from 'node:readline';
import { safeLine, safeText } from '../../feed/safe-text.ts';
import { abortable } from '../abortable.ts';
import { editText } from '../input/editor.ts';
import { wrapText } from '../render/wrap.ts';
import { CancelledError, type Dialogue, type WhyInvalid } from './dialogue.ts';
import { answerOf, type Key, type Screen, type ScreenAnswer } from './screen.ts';

export interface PlainDialogueOptions {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream & { readonly columns?: number };
  /** Aborted when the run has to end. */
  readonly signal: AbortSignal;
}

/** Items printed at a time: the ones nearest to where the screen begins. */
const SHOWN = 20;

/** A line of its own that ends a message, as in mail(1): what is pasted may have any number of lines. */
const END_OF_MESSAGE = '.';

export function plainDialogue({ input, output, signal }: PlainDialogueOptions): Dialogue {
  const print = (text: string) => void output.write(`${text}\n`);
  const lines = new LineReader(input, signal);
  const readLine = (question: string): Promise<string> => {
    output.write(`${question} `);
    return lines.next();
  };
  const readMessage = async (question: string): Promise<string> => {
    print(question);
    const message: string[] = [];
    for (let line = await lines.next(); line !== END_OF_MESSAGE; line = await lines.next()) message.push(line);
    return message.join('\n').trimEnd();
  };
  /** Until nothing is wrong with the answer. */
  const readValid = async (question: string, whyInvalid: WhyInvalid): Promise<string> => {
    for (;;) {
      const text = await readLine(question);
      const wrong = whyInvalid(text);
      if (wrong === undefined) return text;
      print(wrong);
    }
  };
  const pickNumber = async (question: string, labels: readonly string[]): Promise<number> => {
    for (const [index, label] of labels.entries()) print(`${index + 1}. ${label}`);
    const whyInvalid = (text: string) =>
      text.trim() === '' || labels[Number(text) - 1] !== undefined ? undefined : 'Type one of the numbers.';
    const text = await readValid(`${question} (type a number, or nothing to go back)`, whyInvalid);
    if (text.trim() === '') throw new CancelledError({ isExit: false });
    return Number(text) - 1;
  };

  return {
    screen: async (screen) => {
      const columns = output.columns ?? 80;
      const shown = printScreen(screen, columns, print);
      for (;;) {
        const answer = answerFrom(await readLine('>'), screen.keys, shown);
        if (typeof answer !== 'string') return answer;
        print(answer);
      }
    },
    choose: async (question, options) => {
      const index = await pickNumber(
        question,
        options.map(({ label }) => label),
      );
      return (options[index] as (typeof options)[number]).value;
    },
    pick: async (question, names) => {
      const index = await pickNumber(
        question,
        names.map((name) => safeLine(name)),
      );
      return names[index] as string;
    },
    write: async (question, { draft, whyInvalid, maxBytes, above, onChange }) => {
      for (const line of above(output.columns ?? 80)) print(line);
      if (draft !== '') print(`Your draft: ${safeText(draft)}\nType "." alone to send it, or write something else.`);
      for (;;) {
        const typed = await readMessage(`${question} (at most ${maxBytes} bytes; "." on a line of its own ends it):`);
        const text = typed || draft;
        onChange(text);
        const why = whyInvalid(text);
        if (why === undefined) return text;
        print(why);
      }
    },
    line: async (question, whyInvalid, suggestion = '') => {
      const hint = suggestion === '' ? '' : ` (${suggestion})`;
      return (await readValid(`${question}${hint}`, (text) => whyInvalid(text || suggestion))) || suggestion;
    },
    edit: (text, ending) => lines.suspended(() => editText(text, ending, { signal })),
    // Such a terminal shows whatever is typed: a secret has to come from a file.
    secret: async (question) => {
      print(`${question} this terminal would show what you type. Use --passphrase-file instead.`);
      return '';
    },
    confirm: async (question, suggestion = true) => {
      const text = await readLine(`${question} (${suggestion ? 'Y/n' : 'y/N'})`);
      return text.trim() === '' ? suggestion : /^y/i.test(text.trim());
    },
    show: (text) => void output.write(wrapText(text, output.columns ?? 80).join('\n')),
    fullScreen: () => ({ [Symbol.dispose]: () => {} }),
    ring: () => void output.write('\u0007'),
  };
}

/** The lines of the input, one by one. What is typed ahead waits for its question; the end of the input ends the dialogue. */
class LineReader {
  readonly #input: NodeJS.ReadableStream;
  readonly #signal: AbortSignal;
  #interface: Interface | undefined;
  #lines: AsyncIterator<string> | undefined;
  #next: Promise<IteratorResult<string>> | undefined;

  constructor(input: NodeJS.ReadableStream, signal: AbortSignal) {
    this.#input = input;
    this.#signal = signal;
  }

  async next(): Promise<string> {
    this.#interface ??= createInterface({ input: this.#input, terminal: false });
    this.#lines ??= this.#interface[Symbol.asyncIterator]();
    // After an abort the line is left for whoever asks next.
    this.#next ??= this.#lines.next();
    const { value, done } = await abortable(this.#next, this.#signal);
    this.#next = undefined;
    if (done) throw new CancelledError({ isExit: true });
    return value;
  }

  /** While another program has the terminal. */
  async suspended<T>(work: () => Promise<T>): Promise<T> {
    this.#interface?.pause();
    try {
      return await work();
    } finally {
      this.#interface?.resume();
    }
  }
}

/** The ids of the items, in the order of their numbers. */
function printScreen(screen: Screen, columns: number, print: (line: string) => void): readonly string[] {
  const items = screen.items();
  const shown = screen.isText ? items : screen.from === 'bottom' ? items.slice(-SHOWN) : items.slice(0, SHOWN);
  print('');
  print([screen.title(), screen.aside?.() ?? ''].filter(Boolean).join('  '));
  if (shown.length === 0) print(screen.empty);
  for (const [index, item] of shown.entries()) {
    const number = screen.isText ? '' : `${index + 1}. `;
    const [first = '', ...rest] = item.lines(columns - number.length);
    for (const line of [number + first, ...rest]) print(line);
  }
  for (const line of screen.status(columns)) print(line);
  // A letter is less to type than "escape".
  const keys = screen.keys
    .filter(({ label }) => label !== '')
    .map(({ key, label, action }) => `${action === 'back' ? 'q' : key} ${label}`);
  const hint = `Type a key${screen.isText ? '' : ', and the number of an item'}: ${keys.join(', ')}`;
  for (const line of wrapText(hint, columns)) print(line);
  return shown.map(({ id }) => id);
}

/** "r 3": a key, and a number; or what is wrong with it. */
function answerFrom(line: string, keys: readonly Key[], items: readonly string[]): ScreenAnswer | string {
  const [name = '', number] = line.trim().split(/\s+/);
  const called = (typed: string) => keys.find(({ key }) => key === typed);
  const key = called(name === '' ? 'enter' : name) ?? called(name.toLowerCase());
  if (key === undefined) return `There is no key "${safeLine(name, 20)}" here.`;
  const item = number === undefined ? items.at(-1) : items[Number(number) - 1];
  if (number !== undefined && item === undefined) return `There is no item ${safeLine(number, 20)}.`;
  return answerOf(key, item ?? '');
}
