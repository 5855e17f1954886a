/** `murmure verify`: whether what is stored is still what came, and what was written. */
import type { Command } from 'commander';
import { nextTurn, systemClock } from '../../runtime/clock.ts';
import type { Verified } from '../../store/store.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { openStore } from '../home/open-home.ts';
import { exitCodeOf } from '../output/exit-codes.ts';
import { counted } from '../render/text.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('verify')
    .summary('check everything that is stored')
    .description(
      'Hashes every stored message and tree node anew, and walks your own tree. If something is damaged, it says what, and ends with 7. Works offline, and changes nothing.',
    )
    .addHelpText('after', examples('verify', 'verify --json'))
    .action(() => run(verify));
}

async function verify(context: CommandContext): Promise<number> {
  const { output, settings, signal } = context;
  using store = (await openStore(settings.home)).store;
  using progress = output.progress();
  let found: Verified = { nodes: 0, messages: 0, damaged: [], share: 0 };
  for (found of store.verify()) {
    progress.tell('hashing what is stored', found.share);
    // An interruption ends it between two portions.
    await nextTurn(systemClock);
    signal.throwIfAborted();
  }
  const { nodes, messages, damaged } = found;
  output.data({ nodes, messages, damaged }, (paint) => {
    const checked = `Checked ${counted(nodes, 'node')}, ${counted(messages, 'message')} among them:`;
    if (damaged.length === 0) return `${checked} nothing is damaged.`;
    const lines = damaged.map(({ hash, why }) => `  ${hash === null ? why : `${hash}: ${why}`}`);
    return [`${checked} ${paint('red', `${counted(damaged.length, 'fault')}.`)}`, ...lines].join('\n');
  });
  if (damaged.length === 0) return 0;
  output.fail(
    'what is stored is damaged: check the disk, then restore your newest backup with "murmure key import" into a new home; other peers still have their messages',
  );
  return exitCodeOf('invalid-data');
}
