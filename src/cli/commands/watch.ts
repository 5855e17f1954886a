/**
 * `murmure watch`: messages as they arrive. Whoever downloads them, they come through the store, which is asked four times a second what
 * has arrived since. They are downloaded by the peer that runs on this home; where there is none, by one that does not register: others
 * then push new roots over the sessions that it opens, and it asks once a minute besides.
 */

import { statSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import type { Command } from 'commander';
import type { HomePeer } from '../../local-api/home-peer.ts';
import { followedNames } from '../../store/followed.ts';
import { mutingOf } from '../../store/muting.ts';
import type { ArrivalMark, Store, StoredMessage } from '../../store/store.ts';
import { failureFrom } from '../../wire/murmure-error.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { openStore } from '../home/open-home.ts';
import { withLists } from '../input/peer-lists.ts';
import { requireAskableName } from '../input/validate.ts';
import { wantedAuthors } from '../messages/authors.ts';
import { printMessages } from '../messages/print-messages.ts';
import { exitCodeOfStop } from '../output/exit-codes.ts';
import { type OpenedPeer, openHomePeer } from '../peer/home-peer.ts';
import { notifyArrivals } from '../peer/notify-arrivals.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('watch')
    .summary('print messages as they arrive')
    .description(
      'Prints messages as they arrive, until you stop it. If murmure is running on this home, it shows what the running peer downloads; otherwise it downloads by itself. With --timeout, it ends after that time.',
    )
    .argument(
      '[peer...]',
      'only messages of these peers; @LIST for all of a list (default: everyone you have not muted)',
    )
    .addHelpText('after', examples('watch', 'watch alice --json', 'watch @friends', 'watch --timeout 60'))
    .action((peers: string[]) => run((context) => watch(context, peers), { bounded: false }));
}

const LOOK_EVERY_MS = 250;
const ASK_EVERY_MS = 60_000;
const BATCH = 500;

/** Runs until stopped, and ends as `serve` does; or as long as --timeout says, which is no failure. */
export async function watch(stopped: CommandContext, named: readonly string[]): Promise<number> {
  const context = { ...stopped, signal: AbortSignal.any([stopped.signal, ...timeUp(stopped)]) };
  for (const name of named) requireAskableName(name);
  await using resources = new AsyncDisposableStack();
  const { name: ownName, store } = await openStore(context.settings.home);
  resources.use(store);
  const names = withLists(store, named);
  const others = names.filter((name) => name !== ownName);
  const followed = followedNames(store, ownName);
  if (names.length === 0 && followed.length === 0) {
    context.output.note('You follow nobody yet: name a peer, or follow one with "murmure follow PEER".');
  }

  let last = store.lastArrival();
  const downloads = resources.use(await Downloads.begin(context, others));
  while (!context.signal.aborted) {
    last = showArrived(context, store, { last, ownName, names });
    await downloads.goOn();
    // An abort ends the wait early, which is not an error here.
    await setTimeout(LOOK_EVERY_MS, undefined, { signal: context.signal }).catch(() => {});
  }
  showArrived(context, store, { last, ownName, names });
  return stopped.signal.aborted ? exitCodeOfStop(stopped.signal) : 0;
}

/** A limit that the settings give to all commands is not meant for one that runs until it is stopped. */
function timeUp({ settings: { timeoutMs, origins } }: CommandContext): AbortSignal[] {
  const isAsked = origins.some(({ setting, from }) => setting === 'timeout' && from === 'flag');
  return isAsked && timeoutMs !== undefined ? [AbortSignal.timeout(timeoutMs)] : [];
}

/** The peer that downloads meanwhile: the one that runs on this home, or one that is opened here as long as there is none. */
class Downloads implements AsyncDisposable {
  readonly #context: CommandContext;
  readonly #others: readonly string[];
  readonly #failures = new Map<string, string>();
  #session: OpenedPeer | undefined;
  #news: Disposable | undefined;
  /** Of the file that tells where the running peer is. */
  #fileMs = 0;
  #askedMs = Number.NEGATIVE_INFINITY;

  /** `others`: those who are wanted, followed or not. */
  static async begin(context: CommandContext, others: readonly string[]): Promise<Downloads> {
    const downloads = new Downloads(context, others);
    await downloads.#open();
    return downloads;
  }

  private constructor(context: CommandContext, others: readonly string[]) {
    this.#context = context;
    this.#others = others;
  }

  /** Asks everybody once a minute, and changes to another peer where one began or ended. */
  async goOn(): Promise<void> {
    const isOver = this.#session?.attached?.ended !== undefined || this.#fileMs !== this.#lookAtFile();
    if (isOver) await this.#close();
    const nowMs = performance.now();
    if (!isOver && nowMs - this.#askedMs < ASK_EVERY_MS) return;
    this.#askedMs = nowMs;
    try {
      const { peer, store, attached } = this.#session ?? (await this.#open());
      // A running peer asks those who are followed by itself.
      const followed = followedNames(store, peer.name);
      const wanted = attached === undefined ? [...followed, ...this.#others] : this.#others;
      for (const name of new Set(wanted)) {
        if (attached === undefined || !followed.includes(name))
          void download(this.#context, peer, name, this.#failures);
      }
    } catch (error) {
      // Tried again in a minute; what has arrived is shown meanwhile.
      if (!this.#context.signal.aborted) this.#context.output.warn(failureFrom(error).message);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  async #open(): Promise<OpenedPeer> {
    this.#fileMs = this.#lookAtFile();
    const session = await openHomePeer(this.#context);
    const { output } = this.#context;
    this.#session = session;
    // A running peer runs the command itself.
    if (session.attached === undefined)
      this.#news = notifyArrivals(this.#context, { ...session, warn: (text) => output.warn(text), isOurs: () => true });
    return session;
  }

  async #close(): Promise<void> {
    this.#news?.[Symbol.dispose]();
    this.#news = undefined;
    await this.#session?.[Symbol.asyncDispose]();
    this.#session = undefined;
  }

  #lookAtFile(): number {
    return statSync(this.#context.settings.home.localApiFile, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  }
}

/** What fails is said once, and again when something else fails. */
async function download(
  { output, signal }: CommandContext,
  peer: HomePeer,
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
    const nowMs = context.nowMs();
    const authors = audible(store, { ownName, names, nowMs });
    const why = mutingOf(store, { ownName, nowMs });
    const isHeard = (message: StoredMessage) => {
      const muting = why(message);
      return muting === undefined || (muting.by === 'peer' && names.includes(message.author));
    };
    const messages = arrived.messages.filter(
      (message) => (authors?.includes(message.author) ?? true) && isHeard(message),
    );
    printMessages(context, { name: ownName, store }, messages);
  }
}

/** Those who are named need not be known yet. */
function audible(
  store: Store,
  { ownName, names, nowMs }: Pick<Watched, 'ownName' | 'names'> & { readonly nowMs: number },
): readonly string[] | undefined {
  return names.length > 0 ? names : wantedAuthors(store, { ownName, named: [], nowMs });
}
