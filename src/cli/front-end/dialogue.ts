/** The questions of the front end. A person answers them at a terminal; in tests a script does. */
import { safeLine } from '../../feed/safe-text.ts';

export interface Option<T extends string> {
  readonly value: T;
  readonly label: string;
}

export interface Dialogue {
  /** One of a few. */
  choose<T extends string>(question: string, options: readonly Option<T>[]): Promise<T>;
  /** One of many, found by typing. */
  pick(question: string, names: readonly string[]): Promise<string>;
  /** A line of text; `draft` is there already. */
  write(question: string, draft: string, complain: (text: string) => string | undefined): Promise<string>;
  confirm(question: string): Promise<boolean>;
  /** Something to read; safe to show. */
  show(text: string): void;
}

/** The question was not answered: Ctrl-C. */
export class CancelledError extends Error {
  override readonly name = 'CancelledError';
}

/** Prompts on stdout; what asks is loaded with the first question. */
export function terminalDialogue(signal: AbortSignal, write: (text: string) => void): Dialogue {
  const terminal = { signal };
  const ask = async <T>(question: (prompts: typeof import('@inquirer/prompts')) => Promise<T>): Promise<T> => {
    try {
      return await question(await import('@inquirer/prompts'));
    } catch (error) {
      if (error instanceof Error && error.name === 'ExitPromptError') throw new CancelledError();
      throw signal.aborted ? signal.reason : error;
    }
  };
  return {
    choose: (message, options) =>
      ask(({ select }) =>
        select(
          { message, choices: options.map(({ value, label }) => ({ value, name: label })), loop: false },
          terminal,
        ),
      ),
    pick: (message, names) =>
      ask(({ search }) => {
        const matching = (term = '') => names.filter((name) => name.toLowerCase().includes(term.toLowerCase()));
        const source = (term: string | undefined) => matching(term).map((value) => ({ value, name: safeLine(value) }));
        return search({ message, source }, terminal);
      }),
    write: (message, draft, complain) =>
      ask(({ input }) => {
        const validate = (text: string) => complain(text) ?? true;
        return input(
          { message, validate, ...(draft !== '' && { default: draft, prefill: 'editable' as const }) },
          terminal,
        );
      }),
    confirm: (message) => ask(({ confirm }) => confirm({ message, default: true }, terminal)),
    show: write,
  };
}
