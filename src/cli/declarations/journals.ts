/** The commands that look into a run: recorded, or going on. */
import type { Command } from 'commander';
import type { ReplayCommandOptions } from '../commands/replay.ts';
import type { Run } from './run.ts';

export function addJournalTools(program: Command, run: Run): void {
  program
    .command('replay')
    .summary('run a journal')
    .description(
      'Runs a journal that --record wrote, and says whether it ends as recorded. Ends with 7 where it first differs.',
    )
    .argument('<file>', 'the journal')
    .option('--until <seq>', 'stop after this entry, and show the state of all actors')
    .option('--from <seq>', 'show the state of all actors after this entry, then every entry that follows')
    .option('--trace <actor>', 'show each transition of this actor, e.g. peer/outgoing-session.alice')
    .option('--drop <seq>', 'leave this entry out: what if that datagram had been lost?')
    .action((file: string, options: ReplayCommandOptions) =>
      run(async (context) => (await import('../commands/replay.ts')).replay(context, file, options)),
    );
  program
    .command('why')
    .summary('explain a session or a download')
    .description(
      'Says where the sessions and the download with a peer stand, and which transitions brought them there.',
    )
    .argument('<peer>', 'whose')
    .argument('[file]', 'a journal (default: what a running "murmure serve" knows)')
    .action((peer: string, file: string | undefined) =>
      run(async (context) => (await import('../commands/why.ts')).why(context, peer, file)),
    );
}
