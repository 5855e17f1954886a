/** `murmure demo`: a directory, neighbours and you, all on this machine, in a temporary folder. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Peer } from '../../index.ts';
import { MurmureError } from '../../wire/murmure-error.ts';
import { abortable, untilAborted } from '../abortable.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { openNeighbourhood, startPeer } from '../demo/neighbourhood.ts';
import { runFrontEnd } from '../front-end/run-front-end.ts';
import { createHome } from '../home/create-home.ts';
import { homeAt } from '../home/home.ts';
import { openStore } from '../home/open-home.ts';
import { journalOption } from '../peer/journal-option.ts';
import { offerToOthers } from '../peer/offer-to-others.ts';
import { renderSyncReport } from '../render/sync-report.ts';
import { printFound } from './timeline.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('demo')
    .summary('try murmure without a network')
    .description(
      'Runs a directory and some neighbours on this machine, downloads what they wrote, and shows the timeline. At a terminal it then opens the front end. It works in a temporary folder, and removes the folder when it ends.',
    )
    .option('--inspect', 'show your actors in a browser, as "murmure inspect" does, until you stop it')
    .addHelpText('after', examples('demo', 'demo --json', 'demo --inspect'))
    .action((options: DemoOptions) => run((context) => demo(context, options)));
}

const OWN_NAME = 'you';
/** About a screenful. */
const SHOWN_MESSAGES = 20;

interface DemoOptions {
  readonly inspect?: boolean;
}

export async function demo(context: CommandContext, { inspect = false }: DemoOptions = {}): Promise<void> {
  const { output } = context;
  await using resources = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'murmure-demo-'));
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  const { access, names } = resources.use(await openNeighbourhood(context, output.note));

  const home = homeAt(join(folder, OWN_NAME));
  const noPassphrase = { passphrase: async () => undefined, askPassphrase: async () => '' };
  const keyPair = await createHome({ home, name: OWN_NAME, ...noPassphrase });
  const { store } = await openStore(home);
  resources.use(store);
  const journal = await journalOption(context);
  const own = { name: OWN_NAME, keyPair, store, ...access, ...journal, explain: true };
  const you = resources.use(await startPeer(context, own));
  if (inspect) resources.use(await inspectPeer(context, you));
  output.note('You have registered as well. You follow all of them, and download their messages:');
  await Promise.all(names.map((name) => fetchFeed(context, you, name)));

  const {
    dialogue,
    output: { json, paint },
  } = context;
  if (dialogue !== undefined && !json) {
    const settings = context.settings.origins;
    const here = { ...context, settings: { ...context.settings, home } };
    resources.use(await offerToOthers(here, you, { runBy: 'front-end', directoryUrl: access.directory }));
    output.note(`While it runs, other commands can act on it: murmure status --home ${home.folder}`);
    await runFrontEnd({ peer: you, store, dialogue, paint, settings, directory: access.directory });
    return;
  }
  output.note(`The last ${SHOWN_MESSAGES} of ${store.countMessages()} messages:`);
  printFound(context, { name: OWN_NAME, store }, { messages: store.messages({ limit: SHOWN_MESSAGES }), hidden: 0 });
  if (inspect) await untilAborted(context.signal);
}

async function inspectPeer(context: CommandContext, peer: Peer): Promise<AsyncDisposable> {
  const { startInspector } = await import('../inspector/announce.ts');
  const { peerSource } = await import('../inspector/run-sources.ts');
  const inspector = await startInspector(context, { title: 'murmure demo', runs: [peerSource(peer)] });
  context.output.note(`Look at your actors in a browser: ${inspector.url}`);
  return inspector;
}

async function fetchFeed({ output, signal }: CommandContext, peer: Peer, name: string): Promise<void> {
  peer.follow(name);
  const report = await abortable(peer.sync(name, { signal }), signal);
  if (report.error !== undefined) throw new MurmureError(report.error.code, `${name}: ${report.error.message}`);
  // Notes are for people; without colours, as they may end up anywhere.
  output.note(`  ${renderSyncReport(report, (_format, text) => text)}`);
}
