/** `murmure peers`: names known to the directory. */
import type { Command } from 'commander';
import type { DirectoryPeer } from '../../index.ts';
import { abortable } from '../abortable.ts';
import { examples, type Run } from '../command.ts';
import { type CommandContext, requireDirectory } from '../context.ts';
import { DirectoryTimedOutError, TimedOutError } from '../errors.ts';
import { openPeer } from '../peer/one-shot-peer.ts';
import { doubtsAmong } from '../render/name-doubts.ts';
import { renderPeers } from '../render/peers.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('peers')
    .summary('list the peers the directory knows')
    .description('Lists the names that the directory knows, with their addresses and keys.')
    .addHelpText('after', examples('peers'))
    .action(() => run(peers));
}

export async function peers(context: CommandContext): Promise<void> {
  const access = await requireDirectory(context);
  await using session = await openPeer(context, access);
  using progress = context.output.progress();
  progress.tell('waiting for the directory');
  const listed = await abortable(session.peer.directoryPeers(context.signal), context.signal).catch(
    (error: unknown) => {
      throw error instanceof TimedOutError ? new DirectoryTimedOutError(access.directory) : error;
    },
  );
  const { store } = session;
  const doubtsOf = doubtsAmong(session.peer.name, store);
  const lines = listed.map((peer) => ({
    ...toLine(peer, store.peer(peer.name)?.following ?? false),
    ...doubtsOf(peer.name),
  }));
  if (context.output.json) for (const line of lines) context.output.data(line, () => '');
  else context.output.data(lines, (paint) => renderPeers(lines, paint));
  if (lines.length === 0) context.output.note('The directory lists nobody at the moment.');
}

function toLine({ name, addresses, key }: DirectoryPeer, following: boolean) {
  return { name, addresses: addresses.map(({ ip, port }) => ({ ip, port })), key: key ?? null, following };
}
