/** Runs the command line in this process: its arguments, its streams, its signals. */
import { setImmediate } from 'node:timers/promises';
import { OutputFailedError, type StopCause, StoppedError } from './errors.ts';
import { reportFailure } from './output/report-failure.ts';
import { runCli } from './run-cli.ts';

/** After a signal, a run that does not end by itself is ended. Two seconds is what the contract allows. */
const GRACE_MS = 1_800;

/** Runs the command that the process was started with, then ends the process. Exit codes: docs/cli.md. */
export async function runProcess(): Promise<never> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => onSignal(stop, signal));
  // A terminal that is closed ends what runs in it, in good order; not what nohup took away from it.
  if (process.stdout.isTTY) process.on('SIGHUP', () => onSignal(stop, 'SIGHUP'));
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever read our output has seen enough, e.g. `murmure timeline | head`.
    if (error.code === 'EPIPE') requestStop(stop, 'EPIPE');
    else if (!isHangUp(error)) crash(new OutputFailedError(error));
  });
  process.stderr.on('error', () => {});
  // An unhandled rejection arrives here as well.
  process.on('uncaughtException', (error) => (isHangUp(error) ? requestStop(stop, 'SIGHUP') : crash(error)));

  const exitCode = await runCli(process.argv.slice(2), {
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    env: process.env,
    signal: stop.signal,
  });
  await flushed(process.stdout);
  process.exit(exitCode);
}

/** A terminal that is gone can be neither read nor written: the signal that says so may come later. */
function isHangUp(error: Error): boolean {
  return (error as NodeJS.ErrnoException).code === 'EIO' && process.stdout.isTTY;
}

function onSignal(stop: AbortController, signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP'): void {
  // Asked twice: somebody is in a hurry. A terminal that is closed asks everybody, some of them twice.
  if (stop.signal.aborted && signal !== 'SIGHUP') process.exit(130);
  requestStop(stop, signal);
}

function requestStop(stop: AbortController, cause: StopCause): void {
  stop.abort(new StoppedError(cause));
  setTimeout(() => process.exit(cause === 'EPIPE' ? 0 : 130), GRACE_MS).unref();
}

/** Something failed where nobody waits for it. */
function crash(error: unknown): never {
  const report = { json: process.argv.includes('--json'), verbose: process.argv.includes('--verbose') };
  process.exit(reportFailure(error, process, report));
}

/** Output to a pipe may still be under way, and what cannot be written is reported a moment after it was tried. */
async function flushed(stream: NodeJS.WriteStream): Promise<void> {
  if (!stream.destroyed) {
    const { promise, resolve } = Promise.withResolvers<void>();
    stream.write('', () => resolve());
    await promise;
  }
  await setImmediate();
}
