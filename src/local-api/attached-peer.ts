/** A peer that another process runs, as if it ran here: it is asked over the local API, and what it tells comes over the stream of events. */
import type { SyncReport } from '../../machines/events.ts';
import type { Wish } from '../../machines/wishes.ts';
import type { DirectoryPeer } from '../peer/directory-http.ts';
import { FactListeners } from '../peer/fact-listeners.ts';
import type { Contact, Peer, PeerFact } from '../peer/peer.ts';
import type { DirectoryStanding } from '../peer/status.ts';
import { failureFrom, MurmureError } from '../wire/murmure-error.ts';
import { hasEnded, type LocalApi } from './client.ts';
import { eventLines } from './event-lines.ts';
import { BEAT_MS } from './event-streams.ts';
import type { HomePeer } from './home-peer.ts';
import type { LocalBeat, LocalDealings, LocalStatus } from './schemas.ts';

type Ping = Extract<PeerFact, { type: 'ping.finished' }>;

/** Beats that may be missing. Counted, not timed: after this process was stopped for a while, one is missing, not many. */
const MISSING_BEATS = 3;

/** Takes over `api`, and closes it at the end. @throws MurmureError as `LocalApi` */
export async function attach(api: LocalApi): Promise<AttachedPeer> {
  const stop = new AbortController();
  const stream = await api.events(stop.signal);
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const peer = new AttachedPeer(api, await api.status(), stop);
  void peer.listen(stream, begin);
  await begun;
  return peer;
}

export class AttachedPeer implements HomePeer, AsyncDisposable {
  /** Where it stood when this was attached. */
  readonly status: LocalStatus;
  readonly #listeners = new FactListeners();
  readonly on: Peer['on'] = this.#listeners.on;
  readonly #api: LocalApi;
  readonly #stop: AbortController;
  readonly #end = Promise.withResolvers<MurmureError>();
  #beat: LocalBeat | undefined;
  #ended: MurmureError | undefined;

  constructor(api: LocalApi, status: LocalStatus, stop: AbortController) {
    this.#api = api;
    this.status = status;
    this.#stop = stop;
  }

  get name(): string {
    return this.status.name;
  }

  get publicKey(): string {
    return this.status.publicKey;
  }

  get addresses(): Peer['addresses'] {
    return this.#beat?.addresses ?? this.status.addresses;
  }

  get root(): string {
    return this.#beat?.root ?? this.status.root;
  }

  get sessions(): Peer['sessions'] {
    if (this.#beat === undefined || this.#ended !== undefined) return { outgoing: 0, incoming: 0 };
    return this.#beat.sessions;
  }

  get directory(): DirectoryStanding {
    return this.#beat?.directory ?? this.status.directory;
  }

  get silent(): Peer['silent'] {
    return this.#beat?.silent ?? [];
  }

  get unlisted(): Peer['unlisted'] {
    return this.#beat?.unlisted ?? [];
  }

  get unreachedReaders(): Peer['unreachedReaders'] {
    return this.#beat?.unreachedReaders ?? [];
  }

  get traffic(): Peer['traffic'] {
    return this.#beat?.traffic ?? { received: 0, sent: 0, dropped: {} };
  }

  get ended(): MurmureError | undefined {
    return this.#ended;
  }

  /** Resolves when the other process has ended, or does not answer any more, to what is to be said then. */
  whenEnded(): Promise<MurmureError> {
    return this.#end.promise;
  }

  ask(wish: Wish): void {
    if (this.#ended !== undefined) throw this.#ended;
    const ticket = 'ticket' in wish ? wish.ticket : '';
    // The answer comes with the other facts.
    this.#api.wish(wish).catch((error: unknown) => {
      const failure = failureFrom(error);
      if (ticket !== '') this.#listeners.tell({ type: 'wish.failed', failure, ticket });
      else this.#listeners.tell({ type: 'peer.warning', message: failure.message });
    });
  }

  async sync(name: string, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<SyncReport> {
    const finished = this.#listeners.until<SyncReport>(
      (resolve) => [this.on('sync.finished', ({ report }) => report.peer === name && resolve(report))],
      signal,
    );
    return this.#after({ type: 'sync.wanted', name }, finished);
  }

  /** Asks for its root once, and downloads nothing. @throws as `sync` */
  async ping(name: string, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<Ping> {
    const finished = this.#listeners.until<Ping>(
      (resolve) => [this.on('ping.finished', (fact) => fact.peer === name && resolve(fact))],
      signal,
    );
    return this.#after({ type: 'ping.wanted', name }, finished);
  }

  whenListed(signal?: AbortSignal): Promise<void> {
    if (this.directory.status === 'connected') return Promise.resolve();
    return this.#listeners.until<void>((resolve) => [this.on('peer.listed', () => resolve())], signal);
  }

  directoryPeers(): Promise<DirectoryPeer[]> {
    return this.#api.directoryPeers();
  }

  async contactWith(name: string): Promise<Contact> {
    return (await this.#api.dealings(name)).contact;
  }

  async syncUnderWay(name: string): Promise<(LocalDealings['underWay'] & {}) | undefined> {
    return (await this.#api.dealings(name)).underWay ?? undefined;
  }

  async explain(name: string): Promise<LocalDealings['explanations']> {
    return (await this.#api.dealings(name)).explanations;
  }

  async #after<T>(wish: Wish, finished: Promise<T>): Promise<T> {
    // Whichever fails first is told.
    finished.catch(() => {});
    await this.#api.wish(wish);
    return finished;
  }

  /** The other process goes on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#api.close();
  }

  /** Until the stream ends. `begun` is called once it is known where the peer stands, or that it has ended. */
  async listen(stream: ReadableStream<Uint8Array>, begun: () => void): Promise<void> {
    let missing = 0;
    let why = hasEnded(this.#api.process);
    const timer = setInterval(() => {
      missing += 1;
      if (missing <= MISSING_BEATS) return;
      why = new MurmureError(
        'in-use',
        `the murmure that runs on this home (process ${this.#api.process}) does not answer`,
      );
      this.#stop.abort();
    }, BEAT_MS);
    for await (const line of eventLines(stream)) {
      missing = 0;
      if ('beat' in line) {
        this.#beat = line.beat;
        begun();
      } else this.#listeners.tell(line.fact);
    }
    clearInterval(timer);
    this.#ended = why;
    begun();
    this.#listeners.end(why, why);
    this.#end.resolve(why);
  }
}
