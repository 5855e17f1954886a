/** `murmure inspect`: a page that shows the actors of a journal, or of the peer that runs on this home. */
import { basename } from 'node:path';
import type { Command } from 'commander';
import { PackedRun } from '../../inspector/packed-run.ts';
import type { RunSource } from '../../inspector/server.ts';
import { readJournal } from '../../journal/journal-file.ts';
import { untilAborted } from '../abortable.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { NotServingError } from '../errors.ts';
import { requirePath } from '../input/validate.ts';
import { startInspector } from '../inspector/announce.ts';
import { runningPeerSource } from '../inspector/run-sources.ts';
import { exitCodeOfStop } from '../output/exit-codes.ts';
import { reachRunningPeer } from '../peer/running-peer.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('inspect')
    .summary('look at state machines in a browser')
    .description(
      'Shows the actors of a journal, or those of the peer that runs on this home while they work: their states, and the messages between them. It prints a link for your browser, and serves the page on this machine only, until you stop it.',
    )
    .argument('[file...]', 'journals that --record wrote (default: the peer that runs on this home)')
    .option('--open', 'open the browser')
    .addHelpText('after', examples('inspect run.jsonl', 'inspect --open', 'inspect alice.jsonl bob.jsonl'))
    .action((files: readonly string[], options: InspectOptions) =>
      run((context) => inspect(context, files, options), { bounded: false }),
    );
}

interface InspectOptions {
  readonly open?: boolean;
}

export async function inspect(
  context: CommandContext,
  files: readonly string[],
  { open: opens }: InspectOptions,
): Promise<number> {
  const { output, signal } = context;
  const runs = files.length === 0 ? [await runningPeer(context)] : await journals(context, files);
  await using inspector = await startInspector(context, { title: 'murmure', runs, opens });
  output.data({ url: inspector.url }, (paint) => paint('bold', inspector.url));
  output.note('Open this link in a browser on this machine. Ctrl+C ends the inspector.');
  await untilAborted(signal);
  return exitCodeOfStop(signal);
}

/** @throws NotServingError */
async function runningPeer(context: CommandContext): Promise<RunSource> {
  const api = await reachRunningPeer(context);
  if (api === undefined) throw new NotServingError(context.settings.home.folder, 'name a journal that --record wrote');
  await api.close();
  return runningPeerSource(context);
}

/** They are replayed while the page is looked at already. */
async function journals({ signal, output }: CommandContext, files: readonly string[]): Promise<RunSource[]> {
  for (const file of files) requirePath('FILE', file);
  const read = await Promise.all(files.map((file) => readJournal(file, signal)));
  return read.map((journal, i) => {
    const run = new PackedRun(journal, { name: basename(files[i] as string), signal });
    run.result.catch((error: Error) => signal.aborted || output.fail(error.message));
    return run.send;
  });
}
