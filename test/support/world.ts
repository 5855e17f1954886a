/**
 * Real peers and a real directory on the virtual clock and network: everything but UDP, HTTPS and the system's randomness is
 * what users run. The same seed gives the same run, byte for byte.
 */
import { verify as verifySignature } from 'node:crypto';
import type { Random } from '../../machines/effects.ts';
import { createDirectoryMetrics } from '../../src/directory/directory-metrics.ts';
import type { Registry } from '../../src/directory/registry.ts';
import { openSqliteRegistry } from '../../src/directory/sqlite-registry.ts';
import { UdpSide } from '../../src/directory/udp-side.ts';
import { deterministicSigner, type KeyPair, keyPairFromSecret } from '../../src/identity/key-pair.ts';
import { type PublicKey, publicKeyBytes } from '../../src/identity/public-key.ts';
import type { JournalSink } from '../../src/journal/recorder.ts';
import { createSeededRandom, SEED_BYTES } from '../../src/journal/seeded-random.ts';
import { createPeer } from '../../src/peer/create-peer.ts';
import type { DirectoryHttp } from '../../src/peer/directory-http.ts';
import type { Peer, PeerFact, PeerOptions } from '../../src/peer/peer.ts';
import { steadyClock } from '../../src/runtime/steady-clock.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { MurmureError } from '../../src/wire/murmure-error.ts';
import type { SocketAddress } from '../../src/wire/socket-address.ts';
import { type SeededRandom, seededRandom } from './seeded-random.ts';
import { VirtualClock } from './virtual-clock.ts';
import { VirtualNetwork, type Weather } from './virtual-network.ts';

export interface VirtualPeer {
  readonly peer: Peer;
  readonly store: Store;
  readonly keyPair: KeyPair;
  /** Everything it told, in order. */
  readonly facts: PeerFact[];
  readonly ip: string;
}

export interface PeerSetup extends Partial<PeerOptions> {
  readonly follow?: readonly string[];
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

const DIRECTORY_ADDRESS = { ip: '10.0.0.1', port: 1194 };
const HTTP_DELAY_MS = 5;

export class World {
  readonly clock = new VirtualClock();
  readonly random: SeededRandom;
  readonly network: VirtualNetwork;
  readonly registry: Registry = openSqliteRegistry(':memory:');
  readonly peers: VirtualPeer[] = [];
  /** Names whose directory lookups fail, as if it were down. */
  isDirectoryDown = false;
  readonly #directoryClock = steadyClock(this.clock);
  /** Who registered over HTTPS, and when: ms since the beginning. */
  readonly registrations: { readonly name: string; readonly atMs: number }[] = [];
  #directory: UdpSide | undefined;
  #serverKey: PublicKey | undefined;

  constructor(seed: number, weather?: Weather) {
    this.random = seededRandom(seed);
    this.network = new VirtualNetwork(this.clock, this.random.fork('network'), weather);
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
      environment: { network: this.network, sign, verify, ...this.#randomOf('directory') },
    });
    await this.#directory.whenBound();
  }

  /** As if somebody at this IP address had registered over HTTPS. */
  vouchFor(ip: string): void {
    this.#directory?.vouchFor(ip);
  }

  stopDirectory(): void {
    this.#directory?.close();
  }

  /** A peer on a host of its own. */
  async addPeer(name: string, { follow = [], ...options }: PeerSetup = {}): Promise<VirtualPeer> {
    const { keyPair, sign } = await this.identity(name);
    const store = options.store ?? openSqliteStore(':memory:');
    for (const followed of follow) store.setFollowing(followed, true, this.clock.now());
    const ip = `10.0.1.${this.peers.length + 1}`;
    const peer = await createPeer({
      name,
      keyPair,
      directory: 'https://directory.example/',
      udp: [`${ip}:0`],
      journal: openJournal(name),
      ...options,
      store,
      environment: {
        clock: this.clock,
        ...this.#randomOf(name),
        network: this.network,
        http: this.#http(),
        sign,
        verify,
        ...options.environment,
      },
    });
    const facts: PeerFact[] = [];
    peer.on('*', (fact) => facts.push(fact));
    const added = { peer, store, keyPair, facts, ip };
    this.peers.push(added);
    return added;
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
    const sign = deterministicSigner(secret);
    return { keyPair, sign: async (message) => sign(message) };
  }

  /** As a journal would have it, whether there is one or not. */
  #randomOf(label: string): { random: Random; seed: Uint8Array } {
    const draw = this.random.fork(`seed of ${label}`);
    const seed = Uint8Array.from({ length: SEED_BYTES }, () => draw.uint32() & 0xff);
    return { random: createSeededRandom(seed), seed };
  }

  #http(): DirectoryHttp {
    const answer = <T>(give: () => T): Promise<T> =>
      new Promise((resolve, reject) => {
        this.clock.setTimeout(() => {
          if (this.isDirectoryDown) reject(new MurmureError('directory-unreachable', 'the directory is down'));
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
      peer: (name) => answer(() => this.registry.lookup(name, now())),
    };
  }
}

/** On the thread and settled at once, so that virtual time stays exact; ten times as fast as the same in JavaScript. */
async function verify(key: PublicKey, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  const bytes = Buffer.from(publicKeyBytes(key));
  const x = bytes.subarray(0, 32).toString('base64url');
  const y = bytes.subarray(32).toString('base64url');
  const jwk = { kty: 'EC', crv: 'P-256', x, y };
  return verifySignature('sha256', message, { key: jwk, format: 'jwk', dsaEncoding: 'ieee-p1363' }, signature);
}
