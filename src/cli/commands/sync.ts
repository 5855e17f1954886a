/** `murmure sync`: downloads what is new. */
import type { Command } from 'commander';
import type { SyncReport } from '../../index.ts';
import type { HomePeer } from '../../local-api/home-peer.ts';
import { followedNames } from '../../store/followed.ts';
import type { Store } from '../../store/store.ts';
import { abortable, mapConcurrently } from '../abortable.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { TimedOutError, UsageError } from '../errors.ts';
import { requireName } from '../home/home.ts';
import { withLists } from '../input/peer-lists.ts';
import { proposalFor } from '../input/peer-names.ts';
import { requireAskableName } from '../input/validate.ts';
import { compareSeverity, exitCodeOf } from '../output/exit-codes.ts';
import { openHomePeer } from '../peer/home-peer.ts';
import { notifyAtEnd } from '../peer/notify-arrivals.ts';
import { tellWaiting } from '../peer/tell-waiting.ts';
import { renderSyncReport } from '../render/sync-report.ts';
import { counted, sentenceAbout } from '../render/text.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('sync')
    .summary('download new messages')
    .description(
      'Downloads new messages of these peers, or of everyone you follow. If some fail, it ends with the exit code of the worst failure.',
    )
    .argument('[peer...]', 'whom to ask; @LIST for all of a list (default: everyone you follow)')
    .addHelpText('after', examples('sync', 'sync alice bob --timeout 10', 'sync @friends'))
    .action((names: string[]) => run((context) => sync(context, names)));
}

/** How many peers are asked at a time: enough that a slow one holds nobody up. */
const WIDTH = 16;

/**
 * A line per peer as it is finished. Failures come last, the worst at the very end: the last line then has the error that the exit
 * code stands for.
 */
export async function sync(context: CommandContext, names: readonly string[]): Promise<number> {
  for (const name of names) requireAskableName(name);
  const ownName = await requireName(context.settings.home);
  if (names.includes(ownName)) throw new UsageError(`"${ownName}" is yourself: your own messages are here already`);
  await using session = await openHomePeer(context);
  const { peer, store } = session;
  const wanted = names.length > 0 ? [...new Set(withLists(store, names))] : followedNames(store, ownName);
  if (wanted.length === 0)
    context.output.note('You follow nobody yet: name a peer, or follow one with "murmure follow PEER".');

  await using _news = session.attached === undefined ? notifyAtEnd(context, session) : undefined;
  using _progress = showDownloads(context, peer, new Set(wanted));
  const failed: SyncReport[] = [];
  await mapConcurrently(wanted, WIDTH, async (name) => {
    const report = await syncInTime(context, peer, store, name);
    if (report.status === 'failed') failed.push(proposing(store, report));
    else print(context, report);
  });
  failed.sort((left, right) => compareSeverity(codeOf(left), codeOf(right)));
  for (const report of failed) print(context, report);
  const worst = failed.at(-1);
  return worst === undefined ? 0 : exitCodeOf(codeOf(worst));
}

/** How far the downloads of these are together. */
function showDownloads({ output }: CommandContext, peer: HomePeer, names: ReadonlySet<string>): Disposable {
  const progress = output.progress();
  /** BOUNDED by the names. */
  const underWay = new Map<string, { readonly fetched: number; readonly wanted: number }>();
  const stop = peer.on('*', (fact) => {
    if (fact.type === 'sync.finished') underWay.delete(fact.report.peer);
    if (fact.type !== 'sync.progressed' || !names.has(fact.peer)) return;
    underWay.set(fact.peer, { fetched: fact.nodesFetched, wanted: fact.nodesWanted });
    const sum = (count: (one: { fetched: number; wanted: number }) => number) =>
      underWay.values().reduce((total, one) => total + count(one), 0);
    const fetched = sum((one) => one.fetched);
    const others = underWay.size === 1 ? '' : ` and ${counted(underWay.size - 1, 'other')}`;
    const what = `downloading from ${fact.peer}${others}, ${counted(fetched, 'node')}`;
    progress.tell(what, fetched / (fetched + sum((one) => one.wanted)));
  });
  return {
    [Symbol.dispose]: () => {
      stop();
      progress[Symbol.dispose]();
    },
  };
}

/** As `peer.sync`; time that runs out is a failure of the peer that did not answer. */
async function syncInTime(context: CommandContext, peer: HomePeer, store: Store, name: string): Promise<SyncReport> {
  const { signal } = context;
  try {
    return await tellWaiting(context, peer, name, abortable(peer.sync(name, { signal }), signal));
  } catch (error) {
    if (!(error instanceof TimedOutError)) throw error;
    // The peer is not closed yet, so the download that was given up still runs.
    return {
      ...((await peer.syncUnderWay(name)) ?? notBegun(name, store)),
      status: 'failed',
      error: { code: 'peer-unreachable', message: error.message },
    };
  }
}

/** Its turn had not come. */
function notBegun(peer: string, store: Store): Omit<SyncReport, 'status' | 'error'> {
  const counts = { newMessages: 0, withdrawnMessages: 0, totalMessages: store.peer(peer)?.messages ?? 0 };
  const costs = { nodesFetched: 0, bytesFetched: 0, datagramsSent: 0, retransmissions: 0, durationMs: 0 };
  return { peer, root: null, ...counts, ...costs };
}

/** Adds the name that was probably meant. */
function proposing(store: Store, report: SyncReport): SyncReport {
  const { peer, error } = report;
  if (error === undefined) return report;
  return { ...report, error: { ...error, message: `${error.message}${proposalFor(store, peer, error.code)}` } };
}

function print({ output }: CommandContext, report: SyncReport): void {
  output.data(report, (paint) => renderSyncReport(report, paint));
  if (report.error !== undefined) output.fail(sentenceAbout(report.peer, report.error.message));
}

function codeOf(report: SyncReport): string {
  return report.error?.code ?? 'unexpected';
}
