/** `murmure mute` and `unmute`: whose messages the timeline leaves out. They are downloaded all the same. */
import type { Command } from 'commander';
import { safeLine } from '../../feed/safe-text.ts';
import type { Store } from '../../store/store.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { UsageError } from '../errors.ts';
import { openStore } from '../home/open-home.ts';
import { type LookUpOptions, requirePeers, requireStoredPeers } from '../input/peer-names.ts';
import { askRunningPeer } from '../peer/running-peer.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('mute')
    .summary('hide peers from the timeline')
    .description(
      'Hides the messages of peers from timeline and watch, unless you name them there. The messages are still downloaded.',
    )
    .argument('<peer...>', 'whom to mute')
    .option('--force', 'mute them without asking the directory whether the names are right')
    .addHelpText('after', examples('mute alice', 'mute alice bob'))
    .action((peers: string[], options: LookUpOptions) => run((context) => mute(context, peers, options)));
  program
    .command('unmute')
    .summary('show peers in the timeline again')
    .description('Shows the messages of muted peers again.')
    .argument('<peer...>', 'whom to unmute')
    .addHelpText('after', examples('unmute alice'))
    .action((peers: string[]) => run((context) => unmute(context, peers)));
}

async function mute(context: CommandContext, peers: readonly string[], options: LookUpOptions): Promise<void> {
  const { name, store: opened } = await openStore(context.settings.home);
  using store = opened;
  if (peers.includes(name))
    throw new UsageError(`"${name}" is yourself: take single messages back with "murmure withdraw"`);
  const untilListed = 'its messages will be hidden once they arrive';
  const names = await requirePeers(context, { ...options, names: peers, store, ownName: name, untilListed });
  await setMuted(context, store, names, true);
}

async function unmute(context: CommandContext, peers: readonly string[]): Promise<void> {
  using store = (await openStore(context.settings.home)).store;
  await setMuted(context, store, requireStoredPeers(store, peers), false);
}

async function setMuted(
  context: CommandContext,
  store: Store,
  names: readonly string[],
  muted: boolean,
): Promise<void> {
  const { output, nowMs } = context;
  const wishes = names.map((name) => ({ type: 'mute.wanted', name, muted }) as const);
  const answers = await askRunningPeer(context, wishes, 'mute.changed');
  if (answers === undefined) for (const name of names) store.setMuted(name, muted, nowMs());
  for (const peer of names) {
    const said = muted
      ? `The timeline no longer shows ${safeLine(peer)}.`
      : `The timeline shows ${safeLine(peer)} again.`;
    output.data({ peer, muted }, () => said);
  }
}
