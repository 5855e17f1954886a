/** `murmure block` and `unblock`: whom this home neither serves, greets nor shows. */
import type { Command } from 'commander';
import { safeLine } from '../../feed/safe-text.ts';
import type { Store } from '../../store/store.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { UsageError } from '../errors.ts';
import { openStore } from '../home/open-home.ts';
import { withLists } from '../input/peer-lists.ts';
import { type LookUpOptions, requirePeers, requireStoredPeers } from '../input/peer-names.ts';
import { askRunningPeer } from '../peer/running-peer.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('block')
    .summary('have nothing to do with peers')
    .description(
      'Refuses peers: your peer neither answers nor asks them, and you see none of their messages. You no longer follow them. Your messages remain public: a blocked person can still get them from others, or under another name.',
    )
    .argument('<peer...>', 'whom to block; @LIST for all of a list')
    .option('--force', 'block them without asking the directory whether the names are right')
    .addHelpText('after', examples('block mallory', 'block mallory trudy'))
    .action((peers: string[], options: LookUpOptions) => run((context) => block(context, peers, options)));
  program
    .command('unblock')
    .summary('deal with blocked peers again')
    .description('Answers, asks and shows peers again. Use "murmure follow" to follow them again.')
    .argument('<peer...>', 'whom to unblock; @LIST for all of a list')
    .addHelpText('after', examples('unblock mallory'))
    .action((peers: string[]) => run((context) => unblock(context, peers)));
}

async function block(context: CommandContext, peers: readonly string[], options: LookUpOptions): Promise<void> {
  const { name, store: opened } = await openStore(context.settings.home);
  using store = opened;
  const wanted = withLists(store, peers);
  if (wanted.includes(name)) throw new UsageError(`"${name}" is yourself: nobody can block themselves`);
  const untilListed = 'it will be refused once it turns up';
  const names = await requirePeers(context, { ...options, names: wanted, store, ownName: name, untilListed });
  await setBlocked(context, store, names, true);
}

async function unblock(context: CommandContext, peers: readonly string[]): Promise<void> {
  using store = (await openStore(context.settings.home)).store;
  await setBlocked(context, store, requireStoredPeers(store, peers), false);
}

async function setBlocked(
  context: CommandContext,
  store: Store,
  names: readonly string[],
  blocked: boolean,
): Promise<void> {
  const { output, nowMs } = context;
  const wishes = names.map((name) => ({ type: 'block.wanted', name, blocked }) as const);
  const answers = await askRunningPeer(context, wishes, 'block.changed');
  if (answers === undefined) for (const name of names) store.setBlocked(name, blocked, nowMs());
  for (const peer of names) {
    const said = blocked ? `${safeLine(peer)} is blocked.` : `${safeLine(peer)} is no longer blocked.`;
    output.data({ peer, blocked }, () => said);
  }
}
