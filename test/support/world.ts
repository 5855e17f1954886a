/**
 * Real peers and a real directory on the virtual clock and network: everything but UDP, HTTPS and the system's randomness is
 * what users run. The same seed gives the same run, byte for byte.
 */
import { createHash, verify as verifySignature } from 'node:crypto';
import type { Random } from '../../machines/effects.ts';
import { createDirectoryMetrics } from '../../src/directory/directory-metrics.ts';
import type { LocalRegistry } from '../../src/directory/registry.ts';
import { openSqliteRegistry } from '../../src/directory/sqlite-registry.ts';
import { UdpSide } from '../../src/directory/udp-side.ts';
import { deterministicSigner, type KeyPair, keyPairFromSecret } from '../../src/identity/key-pair.ts';
import { type PublicKey, publicKeyBytes } from '../../src/identity/public-key.ts';
import type { JournalSink } from '../../src/journal/recorder.ts';
import { createSeededRandom, SEED_BYTES } from '../../src/journal/seeded-random.ts';
import { createPeer } from '../../src/peer/create-peer.ts';
import type { Changes, DirectoryHttp } from '../../src/peer/directory-http.ts';
import type { Peer, PeerEnvironment, PeerFact, PeerOptions } from '../../src/peer/peer.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { steadyClock } from '../../src/runtime/steady-clock.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { MurmureError } from '../../src/wire/murmure-error.ts';
import type { SocketAddress } from '../../src/wire/socket-address.ts';
import { watched } from '../oracle/watched-network.ts';
import type { VirtualHost } from './network/virtual-host.ts';
import { VirtualNetwork, type Weather } from './network/virtual-network.ts';
import { type SeededRandom, seededRandom } from './seeded-random.ts';
import { VirtualClock } from './virtual-clock.ts';

export interface VirtualPeer {
  /** Another one after `restart`. */
  peer: Peer;
  readonly store: Store;
  readonly keyPair: KeyPair;
  /** Everything it told, in order, over all its starts. */
  readonly facts: PeerFact[];
  readonly host: VirtualHost;
  /** Its host's first address. */
  readonly ip: string;
}

export interface PeerSetup extends Partial<PeerOptions> {
  readonly follow?: readonly string[];
  /** Where it runs. Default: a host of its own, in the open. */
  readonly host?: VirtualHost;
  /** Hears of everything that it tells. */
  readonly onFact?: (fact: PeerFact) => void;
}

export interface WorldOptions {
  /** For days of virtual time: signatures are seals, datagrams and facts are not kept, and nothing waits for the event loop. Default false. */
  readonly isLong?: boolean;
  /** Seals are hashes that anybody could make: for floods and hours, where real signatures are most of what a test costs. */
  readonly signatures?: 'real' | 'seals';
}

interface Setup {
  readonly options: PeerOptions;
  readonly tell: (fact: PeerFact) => void;
}

/** Opens a journal for one of a world’s systems of actors: "directory", or a peer by its name. */
export type OpenJournal = (name: string) => JournalSink | undefined;

let openJournal: OpenJournal = () => undefined;

/** Worlds built while `work` runs are recorded; nothing about them changes by that. */
export async function recording(open: OpenJournal, work: () => Promise<unknown>): Promise<void> {
  openJournal = open;
  try {
    await work();
  } finally {
    openJournal = () => undefined;
  }
}

/** For what runs beside a world: the front end. */
export function journalOf(name: string): JournalSink | undefined {
  return openJournal(name);
}

/**
 * Which peers of a world have the bulk extension, in the order in which they are added: all, unless MURMURE_TEST_BULK says
 * `none`, `first` (and third, …), or `second` (and fourth, …).
 */
function hasBulk(index: number): boolean {
  switch (process.env.MURMURE_TEST_BULK) {
    case 'none':
      return false;
    case 'first':
      return index % 2 === 0;
    case 'second':
      return index % 2 === 1;
    default:
      return true;
  }
}

const DIRECTORY_ADDRESS = { ip: '10.0.0.1', port: 1194 };
const HTTP_DELAY_MS = 5;

export class World {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly network: VirtualNetwork;
  readonly directoryHost: VirtualHost;
  registry: LocalRegistry = openSqliteRegistry(':memory:', { run: 'first' });
  readonly peers: VirtualPeer[] = [];
  /** Names whose directory lookups fail, as if it were down. */
  isDirectoryDown = false;
  #directoryClock: Clock;
  /** How often its registry was lost. */
  #emptied = 0;
  /** Who registered over HTTPS, and when: ms since the beginning. */
  readonly registrations: { readonly name: string; readonly atMs: number }[] = [];
  /** Names that a peer asked the directory about over HTTPS, repeats included. */
  lookUps = 0;
  /** How often a peer asked the directory what has changed in its list. */
  questionsForChanges = 0;
  /** The directory tells what has changed in its list; those of 2022 do not. */
  hasCursors = true;
  #directory: UdpSide | undefined;
  #serverKey: PublicKey | undefined;
  readonly #isLong: boolean;
  readonly #isSealed: boolean;
  readonly #setups = new Map<VirtualPeer, Setup>();
  readonly #killed = new WeakSet<Peer>();
  /** By label: how often it was started. Who starts again draws other ids. */
  readonly #starts = new Map<string, number>();

  constructor(
    seed: number,
    weather?: Weather,
    { isLong = false, signatures = isLong ? 'seals' : 'real' }: WorldOptions = {},
  ) {
    this.#isLong = isLong;
    this.#isSealed = signatures === 'seals';
    this.clock = new VirtualClock({ settles: isLong ? 'promises' : 'immediates' });
    this.random = seededRandom(seed);
    this.network = new VirtualNetwork(this.clock, this.random.fork('network'), weather);
    this.network.isLogging = !isLong;
    this.directoryHost = this.network.hostAt(DIRECTORY_ADDRESS.ip);
    this.#directoryClock = steadyClock(this.directoryHost.clock);
  }

  async startDirectory(): Promise<void> {
    const { keyPair, sign } = await this.identity('directory');
    this.#serverKey = keyPair.publicKey;
    this.#directory = new UdpSide({
      registry: this.registry,
      keyPair,
      binds: [DIRECTORY_ADDRESS],
      metrics: createDirectoryMetrics(),
      journal: openJournal('directory'),
      clock: this.#directoryClock,
      environment: {
        network: watched('directory', this.directoryHost, this.directoryHost.clock),
        sign,
        verify: this.#verify,
        ...this.#randomOf('directory'),
      },
    });
    await this.#directory.whenBound();
  }

  /** As if somebody at this IP address had registered over HTTPS. */
  vouchFor(ip: string): void {
    this.#directory?.vouchFor(ip);
  }

  get directoryAddress(): SocketAddress {
    return DIRECTORY_ADDRESS;
  }

  stopDirectory(): void {
    this.#directory?.close();
  }

  /** Starts it again, on the same address and with the same key; with nobody registered, if that is lost. */
  async restartDirectory({ isEmptied = false }: { readonly isEmptied?: boolean } = {}): Promise<void> {
    this.stopDirectory();
    this.#directoryClock = steadyClock(this.directoryHost.clock);
    if (isEmptied) {
      this.#emptied += 1;
      this.registry = openSqliteRegistry(':memory:', { run: `emptied ${this.#emptied}` });
    }
    await this.startDirectory();
  }

  /** The directory has another owner of this name from now on, as one does that is run by somebody else: ours would not. */
  giveAway(name: string, { keyPair, address }: { readonly keyPair: KeyPair; readonly address: SocketAddress }): void {
    const onceItIsFreeMs = this.clock.now() + 91 * 24 * 3_600_000;
    this.registry.prove(name, keyPair.publicKey, address, onceItIsFreeMs);
  }

  async addPeer(
    name: string,
    { follow = [], host, onFact = () => {}, ...options }: PeerSetup = {},
  ): Promise<VirtualPeer> {
    const { keyPair, sign } = await this.identity(name);
    const ownIp = `10.0.1.${this.peers.length + 1}`;
    const on = host ?? this.network.hostAt(ownIp);
    const store = options.store ?? openSqliteStore(':memory:');
    for (const followed of follow) store.setFollowing(followed, true, on.clock.now());
    const facts: PeerFact[] = [];
    const tell = (fact: PeerFact) => {
      if (!this.#isLong) facts.push(fact);
      onFact(fact);
    };
    const peerOptions: PeerOptions = {
      name,
      keyPair,
      directory: 'https://directory.example/',
      udp: [host === undefined ? `${ownIp}:0` : '0.0.0.0:0'],
      bulk: hasBulk(this.peers.length),
      ...options,
      store,
      environment: {
        clock: on.clock,
        // Without a host that was made for it, a peer may listen on any address.
        network: watched(name, host ?? this.network, on.clock),
        http: this.httpFor(on),
        sign,
        verify: this.#verify,
        ...options.environment,
      },
    };
    const setup = { options: peerOptions, tell };
    const peer = await this.#run(setup);
    const added = { peer, store, keyPair, facts, host: on, ip: on.addresses[0]?.ip ?? '' };
    this.#setups.set(added, setup);
    this.peers.push(added);
    return added;
  }

  /** As `kill -9`, of all programs on its host: nothing is told, nothing is flushed. What it had in the store is there. */
  kill({ peer, host }: VirtualPeer): void {
    host.killProgram();
    this.#killed.add(peer);
  }

  /** Starts a peer that was added before again, with its key and its store. It is closed first, unless it was closed or killed before. */
  async restart(restarted: VirtualPeer): Promise<void> {
    if (!this.#killed.has(restarted.peer)) await restarted.peer.close();
    restarted.peer = await this.#run(this.#setups.get(restarted) as Setup);
  }

  async #run({ options, tell }: Setup): Promise<Peer> {
    const journal = openJournal(options.name);
    const environment = { ...this.#randomOf(options.name), ...options.environment };
    const peer = await createPeer({ journal, ...options, environment });
    peer.on('*', tell);
    return peer;
  }

  /** Waits, in virtual time. */
  until(isDone: () => boolean, limitMs?: number): Promise<void> {
    return this.clock.runUntil(isDone, limitMs === undefined ? {} : { limitMs });
  }

  /** The promise's value, letting virtual time pass until it is settled. */
  async settle<T>(promise: Promise<T>, limitMs?: number): Promise<T> {
    let isSettled = false;
    const settled = promise.finally(() => {
      isSettled = true;
    });
    settled.catch(() => {});
    await this.until(() => isSettled, limitMs);
    return settled;
  }

  async close(): Promise<void> {
    for (const { peer } of this.peers) await peer.close();
    this.stopDirectory();
  }

  async identity(label: string): Promise<{ keyPair: KeyPair; sign: (message: Uint8Array) => Promise<Uint8Array> }> {
    const draw = this.random.fork(`key of ${label}`);
    const secret = Uint8Array.from({ length: 32 }, () => draw.uint32() & 0x7f);
    const keyPair = await keyPairFromSecret(secret);
    if (this.#isSealed) return { keyPair, sign: async (message) => seal(keyPair.publicKey, message) };
    const sign = deterministicSigner(secret);
    return { keyPair, sign: async (message) => sign(message) };
  }

  /** As a journal would have it, whether there is one or not. */
  #randomOf(label: string): { random: Random; seed: Uint8Array } {
    const start = (this.#starts.get(label) ?? 0) + 1;
    this.#starts.set(label, start);
    const draw = this.random.fork(start === 1 ? `seed of ${label}` : `seed ${start} of ${label}`);
    const seed = Uint8Array.from({ length: SEED_BYTES }, () => draw.uint32() & 0xff);
    return { random: createSeededRandom(seed), seed };
  }

  get #verify(): PeerEnvironment['verify'] {
    return this.#isSealed ? async (key, message, signature) => seal(key, message).equals(signature) : verify;
  }

  #changesSince(since: string): Changes {
    const cursor = this.registry.cursor();
    const names = this.registry.changesSince(since);
    if (names === undefined) return { cursor, isExpired: true, peers: [], removed: [] };
    const nowMs = this.#directoryClock.now();
    const peers = names.flatMap((name) => this.registry.lookup(name, nowMs) ?? []);
    const removed = names.filter((name) => !peers.some((peer) => peer.name === name));
    return { cursor, isExpired: false, peers, removed };
  }

  /** The directory's HTTPS side, as a program on this host sees it. */
  httpFor(host: VirtualHost): DirectoryHttp {
    const answer = <T>(give: () => T): Promise<T> =>
      new Promise((resolve, reject) => {
        host.clock.setTimeout(() => {
          if (this.isDirectoryDown || !host.isReachable)
            reject(new MurmureError('directory-unreachable', 'the directory is down'));
          else
            try {
              resolve(give());
            } catch (error) {
              reject(error as Error);
            }
        }, HTTP_DELAY_MS);
      });
    const now = () => this.#directoryClock.now();
    return {
      udpAddresses: () => answer((): SocketAddress[] => [DIRECTORY_ADDRESS]),
      serverKey: () => answer(() => this.#serverKey),
      register: (name, key) =>
        answer(() => {
          this.registrations.push({ name, atMs: this.clock.elapsedMs });
          if (this.registry.register(name, key, now()) === 'bad-key') {
            throw new MurmureError('authentication', `the name ${name} is bound to another key`);
          }
        }),
      peers: () =>
        answer(() => {
          const nowMs = now();
          return this.registry.peers(nowMs).flatMap((name) => this.registry.lookup(name, nowMs) ?? []);
        }),
      peer: (name) => {
        this.lookUps += 1;
        return answer(() => this.registry.lookup(name, now()));
      },
      changes: (cursor) => {
        this.questionsForChanges += 1;
        return answer(() => (this.hasCursors ? this.#changesSince(cursor) : undefined));
      },
    };
  }
}

/** Stands for a signature where so many are made that real ones would take minutes: whoever knows the key can make it. */
function seal(key: PublicKey, message: Uint8Array): Buffer {
  return createHash('sha512').update(key).update(message).digest();
}

/** On the thread and settled at once, so that virtual time stays exact; ten times as fast as the same in JavaScript. */
async function verify(key: PublicKey, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  const bytes = Buffer.from(publicKeyBytes(key));
  const x = bytes.subarray(0, 32).toString('base64url');
  const y = bytes.subarray(32).toString('base64url');
  const jwk = { kty: 'EC', crv: 'P-256', x, y };
  return verifySignature('sha256', message, { key: jwk, format: 'jwk', dsaEncoding: 'ieee-p1363' }, signature);
}
