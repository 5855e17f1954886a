/** Questions to a person at the terminal. They go to stderr: stdout is for data. */
import { StoppedError } from '../errors.ts';
import { CancelledError } from '../front-end/dialogue.ts';
import { terminalDialogue } from '../front-end/terminal-dialogue.ts';
import type { Prompts, Surroundings } from '../streams.ts';

/** "? " in front of what is asked. */
const ROOM_OF_THE_MARK = 2;

/** Undefined unless somebody sits at a terminal. What asks is loaded with the first question. */
export function terminalPrompts(
  { stdin, stderr }: Pick<Surroundings, 'stdin' | 'stderr'>,
  signal: AbortSignal,
): Prompts | undefined {
  if (stdin.isTTY !== true || stderr.isTTY !== true) return undefined;
  const paint = (_format: unknown, text: string) => text;
  const dialogue = terminalDialogue({ input: process.stdin, output: process.stderr, paint, signal });
  const confirm = async (message: string, suggestion: boolean): Promise<boolean> => {
    const { wrapText } = await import('../render/wrap.ts');
    const wrapped = wrapText(message, (process.stderr.columns || 80) - ROOM_OF_THE_MARK).join('\n');
    return untilAnswered(() => dialogue.confirm(wrapped, suggestion));
  };
  return {
    password: (message) => untilAnswered(() => dialogue.secret(message)),
    confirm: (message) => confirm(message, false),
    edit: async (message, whyInvalid) => {
      for (let text = ''; ; ) {
        text = await dialogue.edit(text, '.txt');
        const why = whyInvalid(text);
        if (why === undefined) return text;
        if (!(await confirm(`${message} ${why}. Edit it again?`, true))) throw new StoppedError('SIGINT');
      }
    },
  };
}

async function untilAnswered<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    // Ctrl-C is a key at a prompt, not a signal.
    throw error instanceof CancelledError ? new StoppedError('SIGINT') : error;
  }
}
