/** `murmure serve`: a peer without prompts, until it is stopped. */
import type { Command } from 'commander';
import { safeLine } from '../../feed/safe-text.ts';
import type { Peer, PeerFact } from '../../index.ts';
import type { Store } from '../../store/store.ts';
import { formatAddress } from '../../wire/socket-address.ts';
import { abortable, untilAborted } from '../abortable.ts';
import { collect, examples, type Run } from '../command.ts';
import { type CommandContext, requireDirectory } from '../context.ts';
import { openIdentity, openStore } from '../home/open-home.ts';
import { isGuarded, keepHistoryMark, requireWholeHistory } from '../home/restored-home.ts';
import { lockHome } from '../home/serve-lock.ts';
import { keepPort, preferredPorts } from '../home/udp-port.ts';
import { resolveHostPorts } from '../input/host-port.ts';
import { exitCodeOfStop } from '../output/exit-codes.ts';
import { keepExplanationFile } from '../peer/explanation-file.ts';
import { journalOption } from '../peer/journal-option.ts';
import { rateLimited } from '../peer/rate-limit.ts';
import { eventLine, renderEvent, renderWarning } from '../render/event.ts';
import { isMentioned } from '../render/message-marks.ts';
import { shortHash } from '../render/text.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('serve')
    .summary('stay reachable and up to date')
    .description(
      'Runs a peer without prompts until you stop it. It registers, serves your messages, and downloads the messages of everyone you follow.',
    )
    .option(
      '--udp <host:port>',
      'listen here; may be repeated (default: every interface, at the port of the last time)',
      collect,
    )
    .addHelpText('after', examples('serve', 'serve --udp 0.0.0.0:4242 --json'))
    .action((options: ServeOptions) => run((context) => serve(context, options), { bounded: false }));
}

export interface ServeOptions {
  readonly udp?: readonly string[];
}

/** Runs until stopped: SIGTERM is how services are stopped, and ends with 0; SIGINT ends with 130. */
export async function serve(context: CommandContext, { udp }: ServeOptions): Promise<number> {
  const binds = udp === undefined ? {} : { udp: await resolveHostPorts('--udp', udp) };
  const access = await requireDirectory(context);
  const identity = await openIdentity(context);
  using _lock = lockHome(context.settings.home);
  try {
    await requireWholeHistory(context, identity);
    using store = (await openStore(context.settings.home)).store;
    const journal = await journalOption(context);
    const guarded = isGuarded(context.settings.home);
    const ports = { preferredPorts: preferredPorts(context.settings.home) };
    const { quota } = context.settings;
    const options = { ...identity, store, explain: true, guarded, quota, ...access, ...binds, ...ports, ...journal };
    await using peer = await context.services.createPeer(options);
    await keepPort(context.settings.home, peer);
    keepHistoryMark(context, peer);
    using _live = keepExplanationFile(context.settings.home, peer);
    await runPeer(context, peer, store);
  } catch (error) {
    if (!context.signal.aborted) throw error;
  }
  return exitCodeOfStop(context.signal);
}

/** A directory may stay unreachable for weeks. */
const MAX_EARLY = 1_000;

async function runPeer(context: CommandContext, peer: Peer, store: Store): Promise<void> {
  // "ready" is the first line: what happens before it is kept for after it.
  const early: PeerFact[] = [];
  let report = (fact: PeerFact): void => {
    if (early.length < MAX_EARLY) early.push(fact);
  };
  using subscriptions = new DisposableStack();
  const { nowMs, output } = context;
  const warn = (text: string) => output.warn(text);
  const tell = (fact: PeerFact) => {
    const warning = renderWarning(fact);
    if (warning !== undefined) warn(warning);
    report(fact);
  };
  subscriptions.defer(peer.on('*', rateLimited(tell, { nowMs, warn })));
  // As long as it takes: while the directory is unreachable the peer goes on trying, and says so in facts.
  await abortable(peer.whenListed(context.signal), context.signal);
  printReady(context, peer);
  report = (fact) => {
    printEvent(context, fact);
    if (fact.type === 'messages.received') printMentions(context, peer.name, store, fact);
  };
  early.forEach(report);
  await untilAborted(context.signal);
}

function printReady({ output }: CommandContext, { name, addresses, root }: Peer): void {
  const udp = addresses.map(({ ip, port }) => ({ ip, port }));
  output.data({ event: 'ready', name, udp, root }, (paint) => {
    const where = addresses.map(formatAddress).join(', ');
    return `${paint('green', 'ready')}: ${paint('bold', safeLine(name))} on ${where}, root ${shortHash(root)}`;
  });
}

function printEvent({ output, settings, nowMs }: CommandContext, fact: PeerFact): void {
  // Progress is a line for every few nodes: nobody wants that in a log.
  if (fact.type === 'sync.progressed' && !settings.verbose) return;
  output.data(eventLine(fact, nowMs()), (paint) => renderEvent(fact, paint));
}

/** A first download brings thousands of messages: only the newest can be news. */
const NEWS = 20;

function printMentions(
  { output, nowMs }: CommandContext,
  ownName: string,
  store: Store,
  { peer, hashes }: Extract<PeerFact, { type: 'messages.received' }>,
): void {
  const at = new Date(nowMs()).toISOString();
  for (const hash of hashes.slice(-NEWS)) {
    if (!isMentioned(store.message(hash)?.body ?? '', ownName)) continue;
    output.data(
      { event: 'message.mention', at, peer, hash },
      (paint) => `${paint('bold', safeLine(peer))} mentions you: murmure thread ${shortHash(hash)}`,
    );
  }
}
