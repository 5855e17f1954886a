/**
 * Real peers and a real directory on the virtual clock and network. Everything is what users run, except UDP, HTTPS and the system's
 * randomness. The same seed gives the same run, byte for byte.
 */
import type { Random } from '../../machines/effects.ts';
import type { LocalRegistry } from '../directory/registry.ts';
import { UdpSide } from '../directory/udp-side.ts';
import { deterministicSigner, isSignedBy } from '../identity/deterministic-signer.ts';
import { type PublicKey, publicKeyOf } from '../identity/public-key.ts';
import type { JournalSink } from '../journal/recorder.ts';
import { createSeededRandom, SEED_BYTES } from '../journal/seeded-random.ts';
import { createPeerIn } from '../peer/create-peer.ts';
import type { Changes, DirectoryHttp } from '../peer/directory-http.ts';
import type { Peer, PeerFact, PeerOptions } from '../peer/peer.ts';
import type { Outside } from '../peer/peer-dependencies.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Network } from '../runtime/network.ts';
import type { Sign, Verify } from '../runtime/shared-effects.ts';
import { steadyClock } from '../runtime/steady-clock.ts';
import type { Store } from '../store/store.ts';
import { MurmureError } from '../wire/murmure-error.ts';
import type { SocketAddress } from '../wire/socket-address.ts';
import { type SeededRandom, seededRandom } from './seeded-random.ts';
import type { VirtualClock } from './virtual-clock.ts';
import type { VirtualHost } from './virtual-host.ts';
import { VirtualNetwork, type Weather } from './virtual-network.ts';

export interface Identity {
  readonly keyPair: PeerOptions['keyPair'];
  readonly sign: Sign;
}

export interface VirtualPeer {
  /** A new one after `restart`. */
  peer: Peer;
  readonly store: Store;
  readonly keyPair: PeerOptions['keyPair'];
  /** Everything it reported, in order, over all its starts. */
  readonly facts: PeerFact[];
  readonly host: VirtualHost;
  /** Its host's first address. */
  readonly ip: string;
}

export interface PeerSetup extends Partial<PeerOptions> {
  readonly follow?: readonly string[];
  /** Where it runs. Default: a host of its own, in the open. */
  readonly host?: VirtualHost;
  /** Called with everything that it reports. */
  readonly onFact?: (fact: PeerFact) => void;
}

export interface WorldParts {
  readonly seed: number;
  readonly weather?: Weather | undefined;
  readonly clock: VirtualClock;
  openStore(): Store;
  /** `run`: distinguishes the cursors of this registry from those of others. */
  openRegistry(run: string): LocalRegistry;
  readonly keepsFacts: boolean;
}

interface Setup {
  readonly options: PeerOptions;
  readonly environment: Omit<Outside, 'random'>;
  readonly tell: (fact: PeerFact) => void;
}

const DIRECTORY_ADDRESS = { ip: '10.0.0.1', port: 1194 };
const HTTP_DELAY_MS = 5;

export class World {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly network: VirtualNetwork;
  readonly directoryHost: VirtualHost;
  registry: LocalRegistry;
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
  /** Whether the directory tells what has changed in its list. Those of 2022 do not. */
  hasCursors = true;
  #directory: UdpSide | undefined;
  #serverKey: PublicKey | undefined;
  readonly #parts: WorldParts;
  readonly #setups = new Map<VirtualPeer, Setup>();
  readonly #killed = new WeakSet<Peer>();
  /** By label: how often it was started. Each start draws other ids. */
  readonly #starts = new Map<string, number>();

  constructor(parts: WorldParts) {
    this.#parts = parts;
    this.clock = parts.clock;
    this.random = seededRandom(parts.seed);
    this.network = new VirtualNetwork(this.clock, this.random.fork('network'), parts.weather);
    this.directoryHost = this.network.hostAt(DIRECTORY_ADDRESS.ip);
    this.registry = parts.openRegistry('first');
    this.#directoryClock = steadyClock(this.directoryHost.clock);
  }

  async startDirectory(): Promise<void> {
    const { keyPair, sign } = await this.identity('directory');
    this.#serverKey = keyPair.publicKey;
    this.#directory = new UdpSide({
      registry: this.registry,
      binds: [DIRECTORY_ADDRESS],
      metrics: { count: () => {} },
      journal: this.journalFor('directory'),
      inspect: this.inspectorFor('directory'),
      clock: this.#directoryClock,
      environment: {
        network: this.networkFor('directory', this.directoryHost, this.directoryHost.clock),
        sign,
        verify: this.verify,
        ...this.recording,
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
      this.registry = this.#parts.openRegistry(`emptied ${this.#emptied}`);
    }
    await this.startDirectory();
  }

  async addPeer(
    name: string,
    { follow = [], host, onFact = () => {}, ...options }: PeerSetup = {},
  ): Promise<VirtualPeer> {
    const { keyPair, sign } = await this.identity(name);
    const ownIp = `10.0.1.${this.peers.length + 1}`;
    const on = host ?? this.network.hostAt(ownIp);
    const store = options.store ?? this.#parts.openStore();
    for (const followed of follow) store.setFollowing(followed, true, on.clock.now());
    const facts: PeerFact[] = [];
    const tell = (fact: PeerFact) => {
      if (this.#parts.keepsFacts) facts.push(fact);
      onFact(fact);
    };
    const setup = {
      options: {
        name,
        keyPair,
        directory: 'https://directory.example/',
        udp: [host === undefined ? `${ownIp}:0` : '0.0.0.0:0'],
        ...options,
        store,
      },
      tell,
      environment: {
        clock: on.clock,
        // Without a host that was made for it, a peer may listen on any address.
        network: this.networkFor(name, host ?? this.network, on.clock),
        http: this.httpFor(on),
        sign,
        verify: this.verify,
        ...options.environment,
      },
    };
    const peer = await this.#run(setup);
    const added = { peer, store, keyPair, facts, host: on, ip: on.addresses[0]?.ip ?? '' };
    this.#setups.set(added, setup);
    this.peers.push(added);
    return added;
  }

  /** As `kill -9`, for all programs on its host: nothing is reported or flushed. What was in the store stays there. */
  kill({ peer, host }: VirtualPeer): void {
    host.killProgram();
    this.#killed.add(peer);
  }

  /** Starts a peer that was added before again, with its key and its store. It is closed first, unless it was closed or killed before. */
  async restart(restarted: VirtualPeer): Promise<void> {
    if (!this.#killed.has(restarted.peer)) await restarted.peer.close();
    restarted.peer = await this.#run(this.#setups.get(restarted) as Setup);
  }

  async #run({ options, environment, tell }: Setup): Promise<Peer> {
    const { name } = options;
    const outside = { ...this.recording, ...this.#randomOf(name), ...environment };
    const recorded = { journal: this.journalFor(name), inspect: this.inspectorFor(name), ...options };
    const peer = await createPeerIn(outside, recorded);
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

  async identity(label: string): Promise<Identity> {
    const secret = this.secretOf(label);
    const sign = deterministicSigner(secret);
    const signLater = async (message: Uint8Array) => sign(message);
    return { keyPair: { publicKey: publicKeyOf(secret), sign: signLater }, sign: signLater };
  }

  protected secretOf(label: string): Uint8Array {
    const draw = this.random.fork(`key of ${label}`);
    return Uint8Array.from({ length: 32 }, () => draw.uint32() & 0x7f);
  }

  protected readonly verify: Verify = async (...signed) => isSignedBy(...signed);

  /** To override: a network that watches what is sent and received. */
  protected networkFor(_name: string, network: Network, _clock: Clock): Network {
    return network;
  }

  /** `directory`, or a peer by its name. */
  protected journalFor(_name: string): JournalSink | undefined {
    return undefined;
  }

  protected inspectorFor(_name: string): PeerOptions['inspect'] {
    return undefined;
  }

  /** Where journals can be written. */
  protected readonly recording: Pick<Outside, 'record'> = {};

  /** The same randomness with and without a journal. */
  #randomOf(label: string): { random: Random; seed: Uint8Array } {
    const start = (this.#starts.get(label) ?? 0) + 1;
    this.#starts.set(label, start);
    const draw = this.random.fork(start === 1 ? `seed of ${label}` : `seed ${start} of ${label}`);
    const seed = Uint8Array.from({ length: SEED_BYTES }, () => draw.uint32() & 0xff);
    return { random: createSeededRandom(seed), seed };
  }

  #changesSince(since: string, among: readonly string[]): Changes {
    const cursor = this.registry.cursor();
    const names = this.registry.changesSince(since, among);
    if (names === undefined) return { cursor, isExpired: true, peers: [], removed: [] };
    const nowMs = this.#directoryClock.now();
    const peers = names.flatMap((name) => this.registry.lookup(name, nowMs) ?? []);
    const removed = names.filter((name) => !peers.some((peer) => peer.name === name));
    return { cursor, isExpired: false, peers, removed };
  }

  /** Over HTTPS. */
  protected reachesDirectory(host: VirtualHost): boolean {
    return host.isReachable;
  }

  /** The directory's HTTPS side, as a program on this host sees it. */
  httpFor(host: VirtualHost): DirectoryHttp {
    const answer = <T>(give: () => T): Promise<T> =>
      new Promise((resolve, reject) => {
        host.clock.setTimeout(() => {
          if (this.isDirectoryDown || !this.reachesDirectory(host))
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
      changes: (cursor, among) => {
        this.questionsForChanges += 1;
        return answer(() => (this.hasCursors ? this.#changesSince(cursor, among) : undefined));
      },
    };
  }
}
