/** `murmure serve`: a peer without prompts, until it is stopped. */

import type { Command } from 'commander';
import { isMentioned } from '../../feed/mentions.ts';
import { safeLine } from '../../feed/safe-text.ts';
import type { PeerFact } from '../../index.ts';
import type { Inspector } from '../../inspector/server.ts';
import { mutingOf } from '../../store/muting.ts';
import type { Store } from '../../store/store.ts';
import { formatAddress } from '../../wire/socket-address.ts';
import { abortable, untilAborted } from '../abortable.ts';
import { collect, examples, type Run } from '../command.ts';
import { type CommandContext, requireDirectory } from '../context.ts';
import { openIdentity } from '../home/open-home.ts';
import { resolveHostPort, resolveHostPorts } from '../input/host-port.ts';
import { exitCodeOfStop } from '../output/exit-codes.ts';
import { type LastingPeer, openLastingPeer } from '../peer/lasting-peer.ts';
import { offerMetrics } from '../peer/offer-metrics.ts';
import { rateLimited } from '../peer/rate-limit.ts';
import { eventLine, renderEvent, renderWarning } from '../render/event.ts';
import { News } from '../render/news.ts';
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
      'listen here; may be repeated (default: every interface, on the port of the last run)',
      collect,
    )
    .option('--metrics <host:port>', 'serve Prometheus counters here, at /metrics')
    .option('--inspect', 'show the actors in a browser, as "murmure inspect" does')
    .addHelpText('after', examples('serve', 'serve --udp 0.0.0.0:4242 --json'))
    .action((options: ServeOptions) => run((context) => serve(context, options), { bounded: false }));
}

export interface ServeOptions {
  readonly udp?: readonly string[];
  readonly metrics?: string;
  readonly inspect?: boolean;
}

/** Runs until stopped: SIGTERM is how services are stopped, and ends with 0; SIGINT ends with 130. */
export async function serve(context: CommandContext, { udp, metrics, inspect = false }: ServeOptions): Promise<number> {
  const binds = udp === undefined ? {} : { udp: await resolveHostPorts('--udp', udp) };
  const listen = metrics === undefined ? undefined : await resolveHostPort('--metrics', metrics);
  const access = await requireDirectory(context);
  // At the beginning, so that nobody is asked for a passphrase when the front end has ended.
  const identity = await openIdentity(context);
  try {
    await using served = await openLastingPeer(context, {
      ...{ runBy: 'serve' as const, ...binds },
      own: async () => ({ identity, access, ...binds }),
    });
    await using _metrics = listen === undefined ? undefined : await offerMetrics(served.peer, listen);
    await using inspector = inspect ? await inspectRunningPeer(context, served.peer.name) : undefined;
    await runPeer(context, served, inspector?.url);
  } catch (error) {
    if (!context.signal.aborted) throw error;
  }
  return exitCodeOfStop(context.signal);
}

/** How long `serve` prints nothing while it waits for the directory. */
const LISTED_WITHIN_MS = 2_000;
/** BOUNDED: by what happens before the peer is listed, or before it reports that it waits. */
const MAX_EARLY = 1_000;

async function runPeer(context: CommandContext, served: LastingPeer, inspectorUrl?: string): Promise<void> {
  const { nowMs, output, signal } = context;
  const { peer, store } = served;
  // "ready" is the first line, unless it takes long. Events that happen before it are kept until then.
  let isOpen = false;
  const early: Parameters<typeof printEvent>[] = [];
  let report = (...told: Parameters<typeof printEvent>): void => {
    if (early.length < MAX_EARLY) early.push(told);
  };
  const open = () => {
    if (isOpen) return;
    isOpen = true;
    report = (...told) => {
      printEvent(...told);
      const [, fact] = told;
      if (fact.type === 'messages.received') printMentions(context, peer.name, store, fact);
    };
    for (const told of early) report(...told);
  };
  const tellAwaited = () => {
    if (isOpen) return;
    const url = served.directoryUrl;
    const awaited = { event: 'directory.awaited', at: new Date(nowMs()).toISOString(), url };
    output.data(awaited, () => `waiting for the directory at ${url} to list us`);
    open();
  };
  using subscriptions = new DisposableStack();
  const warn = (text: string) => output.warn(text);
  const news = new News();
  const tell = (fact: PeerFact) => {
    const isNews = news.isNews(fact);
    const warning = isNews ? renderWarning(fact) : undefined;
    if (warning !== undefined) warn(warning);
    if (fact.type === 'directory.unreachable') tellAwaited();
    report(context, fact, isNews);
  };
  const patience = setTimeout(tellAwaited, LISTED_WITHIN_MS);
  subscriptions.defer(() => clearTimeout(patience));
  subscriptions.defer(peer.on('*', rateLimited(tell, { nowMs, warn })));
  served.onChange(() => {
    tellWhoRuns(context, served);
    void announce(context, served).catch(() => {});
  });
  if (served.attached !== undefined) tellWhoRuns(context, served);
  await announce(context, served);
  if (inspectorUrl !== undefined) {
    output.data({ event: 'inspector', url: inspectorUrl }, (paint) => `inspector: ${paint('bold', inspectorUrl)}`);
  }
  open();
  await Promise.race([untilAborted(signal), served.failed]);
}

/** Whichever process runs it when the page is opened. */
async function inspectRunningPeer(context: CommandContext, name: string): Promise<Inspector> {
  const { startInspector } = await import('../inspector/announce.ts');
  const { runningPeerSource } = await import('../inspector/run-sources.ts');
  return startInspector(context, { title: `${safeLine(name)} – murmure`, runs: [runningPeerSource(context)] });
}

function tellWhoRuns({ output }: CommandContext, { attached }: LastingPeer): void {
  output.note(
    attached === undefined
      ? 'The front end has ended: serve runs the peer now.'
      : `The front end (process ${attached.status.process}) runs the peer. This is what it does; serve takes over when it ends.`,
  );
}

/** As long as it takes: while the directory is unreachable the peer goes on trying, and says so in facts. */
async function announce({ output, signal }: CommandContext, { peer, failed }: LastingPeer): Promise<void> {
  await abortable(Promise.race([peer.whenListed(signal), failed]), signal);
  const { name, addresses, root } = peer;
  const udp = addresses.map(({ ip, port }) => ({ ip, port }));
  output.data({ event: 'ready', name, udp, root }, (paint) => {
    const where = addresses.map(formatAddress).join(', ');
    return `${paint('green', 'ready')}: ${paint('bold', safeLine(name))} on ${where}, root ${shortHash(root)}`;
  });
}

/** Programs are told what is no news to a person, too. */
function printEvent({ output, settings, nowMs }: CommandContext, fact: PeerFact, isNews: boolean): void {
  // Progress is a line for every few nodes: nobody wants that in a log.
  if (fact.type === 'sync.progressed' && !settings.verbose) return;
  output.data(eventLine(fact, nowMs()), (paint) => (isNews ? renderEvent(fact, paint) : ''));
}

/** A first download brings thousands of messages: only the newest can be news. */
const NEWS = 20;

function printMentions(
  { output, nowMs }: CommandContext,
  ownName: string,
  store: Store,
  { peer, hashes }: Extract<PeerFact, { type: 'messages.received' }>,
): void {
  const atMs = nowMs();
  const at = new Date(atMs).toISOString();
  const why = mutingOf(store, { ownName, nowMs: atMs });
  for (const hash of hashes.slice(-NEWS)) {
    const message = store.message(hash);
    if (message === undefined || !isMentioned(message.body, ownName) || why(message) !== undefined) continue;
    output.data(
      { event: 'message.mention', at, peer, hash },
      (paint) => `${paint('bold', safeLine(peer))} mentions you: murmure thread ${shortHash(hash)}`,
    );
  }
}
