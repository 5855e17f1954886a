/**
 * `murmure watch`: messages as they arrive. Whoever downloads them, they come through the store, which is asked four times a second what
 * has arrived since. Beside a running `serve` that is all; else a peer of its own downloads, without registering: others then push new
 * roots over the sessions that it opens, and it asks once a minute besides.
 */

import { setTimeout } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Peer } from '../../index.ts';
import { followedNames } from '../../store/followed.ts';
import type { ArrivalMark, Store } from '../../store/store.ts';
import { examples, type Run } from '../command.ts';
import { type CommandContext, requireDirectory } from '../context.ts';
import { HomeInUseError } from '../errors.ts';
import type { Home } from '../home/home.ts';
import { openStore } from '../home/open-home.ts';
import { lockHome } from '../home/serve-lock.ts';
import { requireAskableName } from '../input/validate.ts';
import { wantedAuthors } from '../messages/authors.ts';
import { printMessages } from '../messages/print-messages.ts';
import { exitCodeOfStop } from '../output/exit-codes.ts';
import { openPeer } from '../peer/one-shot-peer.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('watch')
    .summary('print messages as they arrive')
    .description(
      'Prints messages as they arrive, until you stop it. If "murmure serve" is running, it shows what that downloads; otherwise it downloads by itself.',
    )
    .argument('[peer...]', 'only messages of these peers (default: everyone you have not muted)')
    .addHelpText('after', examples('watch', 'watch alice --json'))
    .action((peers: string[]) => run((context) => watch(context, peers), { bounded: false }));
}

const LOOK_EVERY_MS = 250;
const ASK_EVERY_MS = 60_000;
const BATCH = 500;

/** Runs until stopped, and ends as `serve` does. */
export async function watch(context: CommandContext, names: readonly string[]): Promise<number> {
  for (const name of names) requireAskableName(name);
  await using resources = new AsyncDisposableStack();
  const { name: ownName, store } = await openStore(context.settings.home);
  resources.use(store);
  const others = names.filter((name) => name !== ownName);
  const followed = followedNames(store, ownName);
  const unfollowed = others.filter((name) => !followed.includes(name));
  if (names.length === 0 && followed.length === 0) {
    context.output.note('You follow nobody yet: name a peer, or follow one with "murmure follow PEER".');
  }

  let last = store.lastArrival();
  if (isServed(context.settings.home)) {
    for (const name of unfollowed) {
      context.output.warn(`you do not follow "${name}": its messages only arrive when you sync with it, or follow it`);
    }
  } else {
    resources.use(await downloadMeanwhile(context, ownName, others));
  }
  while (!context.signal.aborted) {
    last = showArrived(context, store, { last, ownName, names });
    // An abort ends the wait early, which is not an error here.
    await setTimeout(LOOK_EVERY_MS, undefined, { signal: context.signal }).catch(() => {});
  }
  showArrived(context, store, { last, ownName, names });
  return exitCodeOfStop(context.signal);
}

/** Whether a `serve` has the lock of this home. */
function isServed(home: Home): boolean {
  try {
    lockHome(home)[Symbol.dispose]();
    return false;
  } catch (error) {
    if (error instanceof HomeInUseError) return true;
    throw error;
  }
}

/** A peer that downloads from those who are followed, and from `others`, until it is disposed of. */
async function downloadMeanwhile(
  context: CommandContext,
  ownName: string,
  others: readonly string[],
): Promise<AsyncDisposable> {
  await using resources = new AsyncDisposableStack();
  const session = resources.use(await openPeer(context, await requireDirectory(context)));
  const { peer, store } = session;
  const failures = new Map<string, string>();
  const ask = () => {
    for (const name of new Set([...followedNames(store, ownName), ...others]))
      void download(context, peer, name, failures);
  };
  ask();
  const timer = setInterval(ask, ASK_EVERY_MS);
  resources.defer(() => clearInterval(timer));
  const kept = resources.move();
  return { [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** What fails is said once, and again when something else fails. */
async function download(
  { output, signal }: CommandContext,
  peer: Peer,
  name: string,
  failures: Map<string, string>,
): Promise<void> {
  try {
    const { error } = await peer.sync(name, { signal });
    if (error === undefined) failures.delete(name);
    else if (failures.get(name) !== error.code) {
      failures.set(name, error.code);
      output.warn(`${name}: ${error.message}`);
    }
  } catch {
    // The run ends, and the peer with it.
  }
}

interface Watched {
  /** How far what arrives was looked at. */
  readonly last: ArrivalMark;
  readonly ownName: string;
  readonly names: readonly string[];
}

/** Prints what has come; returns from where to look next time. */
function showArrived(context: CommandContext, store: Store, { last, ownName, names }: Watched): ArrivalMark {
  let seen = last;
  for (;;) {
    const arrived = store.arrivalsAfter(seen, BATCH);
    seen = arrived.mark;
    if (arrived.messages.length === 0) return seen;
    const authors = audible(store, ownName, names);
    const messages = arrived.messages.filter(({ author }) => authors?.includes(author) ?? true);
    printMessages(context, { name: ownName, store }, messages);
  }
}

/** Those who are named need not be known yet. */
function audible(store: Store, ownName: string, names: readonly string[]): readonly string[] | undefined {
  return names.length > 0 ? names : wantedAuthors(store, ownName, []);
}
