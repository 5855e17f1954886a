/** The commands about other peers besides following them. */
import type { Command } from 'commander';
import type { PingOptions } from '../commands/ping.ts';
import type { Run } from './run.ts';

export function addPeerTools(program: Command, run: Run): void {
  program
    .command('mute')
    .summary('leave a peer out of the timeline')
    .description(
      'Leaves the messages of a peer out of timeline and watch, unless it is named. They are downloaded all the same.',
    )
    .argument('<peer>')
    .action((name: string) => run(async (context) => (await import('../commands/mute.ts')).mute(context, name)));
  program
    .command('unmute')
    .summary('show a peer in the timeline again')
    .description('Ends muting a peer.')
    .argument('<peer>')
    .action((name: string) => run(async (context) => (await import('../commands/mute.ts')).unmute(context, name)));
  program
    .command('ping')
    .summary('how far away a peer is')
    .description('Measures the time that a peer takes to answer, and says by which way it is reached.')
    .argument('<peer>')
    .option('--count <n>', 'how often to ask (default: 4)')
    .action((name: string, options: PingOptions) =>
      run(async (context) => (await import('../commands/ping.ts')).ping(context, name, options)),
    );
}
