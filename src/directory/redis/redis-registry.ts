/**
 * The registry that several instances share, on Redis or Valkey. Each holds all of it in memory and reads there; what is written goes
 * through the engine, and is acknowledged once that has it. While the engine is away, known names are served and renewed from memory,
 * and no name is bound.
 */
import { randomBytes } from 'node:crypto';
import type { ListedAddress } from '../../../machines/directory-context.ts';
import type { PublicKey } from '../../identity/public-key.ts';
import { type Clock, nextTurn, systemClock } from '../../runtime/clock.ts';
import { formatAddress, type SocketAddress } from '../../wire/socket-address.ts';
import {
  bindingLifetimeMs,
  type Proven,
  type Registered,
  type RegisteredPeer,
  type Registry,
  type RegistryOptions,
} from '../registry.ts';
import { type Engine, EngineAwayError, openEngine } from './engine.ts';
import { keyField } from './name-record.ts';
import { inOrder, type KnownName, listedAt } from './names-in-memory.ts';
import { Renewals } from './renewals.ts';
import { Replica } from './replica.ts';
import { keysOf, SHARES, shareOf } from './shares.ts';

/** How often the engine is asked whether all is well: while it is, and while it is away. */
const CHECK_MS = 15_000;
const RETRY_MS = 500;
const PAUSE_MS = 250;
/** Bindings that are found to have ended, in one sweep. */
const ENDED_AT_ONCE = 100;

export interface RedisRegistryOptions extends RegistryOptions {
  /** One that does not jump: `steadyClock`. */
  readonly clock: Clock;
  readonly warn?: (message: string) => void;
  /** In tests: the engine is to go by our clock, however that jumps. */
  readonly isClockOurs?: boolean;
}

/** @throws MurmureError if the engine cannot be used */
export async function openRedisRegistry(url: string, options: RedisRegistryOptions): Promise<RedisRegistry> {
  const engine = await openEngine(url, options.warn ?? (() => {}));
  const registry = new RedisRegistry(engine, options);
  try {
    await registry.start();
    return registry;
  } catch (error) {
    registry.close();
    throw error;
  }
}

export class RedisRegistry implements Registry {
  readonly instance = randomBytes(6).toString('hex');
  readonly engine: Engine;
  readonly #clock: Clock;
  readonly #replica: Replica;
  readonly #lifetimeMs: number;
  readonly #renewals = new Renewals();
  /** Done whenever the engine has been found to be well. */
  readonly #whenWell: (() => Promise<unknown>)[] = [];
  #away: { readonly why: string; readonly sinceMs: number } | undefined;
  #nextCheck: unknown;
  #isChecking = false;
  #isClosed = false;
  #sweptShare = 0;

  constructor(engine: Engine, options: RedisRegistryOptions) {
    this.engine = engine;
    this.#clock = options.clock;
    this.#lifetimeMs = bindingLifetimeMs(options);
    this.#replica = new Replica(engine, { ...options, instance: this.instance, now: () => this.#clock.now() });
  }

  async start(): Promise<void> {
    await this.#replica.loadAll();
    this.#plan(CHECK_MS);
    void this.#readChanges();
  }

  /** Why nothing can be bound now; undefined: all is well. */
  get whyAway(): string | undefined {
    const away = this.#away;
    if (away === undefined) return undefined;
    return `${away.why}, since ${new Date(away.sinceMs).toISOString()}; ${this.waiting} renewals wait`;
  }

  get waiting(): number {
    return this.#renewals.size;
  }

  /** `work` is done now and then, as long as the engine is there. */
  whenWell(work: () => Promise<unknown>): void {
    this.#whenWell.push(work);
  }

  async register(name: string, key: PublicKey | undefined, nowMs: number, source = ''): Promise<Registered> {
    const bound = this.#boundKey(name, nowMs);
    if (typeof bound === 'string') return bound === key ? 'accepted' : 'bad-key';
    const args = [name, keyField(key), source, this.instance];
    const answer = await this.#write(name, (share) => this.#replica.ask(share, 'await', args));
    if (answer === undefined) return 'away';
    this.#replica.pending.add(name, key, nowMs, source);
    return 'accepted';
  }

  candidateKeys(name: string, nowMs: number): (PublicKey | undefined)[] {
    const bound = this.#boundKey(name, nowMs);
    if (typeof bound === 'string') return [bound];
    const keys = [...this.#replica.pending.keys(name, nowMs), ...(bound === null ? [undefined] : [])];
    return [...new Set(keys)].sort((a, b) => Number(a === undefined) - Number(b === undefined));
  }

  async prove(name: string, key: PublicKey | undefined, address: SocketAddress, nowMs: number): Promise<Proven> {
    const bound = this.#boundKey(name, nowMs);
    if (typeof bound === 'string' && bound !== key) return 'bad-key';
    const isRenewal = bound === (key ?? null);
    const text = formatAddress(address);
    const proven = await this.#prove(name, key, text, isRenewal);
    if (proven !== 'away' || !isRenewal) return proven;
    return this.#renewFromMemory({ name, key, address: text }, nowMs);
  }

  async confirm(name: string, address: SocketAddress, nowMs: number): Promise<void> {
    const text = formatAddress(address);
    const known = this.#replica.names.get(name);
    if (!known?.addresses.some((one) => one.address === text)) return;
    if ((await this.#change('confirm', name, text)) || this.#away === undefined) return;
    this.#renewals.add({ kind: 'confirm', name, key: known.key, address: text });
    const answeredMs = this.#replica.steady(shareOf(name), nowMs);
    const addresses = known.addresses.map((one) => (one.address === text ? { ...one, answeredMs } : one));
    this.#replica.put(name, { ...known, addresses }, false);
  }

  async drop(name: string, address: SocketAddress): Promise<void> {
    const text = formatAddress(address);
    if (await this.#change('drop', name, text)) return;
    const known = this.#replica.names.get(name);
    if (known === undefined) return;
    this.#replica.put(name, { ...known, addresses: known.addresses.filter((one) => one.address !== text) }, false);
  }

  takeUndated(nowMs: number): readonly ListedAddress[] {
    return this.#replica.takeUndated().flatMap((name) => {
      const { key, addresses = [] } = this.lookup(name, nowMs) ?? {};
      return addresses.map((address) => ({ name, key, address }));
    });
  }

  peers(nowMs: number): readonly string[] {
    return this.#replica.listing.names(nowMs);
  }

  lookup(name: string, nowMs: number): RegisteredPeer | undefined {
    const known = this.#replica.names.get(name);
    const addresses = known === undefined ? [] : this.#listed(name, known, nowMs);
    if (addresses.length === 0) return undefined;
    const key = this.#boundKey(name, nowMs);
    return typeof key === 'string' ? { name, addresses, key } : { name, addresses };
  }

  isListed(address: SocketAddress, nowMs: number, name?: string): boolean {
    return this.#namesAt(formatAddress(address), nowMs).some((one) => name === undefined || one === name);
  }

  /** The instances that have proven this address lately, the latest first. */
  provers(address: SocketAddress, nowMs: number): readonly string[] {
    const text = formatAddress(address);
    return this.#namesAt(text, nowMs).flatMap(
      (name) => this.#replica.names.get(name)?.addresses.find((one) => one.address === text)?.provers ?? [],
    );
  }

  /** The engine's time, as all instances reckon it: that of one share. */
  engineNow(): number {
    return this.#replica.steady(0, this.#clock.now());
  }

  cursor(): string {
    return this.#replica.changes.cursor;
  }

  changesSince(cursor: string, among?: readonly string[]): readonly string[] | undefined {
    return this.#replica.changes.since(cursor, among);
  }

  async expire(nowMs: number): Promise<boolean> {
    await this.#replica.expire(nowMs);
    const share = this.#sweptShare;
    this.#sweptShare = (share + 1) % SHARES;
    const running = this.#replica.running(share, nowMs);
    const ended = this.#replica.names
      .inShare(share)
      .entries()
      .filter(([, { provenRunningMs }]) => running - provenRunningMs >= this.#lifetimeMs)
      .map(([name]) => name)
      .take(ENDED_AT_ONCE)
      .toArray();
    const [first] = ended;
    if (first === undefined) return false;
    await this.#write(first, () => this.#replica.ask(share, 'expire', [`${this.#lifetimeMs}`, ...ended]));
    return ended.length === ENDED_AT_ONCE;
  }

  close(): void {
    this.#isClosed = true;
    this.#clock.clearTimeout(this.#nextCheck);
    this.engine.close();
  }

  /** Null: bound without a key; undefined: not bound. */
  #boundKey(name: string, nowMs: number): PublicKey | null | undefined {
    const known = this.#replica.names.get(name);
    if (known === undefined) return undefined;
    const ageMs = this.#replica.running(shareOf(name), nowMs) - known.provenRunningMs;
    return ageMs < this.#lifetimeMs ? (known.key ?? null) : undefined;
  }

  #listed(name: string, known: KnownName, nowMs: number): SocketAddress[] {
    return inOrder(listedAt(known, this.#replica.steady(shareOf(name), nowMs)));
  }

  #namesAt(address: string, nowMs: number): string[] {
    return Array.from(this.#replica.names.namesAt(address)).filter((name) => {
      const known = this.#replica.names.get(name);
      const listed = known === undefined ? [] : listedAt(known, this.#replica.steady(shareOf(name), nowMs));
      return listed.some((one) => one.address === address);
    });
  }

  async #prove(name: string, key: PublicKey | undefined, address: string, isRenewal: boolean): Promise<Proven> {
    const args = [name, keyField(key), address, this.instance, `${this.#lifetimeMs}`];
    // That a name is bound must outlive the engine's failure; that it was renewed need not.
    const answer = await this.#write(name, (share) => this.#replica.ask(share, 'prove', args, !isRenewal));
    if (answer === undefined) return 'away';
    if (answer.status === 'bad-key') return 'bad-key';
    const known = this.#replica.take(name, answer.record, answer.last, true);
    if (answer.extra !== 'new' || known === undefined) return { others: undefined };
    const others = this.#listed(name, known, this.#clock.now());
    return { others: others.filter((other) => formatAddress(other) !== address) };
  }

  /** Has the engine done it? */
  async #change(operation: 'confirm' | 'drop', name: string, address: string): Promise<boolean> {
    const answer = await this.#write(name, (share) => this.#replica.ask(share, operation, [name, address]));
    if (answer?.status === 'ok') this.#replica.take(name, answer.record, answer.last, false);
    return answer !== undefined;
  }

  #renewFromMemory(renewal: { name: string; key: PublicKey | undefined; address: string }, nowMs: number): Proven {
    const { name, address } = renewal;
    this.#renewals.add({ kind: 'prove', ...renewal });
    const known = this.#replica.names.get(name) as KnownName;
    const steadyMs = this.#replica.steady(shareOf(name), nowMs);
    const listed = listedAt(known, steadyMs);
    const others = listed.filter((one) => one.address !== address);
    const proven = { address, provenMs: steadyMs, answeredMs: steadyMs, provers: [this.instance] };
    this.#replica.put(name, { ...known, addresses: [proven, ...others] }, true);
    return { others: others.length === listed.length ? inOrder(others) : undefined };
  }

  /** Undefined: the engine is away. Nobody waits for one that is known to be. */
  async #write<T>(name: string, work: (share: number) => Promise<T>): Promise<T | undefined> {
    if (this.#away !== undefined || this.#isClosed) return undefined;
    try {
      return await work(shareOf(name));
    } catch (error) {
      this.#noteAway(error);
      return undefined;
    }
  }

  #noteAway(error: unknown): void {
    if (!(error instanceof EngineAwayError)) throw error;
    this.#away = { why: error.message, sinceMs: this.#away?.sinceMs ?? this.#clock.now() };
    if (!this.#isChecking) this.#plan(RETRY_MS);
  }

  #plan(ms: number): void {
    this.#clock.clearTimeout(this.#nextCheck);
    if (this.#isClosed) return;
    this.#nextCheck = this.#clock.setTimeout(() => void this.#check(), ms);
  }

  async #check(): Promise<void> {
    this.#isChecking = true;
    try {
      // One question to one that hangs, and not one for each share.
      await this.engine.command(keysOf(0).state, ['PING']);
      await this.#replica.check();
      await this.#renewals.drain((renewal) => this.#renew(renewal));
      for (const work of this.#whenWell) await work();
      this.#away = undefined;
    } catch (error) {
      if (!this.#isClosed) this.#noteAway(error);
    } finally {
      this.#isChecking = false;
      this.#plan(this.#away === undefined ? CHECK_MS : RETRY_MS);
    }
  }

  async #renew({
    kind,
    name,
    key,
    address,
  }: {
    kind: 'prove' | 'confirm';
    name: string;
    key: PublicKey | undefined;
    address: string;
  }) {
    const share = shareOf(name);
    const args =
      kind === 'confirm' ? [name, address] : [name, keyField(key), address, this.instance, `${this.#lifetimeMs}`];
    const answer = await this.#replica.ask(share, kind, args);
    if (answer.status === 'ok') this.#replica.take(name, answer.record, answer.last, kind === 'prove');
  }

  async #readChanges(): Promise<void> {
    while (!this.#isClosed) {
      try {
        for (const [share, changes] of await this.engine.waitForChanges(this.#replica.positions))
          await this.#replica.follow(share, changes);
        await nextTurn(systemClock);
      } catch (error) {
        if (this.#isClosed) return;
        this.#noteAway(error instanceof EngineAwayError ? error : new EngineAwayError(error));
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  }
}
