/** The front end's questions where the terminal can do nothing but print lines (TERM=dumb); it suits a screen reader, too. */
import { createInterface } from 'node:readline/promises';
import { safeLine } from '../../feed/safe-text.ts';
import { wrapText } from '../render/wrap.ts';
import { CancelledError, type Complain, type Dialogue } from './dialogue.ts';
import { editInEditor } from './editor.ts';
import type { Key, Screen, ScreenAnswer } from './screen.ts';

export interface PlainDialogueOptions {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream & { readonly columns?: number };
  /** Aborted when the run has to end. */
  readonly signal: AbortSignal;
}

/** Items printed at a time: the ones nearest to where the screen begins. */
const SHOWN = 20;

export function plainDialogue({ input, output, signal }: PlainDialogueOptions): Dialogue {
  const print = (text: string) => void output.write(`${text}\n`);
  const readLine = async (question: string): Promise<string> => {
    const lines = createInterface({ input, output, terminal: false });
    const closed = new AbortController();
    lines.once('close', () => closed.abort());
    lines.once('SIGINT', () => closed.abort());
    try {
      return await lines.question(`${question} `, { signal: AbortSignal.any([signal, closed.signal]) });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw closed.signal.aborted ? new CancelledError() : error;
    } finally {
      lines.close();
    }
  };
  /** Until nothing is wrong with the answer. */
  const readValid = async (question: string, complain: Complain): Promise<string> => {
    for (;;) {
      const text = await readLine(question);
      const wrong = complain(text);
      if (wrong === undefined) return text;
      print(wrong);
    }
  };
  const pickNumber = async (question: string, labels: readonly string[]): Promise<number> => {
    for (const [index, label] of labels.entries()) print(`${index + 1}. ${label}`);
    const complain = (text: string) =>
      text.trim() === '' || labels[Number(text) - 1] !== undefined ? undefined : 'type one of the numbers';
    const text = await readValid(`${question} (a number; nothing cancels)`, complain);
    if (text.trim() === '') throw new CancelledError();
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
    write: async (question, { draft, complain, maxBytes, above, onChange }) => {
      for (const line of above(output.columns ?? 80)) print(line);
      if (draft !== '') print(`So far: ${safeLine(draft)}\nAn empty line sends that.`);
      const text = await readValid(`${question} (at most ${maxBytes} bytes):`, (typed) => complain(typed || draft));
      onChange(text || draft);
      return text || draft;
    },
    line: async (question, complain, suggestion = '') => {
      const hint = suggestion === '' ? '' : ` (${suggestion})`;
      return (await readValid(`${question}${hint}`, (text) => complain(text || suggestion))) || suggestion;
    },
    edit: editInEditor,
    // Such a terminal cannot be kept from showing what is typed: a secret goes into a file.
    secret: async (question) => {
      print(`${question} this terminal would show it: none is asked for, see --passphrase-file.`);
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

/** The ids of the items, in the order of their numbers. */
function printScreen(screen: Screen, columns: number, print: (line: string) => void): readonly string[] {
  const { title, items, empty, status } = screen.view(columns);
  const shown = screen.isText ? items : screen.from === 'bottom' ? items.slice(-SHOWN) : items.slice(0, SHOWN);
  print('');
  for (const line of title) print(line);
  if (shown.length === 0) print(empty);
  for (const [index, item] of shown.entries()) {
    const number = screen.isText ? '' : `${index + 1}. `;
    const [first = '', ...rest] = item.lines(columns - number.length);
    for (const line of [number + first, ...rest]) print(line);
  }
  for (const line of status) print(line);
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
  const key = keys.find((candidate) => candidate.key === (name === '' ? 'enter' : name.toLowerCase()));
  if (key === undefined) return 'no such key';
  const item = number === undefined ? items.at(-1) : items[Number(number) - 1];
  if (number !== undefined && item === undefined) return `there is no item ${number}`;
  return { action: key.action, item: key.item ?? item ?? '' };
}
