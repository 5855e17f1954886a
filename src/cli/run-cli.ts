/** One run of the command line, from arguments to exit code. It touches nothing of the process: see run-process.ts for that. */

import type { Command } from 'commander';
import type { Run, RunOptions } from './command.ts';
import type { CommandContext } from './context.ts';
import { StoppedError, TimedOutError, UsageError } from './errors.ts';
import type { Dialogue } from './front-end/dialogue.ts';
import { terminalPrompts } from './input/terminal-prompts.ts';
import { createOutput, type Paint } from './output/output.ts';
import { reportFailure } from './output/report-failure.ts';
import { commandWord, createProgram, FRONT_END } from './program.ts';
import { asciiTerminal, isUtf8 } from './render/ascii.ts';
import type { GlobalFlags } from './settings/settings.ts';
import type { Services, Surroundings } from './streams.ts';

/**
 * Runs the command that `argv` (without the program's name) asks for. Resolves to the exit code; rejects never: what fails is reported
 * on the streams. Ends soon after `surroundings.signal` is aborted.
 */
export async function runCli(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const stop = surroundings.signal ?? new AbortController().signal;
  // What is known before the settings are: enough to report bad usage in the form that was asked for.
  const report = { json: asksForJson(argv), verbose: argv.includes('--verbose') };
  let exitCode = 0;

  let program: Command | undefined;
  const run: Run = async (work, options = {}) => {
    const flags = program?.opts<GlobalFlags>() ?? {};
    const context = await createContext(flags, surroundings, options, stop);
    report.json = context.settings.json;
    report.verbose = context.settings.verbose;
    exitCode = (await work(context)) ?? 0;
  };

  try {
    stop.throwIfAborted();
    requireUtf8(argv);
    const isFrontEnd = isInteractive(surroundings) && commandWord(argv) === undefined;
    const words = isFrontEnd ? [...argv, FRONT_END] : argv;
    program = await createProgram(surroundings, run, words);
    await program.parseAsync(words, { from: 'user' });
    return exitCode;
  } catch (error) {
    // Whatever else breaks on the way out, the reason is that the run was stopped.
    const cause: unknown = stop.aborted ? stop.reason : error;
    if (cause instanceof StoppedError && cause.stopCause === 'EPIPE') return 0;
    return reportFailure(cause, surroundings, report, program);
  }
}

/** Node.js puts U+FFFD where an argument is not UTF-8: it would be published so. @throws UsageError */
function requireUtf8(argv: readonly string[]): void {
  const broken = argv.find((word) => word.includes('\ufffd'));
  if (broken !== undefined)
    throw new UsageError(
      `the argument "${broken}" is not in UTF-8: check what was pasted, and the encoding of the terminal`,
    );
}

function isInteractive({ stdin, stdout }: Surroundings): boolean {
  return stdin.isTTY === true && stdout.isTTY === true;
}

async function createContext(
  flags: GlobalFlags,
  surroundings: Surroundings,
  { bounded = true }: RunOptions,
  stop: AbortSignal,
): Promise<CommandContext> {
  const { resolveSettings } = await import('./settings/settings.ts');
  const { settings, unknownKeys } = await resolveSettings(flags, surroundings.env);
  const output = createOutput(surroundings, settings);
  const signal = bounded ? limited(stop, settings.timeoutMs) : stop;
  for (const key of unknownKeys)
    output.warn(`${settings.home.configFile}: "${key}" is not a setting and has no effect`);
  return {
    settings,
    output,
    stdin: surroundings.stdin,
    prompts: surroundings.prompts ?? terminalPrompts(surroundings, signal),
    dialogue: isInteractive(surroundings) ? await openDialogue(surroundings.env, output.paint, signal) : undefined,
    stderr: surroundings.stderr,
    signal,
    services: surroundings.services ?? publicApi,
    nowMs: surroundings.nowMs ?? Date.now,
  };
}

/** Loaded only here: most runs have no dialogue. */
async function openDialogue(env: Surroundings['env'], paint: Paint, signal: AbortSignal): Promise<Dialogue> {
  const { stdin: input, stdout } = process;
  const output = isUtf8(env) ? stdout : asciiTerminal(stdout);
  if (env.TERM === 'dumb') {
    const { plainDialogue } = await import('./front-end/plain-dialogue.ts');
    return plainDialogue({ input, output, signal });
  }
  const { terminalDialogue } = await import('./front-end/terminal-dialogue.ts');
  return terminalDialogue({ input, output, paint, signal });
}

function limited(stop: AbortSignal, timeoutMs: number | undefined): AbortSignal {
  if (timeoutMs === undefined) return stop;
  const timeUp = new AbortController();
  // The process need not stay for this alone.
  setTimeout(() => timeUp.abort(new TimedOutError(timeoutMs)), timeoutMs).unref();
  return AbortSignal.any([stop, timeUp.signal]);
}

/** Loaded on first use: offline commands start without the network's machinery, and a peer without a directory's. */
const publicApi: Services = {
  createPeer: async (options) => (await import('../peer/system-peer.ts')).createPeer(options),
  createDirectory: async (options) => (await import('../directory/create-directory.ts')).createDirectory(options),
};

function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end === -1 ? argv : argv.slice(0, end)).includes('--json');
}
