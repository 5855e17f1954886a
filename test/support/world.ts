/** Worlds as tests have them: with SQLite, journals, an oracle at every socket, and Node's own signatures. */
import { createHash, verify as verifySignature } from 'node:crypto';
import { openSqliteRegistry } from '../../src/directory/sqlite-registry.ts';
import { deterministicSigner } from '../../src/identity/deterministic-signer.ts';
import { type KeyPair, keyPairFromSecret } from '../../src/identity/key-pair.ts';
import { type PublicKey, publicKeyBytes } from '../../src/identity/public-key.ts';
import { record } from '../../src/journal/record.ts';
import type { JournalSink } from '../../src/journal/recorder.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Network } from '../../src/runtime/network.ts';
import { VirtualClock } from '../../src/simulation/virtual-clock.ts';
import type { Weather } from '../../src/simulation/virtual-network.ts';
import {
  type Identity,
  type PeerSetup,
  World as SimulatedWorld,
  type VirtualPeer,
} from '../../src/simulation/world.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import type { SocketAddress } from '../../src/wire/socket-address.ts';
import { watched } from '../oracle/watched-network.ts';

export type { PeerSetup, VirtualPeer };

export interface WorldOptions {
  /** For days of virtual time: signatures are seals, datagrams and facts are not kept, and nothing waits for the event loop. Default false. */
  readonly isLong?: boolean;
  /** Seals are hashes that anybody could make: for floods and hours, where real signatures are most of what a test costs. */
  readonly signatures?: 'real' | 'seals';
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

export class World extends SimulatedWorld {
  readonly #isSealed: boolean;

  constructor(
    seed: number,
    weather?: Weather,
    { isLong = false, signatures = isLong ? 'seals' : 'real' }: WorldOptions = {},
  ) {
    super({
      seed,
      weather,
      clock: new VirtualClock({ settles: isLong ? 'promises' : 'immediates' }),
      openStore: () => openSqliteStore(':memory:'),
      openRegistry: (run) => openSqliteRegistry(':memory:', { run }),
      keepsFacts: !isLong,
    });
    this.#isSealed = signatures === 'seals';
    this.network.isLogging = !isLong;
  }

  override addPeer(name: string, setup: PeerSetup = {}): Promise<VirtualPeer> {
    return super.addPeer(name, { bulk: hasBulk(this.peers.length), ...setup });
  }

  /** The directory has another owner of this name from now on, as one does that is run by somebody else: ours would not. */
  giveAway(name: string, { keyPair, address }: { readonly keyPair: KeyPair; readonly address: SocketAddress }): void {
    const onceItIsFreeMs = this.clock.now() + 91 * 24 * 3_600_000;
    this.registry.prove(name, keyPair.publicKey, address, onceItIsFreeMs);
  }

  override async identity(label: string): Promise<Identity & { readonly keyPair: KeyPair }> {
    const secret = this.secretOf(label);
    const keyPair = await keyPairFromSecret(secret);
    if (this.#isSealed) return { keyPair, sign: async (message) => seal(keyPair.publicKey, message) };
    const sign = deterministicSigner(secret);
    return { keyPair, sign: async (message) => sign(message) };
  }

  protected override readonly recording = { record };

  protected override journalFor(name: string): JournalSink | undefined {
    return openJournal(name);
  }

  protected override networkFor(name: string, network: Network, clock: Clock): Network {
    return watched(name, network, clock);
  }

  protected override readonly verify = async (key: PublicKey, message: Uint8Array, signature: Uint8Array) =>
    this.#isSealed ? seal(key, message).equals(signature) : verify(key, message, signature);
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
