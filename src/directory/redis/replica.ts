/**
 * The copy of the registry that an instance reads from, and how it is kept like the engine's: changes come over the streams, one share
 * like another. What was missed is noticed, and the share loaded anew. What the engine has lost is given back to it: an engine that
 * comes back empty, or with an older state, must not set names free that were acknowledged.
 */
import { randomBytes } from 'node:crypto';
import { nextTurn, systemClock } from '../../runtime/clock.ts';
import { ChangeLog } from '../change-log.ts';
import { type Listed, Listing } from '../listing.ts';
import { PendingRegistrations } from '../pending-registrations.ts';
import { PENDING_LIFETIME_MS } from '../registry.ts';
import { type Answer, type Change, type Engine, EngineAwayError } from './engine.ts';
import { Expiries } from './expiries.ts';
import { type AddressRecord, formatRecord, type NameRecord, parseRecord } from './name-record.ts';
import { type KnownName, listedAt, NamesInMemory } from './names-in-memory.ts';
import { isLater, ShareState } from './share-state.ts';
import { SHARES, shareOf } from './shares.ts';

/** The clocks of a share go on by that much at once, whoever asks: instances ask more often. */
const LONGEST_STEP_MS = 60_000;
/** Names that are given back at once. */
const BATCH = 100;
/** Names that are looked at before other work has its turn. */
const NAMES_A_TURN = 1_000;
/** Shares that are read at once: with all of them, nothing else had its turn for seconds. */
const LOADED_AT_ONCE = 2;

export interface ReplicaOptions {
  /** Of this instance. */
  readonly instance: string;
  /** Unix ms, of a clock that does not jump. */
  readonly now: () => number;
  /** In tests: the engine is to go by our clock, however that jumps. */
  readonly isClockOurs?: boolean | undefined;
  readonly run?: string | undefined;
}

export class Replica {
  readonly names = new NamesInMemory();
  readonly pending = new PendingRegistrations();
  readonly changes: ChangeLog;
  readonly listing = new Listing((nowMs) => this.#list(nowMs));
  readonly #engine: Engine;
  readonly #options: ReplicaOptions;
  readonly #shares = Array.from({ length: SHARES }, () => new ShareState());
  readonly #loading = new Map<number, Promise<void>>();
  readonly #expiries = new Expiries();
  /** Addresses of which nobody knows how old they are: the engine's clock was set back while nobody ran. */
  readonly #undated: string[] = [];

  constructor(engine: Engine, options: ReplicaOptions) {
    this.#engine = engine;
    this.#options = options;
    this.changes = new ChangeLog(options.run);
  }

  steady(share: number, nowMs: number): number {
    return this.#share(share).steady(nowMs);
  }

  running(share: number, nowMs: number): number {
    return this.#share(share).running(nowMs);
  }

  get positions(): string[] {
    return this.#shares.map(({ position }) => position);
  }

  /** Names with addresses of unknown age, once. */
  takeUndated(): string[] {
    return this.#undated.splice(0);
  }

  /** Lets the engine do something with a share. `isSafe`: a replica of the engine, where there is one, has to have it too. */
  async ask(share: number, operation: string, args: readonly string[], isSafe = false): Promise<Answer> {
    const state = this.#share(share);
    const all = [operation, state.epoch, ...this.#clockArgs(state), ...args];
    const answer = await (isSafe ? this.#engine.runSafely(share, all) : this.#engine.run(share, all));
    if (answer.status !== 'other-epoch') {
      state.note(answer, this.#options.now());
      return answer;
    }
    await this.load(share);
    throw new EngineAwayError(new Error('it holds another registry than before'));
  }

  /** Asks every share whether it is as far as we know, and loads those that are not. */
  async check(): Promise<void> {
    const lost: number[] = [];
    await Promise.all(
      this.#shares.map(async (state, share) => {
        const answer = await this.#engine.run(share, ['tick', state.epoch, ...this.#clockArgs(state)]);
        if (state.hasLost(answer)) lost.push(share);
        else state.note(answer, this.#options.now());
      }),
    );
    await this.#loadSome(lost);
  }

  loadAll(): Promise<void> {
    return this.#loadSome(this.#shares.keys());
  }

  /** The whole share, from the engine. */
  load(share: number): Promise<void> {
    const underWay = this.#loading.get(share);
    if (underWay !== undefined) return underWay;
    const loading = this.#load(share).finally(() => this.#loading.delete(share));
    this.#loading.set(share, loading);
    return loading;
  }

  async follow(share: number, changes: readonly Change[]): Promise<void> {
    const state = this.#share(share);
    for (const change of changes) {
      if (!isLater(change.id, state.position)) continue;
      // While a share is being loaded, what changes is left to be read after that.
      if (this.#loading.has(share) || change.prev !== state.position) return this.load(share);
      this.#apply(share, change);
      state.position = change.id;
    }
  }

  /** What has become of a name. Undefined: nothing that we can read. */
  take(name: string, text: string, version: string, isProof: boolean): KnownName | undefined {
    const record = parseRecord(text);
    const known = this.names.get(name);
    if (record === undefined || (known !== undefined && !isLater(version, known.version))) return known;
    return this.put(name, { ...record, version }, isProof);
  }

  put(name: string, known: KnownName, isProof: boolean): KnownName {
    const before = this.names.get(name);
    this.names.set(name, known);
    this.#expiries.add(name, known);
    const listed = this.#listed(name, known);
    // Proven at the same address as well: its program may have started anew, and knows nobody who reads from it.
    if (isProof || listed !== this.#listed(name, before)) this.changes.note(name);
    this.#noteListed(name, known);
    if (known.key !== undefined) this.pending.remove(name);
    return known;
  }

  /** Addresses whose hour is over. Other work has its turn in between. */
  async expire(nowMs: number): Promise<void> {
    this.pending.expire(nowMs);
    let looked = 0;
    for (const name of this.#expiries.due(Math.max(...this.#shares.map((share) => share.steady(nowMs))))) {
      const known = this.names.get(name);
      const addresses = known && listedAt(known, this.steady(shareOf(name), nowMs));
      if (known !== undefined && addresses?.length !== known.addresses.length) {
        this.names.set(name, { ...known, addresses: addresses ?? [] });
        this.changes.note(name);
      }
      looked += 1;
      if (looked % NAMES_A_TURN === 0) await nextTurn(systemClock);
    }
  }

  #share(share: number): ShareState {
    return this.#shares[share] as ShareState;
  }

  async #loadSome(shares: Iterable<number>): Promise<void> {
    const left = shares[Symbol.iterator]();
    const some = async () => {
      for (let next = left.next(); !next.done; next = left.next()) await this.load(next.value);
    };
    await Promise.all(Array.from({ length: LOADED_AT_ONCE }, some));
  }

  #clockArgs(state: ShareState): string[] {
    const { now, isClockOurs = false } = this.#options;
    if (isClockOurs) return [`${now()}`, '1e15', '1e15'];
    const since = state.sinceAnswer(now());
    const step = Math.ceil(Math.max(LONGEST_STEP_MS, since ?? 0));
    // Addresses have aged while no instance ran; bindings have not.
    return ['', `${step}`, since === undefined ? '1e15' : `${step}`];
  }

  async #load(share: number): Promise<void> {
    const state = this.#share(share);
    const { now } = this.#options;
    const epoch = state.epoch || randomBytes(9).toString('base64url');
    const tick = await this.#engine.run(share, ['tick', epoch, ...this.#clockArgs(state)]);
    const ages = this.#agesIn(share, now());
    const found = new Map<string, string>();
    for await (const [name, text] of this.#engine.names(share)) found.set(name, text);
    const waiting = await this.#engine.changesSince(share, Number(tick.last.split('-')[0]) - PENDING_LIFETIME_MS);
    const isFirst = state.epoch === '';
    state.epoch = tick.epoch;
    state.note(tick, now());
    let looked = 0;
    for (const [name, text] of found) {
      const record = parseRecord(text);
      const known = this.names.get(name);
      // An answer that came meanwhile may be newer than this: the stream brings it again.
      if (record !== undefined && (known === undefined || formatRecord(known) !== text))
        this.put(name, { ...record, version: tick.last }, false);
      if (isFirst && tick.extra === 'behind') this.#undated.push(name);
      looked += 1;
      if (looked % NAMES_A_TURN === 0) await nextTurn(systemClock);
    }
    state.position = tick.last;
    for (const change of waiting) if (change.kind === 'await') this.#apply(share, change);
    await this.#giveBack(
      share,
      [...ages].filter(([name]) => !found.has(name)),
    );
  }

  /** How old bindings are, by the clock that they were made by. */
  #agesIn(share: number, nowMs: number): Map<string, number> {
    const running = this.running(share, nowMs);
    return new Map(
      Array.from(this.names.inShare(share), ([name, { provenRunningMs }]) => [name, running - provenRunningMs]),
    );
  }

  async #giveBack(share: number, lost: readonly (readonly [string, number])[]): Promise<void> {
    for (let start = 0; start < lost.length; start += BATCH) {
      const args = lost.slice(start, start + BATCH).flatMap(([name, ageMs]) => {
        const known = this.names.get(name);
        if (known === undefined) return [];
        // Whatever comes back over the stream is newer.
        this.names.set(name, { ...known, version: '0-0' });
        return [name, formatRecord(known), `${Math.max(0, Math.round(ageMs))}`];
      });
      await this.ask(share, 'restore', args);
    }
  }

  #apply(share: number, { kind, name, record, id }: Change): void {
    if (kind === 'await') {
      const [key = '', atMs, source = '', instance] = record.split('\t');
      if (instance === this.#options.instance) return;
      const nowMs = this.#options.now();
      const agoMs = Math.max(0, this.steady(share, nowMs) - Number(atMs));
      this.pending.add(name, key === '-' ? undefined : key, nowMs - agoMs, source);
    } else if (kind === 'expire') {
      if (this.#listed(name, this.names.get(name)) !== '') this.changes.note(name);
      this.names.delete(name);
      this.listing.note(name, undefined);
    } else this.take(name, record, id, kind === 'prove');
  }

  /** Where it is listed, as a text that differs when that does. */
  #listed(name: string, record: NameRecord | undefined): string {
    if (record === undefined) return '';
    const steadyMs = this.steady(shareOf(name), this.#options.now());
    return listedAt(record, steadyMs)
      .map(({ address }) => address)
      .join();
  }

  #noteListed(name: string, record: NameRecord): void {
    const nowMs = this.#options.now();
    const steadyMs = this.steady(shareOf(name), nowMs);
    const latestMs = latestAnswer(listedAt(record, steadyMs));
    this.listing.note(name, latestMs === undefined ? undefined : latestMs + nowMs - steadyMs);
  }

  *#list(nowMs: number): Generator<Listed> {
    for (let share = 0; share < SHARES; share++) {
      const steadyMs = this.steady(share, nowMs);
      for (const [name, record] of this.names.inShare(share)) {
        const latestMs = latestAnswer(listedAt(record, steadyMs));
        if (latestMs !== undefined) yield [name, latestMs + nowMs - steadyMs];
      }
    }
  }
}

function latestAnswer(addresses: readonly AddressRecord[]): number | undefined {
  return addresses.length === 0 ? undefined : Math.max(...addresses.map(({ answeredMs }) => answeredMs));
}
