/** How a declared command is run: its work is loaded when it is wanted, and done in a context. */
import type { CommandContext, CommandResult } from '../context.ts';

export interface RunOptions {
  /** Whether --timeout counts; default true. Not for commands that run until they are stopped. */
  readonly bounded?: boolean;
}

export type Run = (work: (context: CommandContext) => CommandResult, options?: RunOptions) => Promise<void>;
