/**
 * Looks peers up at a directory, many at a time (protocol §3): names that are asked for in the same turn of the event loop, or
 * while earlier requests are under way, go together. A directory that cannot answer for several names at once is asked
 * name by name, at a pace that it allows, and not at all for names that its list does not contain.
 */
import { type Clock, nextTurn } from '../runtime/clock.ts';
import { TokenBuckets } from '../runtime/token-buckets.ts';
import { MurmureError } from '../wire/murmure-error.ts';
import type { DirectoryPeer } from './directory-answers.ts';
import { fitting } from './names-in-url.ts';

/** How a directory is asked. Each rejects with a MurmureError. */
export interface LookUpRoutes {
  /** What is said of these names; those left out are not known. Undefined: the directory does not answer for several names. */
  several(names: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Answer> | undefined>;
  one(name: string, signal: AbortSignal): Promise<Answer>;
  /** The names listed now. */
  names(signal: AbortSignal): Promise<readonly string[]>;
}

/** Undefined: not known. An error: the directory said something unusable about this one name. */
export type Answer = DirectoryPeer | MurmureError | undefined;

interface Asker {
  resolve(answer: DirectoryPeer | undefined): void;
  reject(error: unknown): void;
}

interface LookUp {
  readonly name: string;
  /** BOUNDED by the calls that wait for this name. */
  readonly askers: Set<Asker>;
  /** The request that is under way. */
  request: Request | undefined;
}

interface Request {
  readonly lookUps: readonly LookUp[];
  readonly controller: AbortController;
}

/** Of the eight connections to a directory; the others are for what else it is asked. */
const MAX_REQUESTS = 4;
/** Of so many names, a list tells first which ones need asking about. */
const LIST_FROM = 16;
/** Of requests for one name: below what our own directory allows, which is 100 a second. */
const PACE = { perSecond: 20, burst: 100 };

export class DirectoryLookUps {
  readonly #routes: LookUpRoutes;
  readonly #clock: Clock;
  readonly #pace = new TokenBuckets(PACE);
  /** All that are not answered yet, by name. BOUNDED by the calls under way: followed peers, and strangers (key-finder.ts). */
  readonly #lookUps = new Map<string, LookUp>();
  /** Those of them that no request is under way for, in the order of asking. */
  readonly #waiting = new Set<LookUp>();
  /** As above, of names that must be asked about one by one. */
  readonly #single = new Set<LookUp>();
  /** Whether the directory answers for several names; undefined as long as nobody knows. */
  #takesSeveral: boolean | undefined;
  #requests = 0;
  #isScheduled = false;

  constructor(routes: LookUpRoutes, clock: Clock) {
    this.#routes = routes;
    this.#clock = clock;
  }

  /**
   * Undefined: not known. `isSingle`: the directory is known to answer for one name at a time, and to list this one.
   * @throws MurmureError; what the signal was aborted with
   */
  async peer(
    name: string,
    { signal, isSingle = false }: { signal?: AbortSignal | undefined; isSingle?: boolean } = {},
  ): Promise<DirectoryPeer | undefined> {
    signal?.throwIfAborted();
    if (isSingle) this.#takesSeveral ??= false;
    const lookUp = this.#lookUps.get(name) ?? this.#add(name, isSingle ? this.#single : this.#waiting);
    const { promise, ...asker } = Promise.withResolvers<DirectoryPeer | undefined>();
    const giveUp = () => {
      lookUp.askers.delete(asker);
      if (lookUp.askers.size === 0) this.#drop(lookUp);
      asker.reject(signal?.reason);
    };
    lookUp.askers.add(asker);
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      return await promise;
    } finally {
      signal?.removeEventListener('abort', giveUp);
    }
  }

  #add(name: string, table: Set<LookUp>): LookUp {
    const lookUp: LookUp = { name, askers: new Set(), request: undefined };
    this.#lookUps.set(name, lookUp);
    table.add(lookUp);
    this.#schedule();
    return lookUp;
  }

  #drop(lookUp: LookUp): void {
    this.#lookUps.delete(lookUp.name);
    this.#waiting.delete(lookUp);
    this.#single.delete(lookUp);
    const { request } = lookUp;
    if (request?.lookUps.every(({ askers }) => askers.size === 0)) request.controller.abort();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    void nextTurn(this.#clock).then(() => {
      this.#isScheduled = false;
      this.#start();
    });
  }

  #start(): void {
    // One request finds out what the directory can do.
    const limit = this.#takesSeveral === undefined ? 1 : MAX_REQUESTS;
    while (this.#requests < limit && this.#waiting.size + this.#single.size > 0) {
      this.#requests += 1;
      void this.#next().finally(() => {
        this.#requests -= 1;
        this.#schedule();
      });
    }
  }

  #next(): Promise<void> {
    if (this.#takesSeveral !== false && this.#waiting.size > 0) {
      const lookUps = this.#takeSeveral();
      return lookUps.length === 1 ? this.#askOne(lookUps) : this.#askSeveral(lookUps);
    }
    if (this.#waiting.size >= LIST_FROM) return this.#askForNames(take(this.#waiting, this.#waiting.size));
    return this.#askPaced();
  }

  #takeSeveral(): LookUp[] {
    return take(this.#waiting, fitting(this.#waiting.values().map(({ name }) => name)));
  }

  #askSeveral(lookUps: readonly LookUp[]): Promise<void> {
    return this.#ask(lookUps, async (signal) => {
      const names = lookUps.map(({ name }) => name);
      const found = await this.#routes.several(names, signal);
      if (found === undefined) {
        // A directory that has answered for several names before dislikes one of these.
        this.#takesSeveral ??= false;
        putBack(this.#takesSeveral ? this.#single : this.#waiting, lookUps);
        return;
      }
      this.#takesSeveral = true;
      for (const lookUp of lookUps) this.#settle(lookUp, found.get(lookUp.name));
    });
  }

  /** A name that is not listed cannot be looked up either (protocol §3). */
  #askForNames(lookUps: readonly LookUp[]): Promise<void> {
    return this.#ask(lookUps, async (signal) => {
      const listed = new Set(await this.#routes.names(signal));
      putBack(
        this.#single,
        lookUps.filter(({ name }) => listed.has(name)),
      );
      for (const lookUp of lookUps) if (!listed.has(lookUp.name)) this.#settle(lookUp, undefined);
    });
  }

  #askPaced(): Promise<void> {
    const waitS = this.#pace.take('', this.#clock.monotonicNow());
    if (waitS === 0) return this.#askOne(take(this.#single.size > 0 ? this.#single : this.#waiting, 1));
    return new Promise((resolve) => this.#clock.setTimeout(resolve, Math.ceil(waitS * 1000)));
  }

  #askOne(lookUps: readonly LookUp[]): Promise<void> {
    return this.#ask(lookUps, async (signal) => {
      for (const lookUp of lookUps) this.#settle(lookUp, await this.#routes.one(lookUp.name, signal));
    });
  }

  async #ask(lookUps: readonly LookUp[], ask: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const request = { lookUps, controller: new AbortController() };
    for (const lookUp of lookUps) lookUp.request = request;
    try {
      await ask(request.controller.signal);
    } catch (error) {
      for (const lookUp of lookUps) this.#settle(lookUp, error);
      // What waits for the same directory would fail in the same way, only later.
      if (error instanceof MurmureError && error.code === 'directory-unreachable') {
        for (const lookUp of [...this.#waiting, ...this.#single]) this.#settle(lookUp, error);
      }
    }
  }

  #settle(lookUp: LookUp, answer: unknown): void {
    const askers = [...lookUp.askers];
    lookUp.askers.clear();
    lookUp.request = undefined;
    this.#drop(lookUp);
    for (const { resolve, reject } of askers) {
      if (answer instanceof Error) reject(answer);
      else resolve(answer as DirectoryPeer | undefined);
    }
  }
}

/** Takes the first ones out. */
function take(lookUps: Set<LookUp>, count: number): LookUp[] {
  const taken = [...lookUps.values().take(count)];
  for (const lookUp of taken) lookUps.delete(lookUp);
  return taken;
}

/** Those that somebody still waits for. */
function putBack(lookUps: Set<LookUp>, again: readonly LookUp[]): void {
  for (const lookUp of again) {
    lookUp.request = undefined;
    if (lookUp.askers.size > 0) lookUps.add(lookUp);
  }
}
