/** Questions to a person at the terminal. They go to stderr: stdout is for data. */
import { StoppedError } from '../errors.ts';
import { secret, yesOrNo } from '../front-end/prompts/questions.ts';
import type { Prompts, Surroundings } from '../streams.ts';

/** "? " in front of what is asked. */
const ROOM_OF_THE_MARK = 2;

/** Undefined unless somebody sits at a terminal. What asks is loaded with the first question. */
export function terminalPrompts(
  { stdin, stderr }: Pick<Surroundings, 'stdin' | 'stderr'>,
  signal: AbortSignal,
): Prompts | undefined {
  if (stdin.isTTY !== true || stderr.isTTY !== true) return undefined;
  const terminal = { output: process.stderr, signal };
  return {
    password: (message) =>
      untilAnswered(signal, async () => {
        const { password } = await import('@inquirer/prompts');
        return password(secret(message), terminal);
      }),
    confirm: (message) =>
      untilAnswered(signal, async () => {
        const { confirm } = await import('@inquirer/prompts');
        const { wrapText } = await import('../render/wrap.ts');
        const wrapped = wrapText(message, (process.stderr.columns || 80) - ROOM_OF_THE_MARK).join('\n');
        return confirm(yesOrNo(wrapped, false), terminal);
      }),
    edit: (message, complain) =>
      untilAnswered(signal, async () => {
        const { editor } = await import('@inquirer/prompts');
        const validate = (text: string) => complain(text) ?? true;
        return editor({ message, validate, waitForUserInput: false, file: { mode: 0o600 } }, terminal);
      }),
  };
}

async function untilAnswered<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    // Ctrl+C is a key at a prompt, not a signal.
    if (error instanceof Error && error.name === 'ExitPromptError') throw new StoppedError('SIGINT');
    throw error;
  }
}
