/** What the files of commands/ share: each exports a `declare`, which adds its command to the program. */
import type { Command } from 'commander';
import type { CommandContext, CommandResult } from './context.ts';

export interface RunOptions {
  /** Whether --timeout counts; default true. Not for commands that run until they are stopped. */
  readonly bounded?: boolean;
}

/** Prepares a context, and runs a command's work in it. */
export type Run = (work: (context: CommandContext) => CommandResult, options?: RunOptions) => Promise<void>;

export type Declare = (program: Command, run: Run) => void;

/** For the end of a command's help: command lines without the program's name. */
export function examples(...lines: readonly string[]): string {
  const title = lines.length === 1 ? 'Example' : 'Examples';
  return `\n${title}:\n${lines.map((line) => `  murmure ${line}`).join('\n')}`;
}

/** For an option that may be repeated. */
export function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}
