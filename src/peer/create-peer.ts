/** A running peer: what starts and ends with it, and the calls that a program makes on it. */
import { actorId } from '../../machines/actor-ids.ts';
import { establishedIn } from '../../machines/contacts.ts';
import type { HistoryCheck, OwnHistory, SyncReport } from '../../machines/events.ts';
import { silentIn, unlistedIn, unreachedReadersIn } from '../../machines/peer-context.ts';
import type { PeerFact as MachineFact, NetworkChange, PeerEvent } from '../../machines/peer-events.ts';
import type { SocketContext } from '../../machines/socket.machine.ts';
import { limits, timing } from '../../machines/timing.ts';
import type { Wish } from '../../machines/wishes.ts';
import { type Message, toMessage } from '../feed/message.ts';
import type { PublicKey } from '../identity/public-key.ts';
import type { Line } from '../inspector/lines.ts';
import { tellStored } from '../inspector/stored-lines.ts';
import { Watcher } from '../inspector/watcher.ts';
import type { Explainer, Explanation } from '../journal/explain.ts';
import type { Recorder } from '../journal/recorder.ts';
import { actorsFrom, pathOf } from '../runtime/actor-tree.ts';
import type { Clock } from '../runtime/clock.ts';
import { ElapsedTime } from '../runtime/elapsed-time.ts';
import type { Gate } from '../runtime/gate.ts';
import { every } from '../runtime/interval.ts';
import { type ObservedNetwork, observeNetwork } from '../runtime/network-observer.ts';
import { SocketBank } from '../runtime/socket-bank.ts';
import { blockedNames } from '../store/blocked.ts';
import { followedNames } from '../store/followed.ts';
import { audibleMessages, mutingOf } from '../store/muting.ts';
import type { MessageQuery, Store } from '../store/store.ts';
import { timelineAuthors } from '../store/timeline-authors.ts';
import { BULK_FLAG } from '../wire/bulk.ts';
import type { Hash } from '../wire/hash.ts';
import { MurmureError } from '../wire/murmure-error.ts';
import { parseAddress, type SocketAddress, sameAddress } from '../wire/socket-address.ts';
import { contactIn } from './contact.ts';
import type { DirectoryHttp, DirectoryPeer } from './directory-http.ts';
import { FactListeners } from './fact-listeners.ts';
import { checkHistories } from './history-checks.ts';
import { ownHistory } from './own-history.ts';
import type { Contact, Peer, PeerFact, PeerOptions, Traffic } from './peer.ts';
import type { Outside } from './peer-dependencies.ts';
import { createRootActor } from './root-actor.ts';
import { type DirectoryStanding, directoryStanding, type PeerStatus, statusIn } from './status.ts';
import { StoreWatch } from './store-watch.ts';
import { Surroundings } from './surroundings.ts';
import { SyncReports } from './sync-reports.ts';
import { publish } from './wishes.ts';

const DEFAULT_BINDS = ['0.0.0.0:0', '[::]:0'];
/** After which something else may be due next. */
const SCHEDULE_FACTS: ReadonlySet<PeerFact['type']> = new Set(['message.scheduled', 'message.unscheduled']);

/**
 * Starts a peer (protocol §5); resolves once its sockets are bound. It does not need Node.js, so it also runs in a browser.
 * @throws MurmureError `usage` for an address that is none; `unexpected` for one that cannot be bound
 */
export async function createPeerIn(outside: Outside, options: PeerOptions): Promise<Peer> {
  const peer = new RunningPeer(outside, options);
  try {
    await peer.whenBound();
  } catch (error) {
    await peer.close();
    throw error;
  }
  return peer;
}

class RunningPeer implements Peer {
  readonly name: string;
  readonly publicKey: PublicKey;
  readonly #store: Store;
  readonly #http: DirectoryHttp;
  /** Wall time: what people read, and what the store keeps. */
  readonly #clock: Clock;
  /** Time for intervals: all that the machines know. */
  readonly #time: ElapsedTime;
  readonly #reports: SyncReports;
  readonly #observed: ObservedNetwork;
  readonly #sockets: SocketBank;
  readonly #surroundings: Surroundings;
  readonly #storeWatch: StoreWatch;
  readonly #gate: Gate;
  readonly #recorder: Recorder | undefined;
  readonly #explainer: Explainer | undefined;
  readonly #actor;
  readonly #flush: () => void;
  readonly #listeners = new FactListeners();
  readonly on = this.#listeners.on;
  readonly #stops: (() => void)[] = [];
  readonly #binds: readonly SocketAddress[];
  readonly #bound = new Map<number, SocketAddress>();
  readonly #publishes: boolean;
  /** Nobody learns the root before it was asked whether it knows a later one. */
  readonly #isGuarded: boolean;
  readonly #givenUp: number;
  #stopped: MurmureError | undefined;
  #root: Hash;
  #historyCheck: Promise<readonly HistoryCheck[]> | undefined;
  #isListed = false;
  #failure: MurmureError | undefined;
  #isClosed = false;

  constructor(outside: Outside, options: PeerOptions) {
    const { name, keyPair, store } = options;
    this.name = name;
    this.publicKey = keyPair.publicKey;
    this.#store = store;
    this.#clock = outside.clock;
    this.#time = new ElapsedTime(this.#clock);
    this.#reports = new SyncReports(() => this.#time.now(), store);
    this.#observed = observeNetwork(outside.network, () => this.#clock.monotonicNow());
    const { network } = this.#observed;
    this.#http = outside.http;
    this.#sockets = new SocketBank(network, options.preferredPorts);
    this.#binds = (options.udp ?? DEFAULT_BINDS).map(parseBind);
    this.#surroundings = new Surroundings(network, this.#time, this.#binds, (why, localIps) =>
      this.#networkChanged(why, localIps),
    );
    this.#storeWatch = new StoreWatch({
      name,
      store,
      clock: this.#clock,
      time: this.#time,
      snapshot: () => this.#actor.getSnapshot(),
      announce: (root) => this.#announce(root),
      submit: (event) => this.#submit(event),
      warn: (message) => this.#tell({ type: 'peer.warning', message }),
    });
    this.#root = store.ownFeed().root;
    this.#publishes = options.publish ?? true;
    this.#isGuarded = this.#publishes && options.guarded === true;
    this.#givenUp = options.givenUp ?? 0;
    const register = options.register ?? true;
    const blocked = blockedNames(store);
    const input = {
      name,
      root: this.#publishes ? this.#root : undefined,
      guardedKey: this.#isGuarded && register ? keyPair.publicKey : undefined,
      history: this.#history(),
      binds: this.#binds,
      flags: options.bulk === false ? 0 : BULK_FLAG,
      following: followedNames(store, name),
      register,
      quota: options.quota ?? limits.messageQuota,
      formerReaders: store.readersSince(this.#clock.now() - timing.readerMemory, this.#clock.now()),
      ...(blocked.length > 0 && { blocked }),
    };
    const { actor, gate, recorder, explainer, flush } = createRootActor({
      outside,
      options,
      time: this.#time,
      input,
      sockets: this.#sockets,
      tell: (fact) => this.#tell(fact),
      announce: (root) => this.#announceAnew(root, true),
      localIps: () => this.#surroundings.localIps(),
    });
    this.#actor = actor;
    this.#gate = gate;
    this.#recorder = recorder;
    this.#explainer = explainer;
    this.#flush = flush;
    this.#actor.on('*', (fact) => this.#pass(fact));
    this.#actor.subscribe({
      error: (error) => {
        this.#failure = new MurmureError('unexpected', `the peer broke down: ${String(error)}`);
        this.#release();
      },
      complete: () => this.#release(),
    });
    this.#stops.push(every(this.#clock, timing.sweepInterval, () => this.#sweep()));
    this.#stops.push(every(this.#clock, timing.clockCheck, () => this.#surroundings.lookAtClock()));
    this.#stops.push(this.#storeWatch.start());
    this.#actor.start();
    this.#submit({
      type: 'network.changed',
      why: 'start',
      localIps: this.#surroundings.localIps(),
      atMs: this.#time.now(),
    });
    this.#storeWatch.lookAtSchedule();
  }

  get addresses(): readonly SocketAddress[] {
    return [...this.#bound].sort(([a], [b]) => a - b).map(([, address]) => address);
  }

  get root(): Hash {
    return this.#root;
  }

  get sessions(): { outgoing: number; incoming: number } {
    const { contacts } = this.#actor.getSnapshot().context;
    return { outgoing: establishedIn(contacts).length, incoming: contacts.incomingCount };
  }

  get directory(): DirectoryStanding {
    return directoryStanding(this.#actor.getSnapshot(), (atMs) => this.#toWall(atMs));
  }

  get silent(): readonly string[] {
    return silentIn(this.#actor.getSnapshot().context);
  }

  get unlisted(): readonly string[] {
    return unlistedIn(this.#actor.getSnapshot().context);
  }

  get unreachedReaders(): readonly string[] {
    return unreachedReadersIn(this.#actor.getSnapshot().context);
  }

  status(): PeerStatus {
    const toWall = (atMs: number) => this.#toWall(atMs);
    return statusIn(this.#actor.getSnapshot(), { store: this.#store, reports: this.#reports, toWall });
  }

  get actors(): string[] {
    return actorsFrom(this.#actor).map(pathOf).sort();
  }

  get traffic(): Traffic {
    const { children } = this.#actor.getSnapshot();
    const dropped: Record<string, number> = {};
    for (const index of this.#binds.keys()) {
      const context = children[actorId.socket(index)]?.getSnapshot().context as SocketContext | undefined;
      for (const [why, count] of Object.entries(context?.dropped ?? {})) dropped[why] = (dropped[why] ?? 0) + count;
    }
    return { ...this.#sockets.counts, dropped };
  }

  /** Rejects with what the first socket that cannot be bound says. */
  whenBound(): Promise<void> {
    if (this.#bound.size >= this.#binds.length) return Promise.resolve();
    return this.#listeners.until<void>((resolve, reject) => [
      this.on('socket.bound', () => this.#bound.size >= this.#binds.length && resolve()),
      this.on('socket.failed', ({ why }) => reject(new MurmureError('unexpected', why))),
    ]);
  }

  whenListed(signal?: AbortSignal): Promise<void> {
    if (this.#isListed) return Promise.resolve();
    const { failure } = this.directory;
    if (failure?.code === 'authentication') return Promise.reject(new MurmureError(failure.code, failure.message));
    return this.#listeners.until<void>(
      (resolve, reject) => [
        this.on('peer.listed', () => resolve()),
        this.on('directory.unreachable', ({ failure }) => {
          if (failure.code === 'authentication') reject(new MurmureError(failure.code, failure.message));
        }),
      ],
      signal,
    );
  }

  post(text: string, { inReplyTo }: { readonly inReplyTo?: Hash | undefined } = {}): { hash: Hash; root: Hash } {
    if (this.#stopped !== undefined) throw this.#stopped;
    const here = { name: this.name, store: this.#store, clock: this.#clock };
    const published = publish(here, { text, inReplyTo: inReplyTo ?? null });
    this.#tell({ type: 'message.published', ...published, ticket: '' });
    return published;
  }

  sync(name: string, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<SyncReport> {
    const finished = this.#listeners.until<SyncReport>(
      (resolve) => [this.on('sync.finished', ({ report }) => report.peer === name && resolve(report))],
      signal,
    );
    this.#submit({ type: 'sync.wanted', name, atMs: this.#time.now() });
    return finished;
  }

  syncUnderWay(name: string): Omit<SyncReport, 'status' | 'error'> | undefined {
    return this.#reports.underWay(this.#actor.getSnapshot(), name);
  }

  contactWith(name: string): Contact {
    return contactIn(this.#actor.getSnapshot(), name);
  }

  checkHistory(): Promise<readonly HistoryCheck[]> {
    this.#historyCheck ??= this.#checkHistory().finally(() => {
      this.#historyCheck = undefined;
    });
    return this.#historyCheck;
  }

  directoryPeers(signal?: AbortSignal): Promise<DirectoryPeer[]> {
    return this.#http.peers(signal);
  }

  watch(tell: (line: Line) => void): () => void {
    const watcher = new Watcher(tell);
    tell(['run', { murmure: 'run', name: this.name, root: 'peer', startedAtMs: this.#time.now(), isLive: true }]);
    watcher.begin(this.#actor, this.#time.now());
    const stopTelling = tellStored(this, tell);
    const watching = this.#actor.system.inspect((event) => watcher.inspect(event, this.#time.now()));
    return () => {
      stopTelling();
      watching.unsubscribe();
    };
  }

  explain(name: string): readonly Explanation[] {
    return this.#explainer?.explain(this.#actor, name, this.#time.now()) ?? [];
  }

  hello(address: SocketAddress): void {
    this.#submit({ type: 'hello.wanted', address, atMs: this.#time.now() });
  }

  follow(name: string): void {
    this.ask({ type: 'follow.wanted', name, following: true, ticket: '' });
  }

  unfollow(name: string): void {
    this.ask({ type: 'follow.wanted', name, following: false, ticket: '' });
  }

  mute(name: string): void {
    this.ask({ type: 'mute.wanted', name, muted: true, ticket: '' });
  }

  unmute(name: string): void {
    this.ask({ type: 'mute.wanted', name, muted: false, ticket: '' });
  }

  withdraw(hash: Hash): Promise<{ readonly root: Hash }> {
    const ticket = `withdraw.${crypto.randomUUID()}`;
    const answered = this.#listeners.until<{ readonly root: Hash }>((resolve, reject) => [
      this.on('message.withdrawn', (fact) => fact.ticket === ticket && resolve({ root: fact.root })),
      this.on('wish.failed', ({ ticket: failed, failure }) => {
        if (failed === ticket) reject(new MurmureError(failure.code, failure.message));
      }),
    ]);
    if (!this.#isClosed) this.ask({ type: 'withdrawal.wanted', hash, ticket });
    return answered;
  }

  messages(query?: MessageQuery): readonly Message[] {
    const nowMs = this.#clock.now();
    return this.#store.messages(query).map((kept) => toMessage(kept, nowMs));
  }

  timeline(query?: Omit<MessageQuery, 'authors'>): readonly Message[] {
    const nowMs = this.#clock.now();
    const wanted = { limit: 50, ...query, authors: timelineAuthors(this.#store, this.name, nowMs) };
    const why = mutingOf(this.#store, { ownName: this.name, nowMs });
    return audibleMessages(this.#store, wanted, why).messages.map((kept) => toMessage(kept, nowMs));
  }

  ask(wish: Wish): void {
    if (this.#isClosed) throw this.#failure ?? new MurmureError('interrupted', 'the peer is closed');
    this.#submit({ ...wish, atMs: this.#time.now() });
  }

  trust(name: string, key: PublicKey, { unsigned = false }: { readonly unsigned?: boolean | undefined } = {}): void {
    this.#store.repinKey(name, key, this.#clock.now());
    if (unsigned) this.#store.setTrustUnsigned(name, key, true);
    this.#trustChanged(name);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    try {
      this.#recorder?.end(this.#actor);
    } finally {
      this.#actor.send({ type: 'peer.stop' });
      this.#release();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** What was noted in time for intervals, as people read it. */
  #toWall(atMs: number): number {
    return atMs - this.#time.now() + this.#clock.now();
  }

  #submit(event: PeerEvent): void {
    this.#gate.submit(this.#actor, event);
  }

  /** Everything that is due, once this machine's clocks and addresses were looked at: it may just have woken up. */
  #sweep(): void {
    this.#surroundings.look();
    this.#submit({ type: 'sweep', atMs: this.#time.now() });
  }

  #networkChanged(why: NetworkChange, localIps: readonly string[]): void {
    this.#submit({ type: 'network.changed', why, localIps, atMs: this.#time.now() });
    // It is due at a time of day, and the day has moved.
    this.#storeWatch.lookAtSchedule(true);
  }

  async #checkHistory(): Promise<readonly HistoryCheck[]> {
    // Called by a listener: what it has asked for before comes first, and the actors are at rest.
    await null;
    const names = this.#actor.getSnapshot().context.following;
    const history = ownHistory(this.#store, this.name);
    return checkHistories(
      { names, history, atMs: () => this.#time.now() },
      {
        http: this.#http,
        listeners: this.#listeners,
        submit: (event) => this.#submit(event),
        tell: (fact) => this.#tell(fact),
      },
    );
  }

  #history(): OwnHistory | undefined {
    return this.#isGuarded ? ownHistory(this.#store, this.name, this.#givenUp) : undefined;
  }

  #trustChanged(name: string): void {
    this.#submit({ type: 'trust.changed', name, atMs: this.#time.now() });
  }

  #announce(root: Hash): void {
    if (root !== this.#root) this.#announceAnew(root);
  }

  #announceAnew(root: Hash, isMerged = false): void {
    const history = this.#history();
    // Set last, so that a failed read is repeated.
    this.#root = root;
    if (this.#publishes)
      this.#submit({ type: 'root.published', root, ...(history && { history, isMerged }), atMs: this.#time.now() });
  }

  /** The machines know no time when a timer ends something: what a sync took is measured here. */
  #pass(fact: MachineFact): void {
    if (fact.type === 'sync.started') this.#reports.started(fact.peer);
    else if (fact.type === 'sync.finished') this.#tell({ ...fact, report: this.#reports.finished(fact.report) });
    else if (fact.type === 'ping.finished') this.#tell({ ...fact, ...this.#measured(fact) });
    else this.#tell(fact);
  }

  /** As exactly as the clock says, and by which way. */
  #measured({ address, roundTripMs }: Extract<MachineFact, { type: 'ping.finished' }>) {
    if (address === null) return { natTraversal: false };
    const measured = this.#observed.roundTrips.findLast(({ from }) => sameAddress(from, address))?.ms;
    const natTraversal = this.#observed.traversedTo(address);
    return { roundTripMs: roundTripMs === null ? null : (measured ?? roundTripMs), natTraversal };
  }

  #tell(fact: PeerFact): void {
    if (fact.type === 'socket.bound') this.#bound.set(fact.index, fact.address);
    if (fact.type === 'peer.listed') this.#isListed = true;
    if (fact.type === 'publishing.stopped') {
      this.#stopped = new MurmureError(fact.failure.code, fact.failure.message);
    }
    if (fact.type === 'trust.changed') this.#storeWatch.keyAccepted(fact.name);
    if (fact.type === 'key.changed') this.#storeWatch.keyRefused(fact.name);
    if (fact.type === 'message.published' || fact.type === 'message.withdrawn') this.#announce(fact.root);
    if (SCHEDULE_FACTS.has(fact.type)) this.#storeWatch.lookAtSchedule();
    this.#listeners.tell(fact);
  }

  #release(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const stop of this.#stops) stop();
    this.#gate.close();
    this.#sockets.closeAll();
    try {
      this.#flush();
    } catch {
      // The disk is full, say: what was not written is fetched again.
    }
    this.#listeners.end(
      this.#failure ?? new MurmureError('interrupted', 'the peer was closed meanwhile'),
      this.#failure ?? new MurmureError('interrupted', 'the peer is closed'),
    );
  }
}

function parseBind(text: string): SocketAddress {
  const parsed = parseAddress(text);
  if (!parsed.ok) throw new MurmureError('usage', `${text} is not a UDP address to listen on: ${parsed.why}`);
  return parsed.value;
}
