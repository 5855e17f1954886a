/** The one place where an error becomes words and an exit code. */
import { type Command, CommanderError } from 'commander';
import { safeLine } from '../../feed/safe-text.ts';
import { failureFrom, MurmureError } from '../../wire/murmure-error.ts';
import { commandInUse } from '../program.ts';
import type { Surroundings } from '../streams.ts';
import { exitCodeOf } from './exit-codes.ts';
import { toSafeJson } from './output.ts';
import { systemFailure } from './system-failure.ts';

/** People read it. */
const MAX_MESSAGE = 900;

interface Failure {
  readonly code: string;
  readonly message: string;
}

/** Says on stderr what failed, and with `json` on stdout as well, as its last line. Returns the exit code. */
export function reportFailure(
  error: unknown,
  { stdout, stderr }: Pick<Surroundings, 'stdout' | 'stderr'>,
  { json, verbose }: { json: boolean; verbose: boolean },
  program?: Command,
): number {
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  const { code, message } = describe(error);
  // Whatever was typed, or sent, may be in it.
  const failure = { code, message: safeLine(message, MAX_MESSAGE) };
  // Commander has printed the help already when there was no command at all.
  if (!isHelp(error)) stderr.write(`murmure: ${failure.message}\n`);
  if (failure.code === 'usage' && !isHelp(error) && program !== undefined)
    stderr.write(`Try "${commandInUse(program)} --help".\n`);
  if (verbose && failure.code !== 'usage' && error instanceof Error && error.stack !== undefined)
    stderr.write(`${error.stack}\n`);
  if (json) stdout.write(`${toSafeJson({ error: failure })}\n`);
  return exitCodeOf(failure.code);
}

function describe(error: unknown): Failure {
  if (error instanceof MurmureError) return failureFrom(error);
  if (isHelp(error)) return { code: 'usage', message: 'no command is given' };
  if (error instanceof CommanderError) return { code: 'usage', message: error.message.replace(/^error: /, '') };
  const refusal = systemFailure(error);
  if (refusal !== undefined) return { code: 'unexpected', message: refusal };
  const { code, message } = failureFrom(error);
  return { code, message: `unexpected failure: ${message} (--verbose shows where)` };
}

function isHelp(error: unknown): boolean {
  return error instanceof CommanderError && error.code === 'commander.help';
}
