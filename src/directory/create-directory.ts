/** Puts a directory together (protocol §3, §5, §8): HTTPS routes, the UDP machine with its effects, and the registry between them. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from 'pino';
import { createActor } from 'xstate';
import { addressProofMachine } from '../../machines/address-proof.machine.ts';
import { directoryMachine } from '../../machines/directory.machine.ts';
import type { DirectoryFact } from '../../machines/directory-context.ts';
import type { Random } from '../../machines/effects.ts';
import type { Delivery } from '../../machines/events.ts';
import { timing } from '../../machines/timing.ts';
import { createKeyFile, loadKeyFile } from '../identity/key-file.ts';
import { generateKeyPair, type KeyPair } from '../identity/key-pair.ts';
import type { PublicKey } from '../identity/public-key.ts';
import { createVerifier } from '../identity/verify.ts';
import { record } from '../journal/record.ts';
import type { JournalSink, Recorder } from '../journal/recorder.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { Gate } from '../runtime/gate.ts';
import { every } from '../runtime/interval.ts';
import type { Network } from '../runtime/network.ts';
import { createSystemRandom } from '../runtime/random.ts';
import { type Self, type SharedDependencies, shareEffects } from '../runtime/shared-effects.ts';
import { SocketBank } from '../runtime/socket-bank.ts';
import { createUdpNetwork } from '../runtime/udp-network.ts';
import { MurmureError } from '../wire/murmure-error.ts';
import { isIPv6, parseAddress, type SocketAddress } from '../wire/socket-address.ts';
import { type Certificate, checkCertificate, loadOrCreateCertificate, selfSignedCertificate } from './certificate.ts';
import type { Directory, DirectoryOptions } from './directory.ts';
import { createDirectoryMetrics, type DirectoryMetrics } from './directory-metrics.ts';
import { fileNames } from './file-names.ts';
import { createHttpServer, type HttpServer } from './http-server.ts';
import { createMemoryRegistry } from './memory-registry.ts';
import type { Registry } from './registry.ts';
import { openSqliteRegistry } from './sqlite-registry.ts';

const DEFAULT_RATE = { perSecond: 100, burst: 500 };

/**
 * Starts a directory (protocol §3, §5, §8); resolves once HTTPS and UDP are bound.
 * @throws MurmureError if an address cannot be bound, or what is in `home`, or the certificate, cannot be used
 */
export async function createDirectory(options: DirectoryOptions = {}): Promise<Directory> {
  const { home, bindingDays, logger } = options;
  const listen = parseListen(options.listen ?? '127.0.0.1:0', 'HTTPS');
  const binds = (options.udp ?? ['127.0.0.1:0']).map((text) => parseListen(text, 'UDP'));
  const publicAddresses = options.publicAddresses?.map((text) => parseListen(text, 'UDP')).sort(byFamily);
  if (home !== undefined) await createFolder(home);
  const certificate = await certificateFor(options, [listen.ip, ...(publicAddresses ?? []).map(({ ip }) => ip)]);
  const keyPair = options.keyPair ?? (await keyPairFor(home));
  const registryOptions = bindingDays === undefined ? {} : { bindingDays };
  const registry =
    home === undefined
      ? createMemoryRegistry(registryOptions)
      : openSqliteRegistry(path.join(home, fileNames.registry), registryOptions);
  const metrics = createDirectoryMetrics();
  const udp = new UdpSide({ registry, keyPair, binds, metrics, logger, journal: options.journal });
  let http: HttpServer | undefined;
  try {
    await udp.whenBound();
    http = createHttpServer({
      registry,
      udpAddresses: () => publicAddresses ?? udp.addresses,
      serverKey: () => keyPair.publicKey,
      now: () => Date.now(),
      certificate,
      metrics,
      rate: options.rate ?? DEFAULT_RATE,
      ...(logger === undefined ? {} : { logger }),
    });
    const url = await http.listen(listen);
    return new RunningDirectory({ url, ca: certificate.cert, serverKey: keyPair.publicKey, udp, http, registry });
  } catch (error) {
    udp.close();
    await http?.close();
    registry.close();
    throw error;
  }
}

async function createFolder(home: string): Promise<void> {
  try {
    await mkdir(home, { recursive: true, mode: 0o700 });
  } catch (error) {
    const message = `the folder ${home} cannot be created: ${(error as Error).message}; choose another home`;
    throw new MurmureError('unexpected', message, { cause: error });
  }
}

/** Peers remember who answers for a directory: its key outlives a restart. */
async function keyPairFor(home: string | undefined): Promise<KeyPair> {
  if (home === undefined) return generateKeyPair();
  const file = path.join(home, fileNames.signingKey);
  if (existsSync(file)) return loadKeyFile(file);
  const keyPair = await generateKeyPair();
  await createKeyFile(file, keyPair);
  return keyPair;
}

async function certificateFor(options: DirectoryOptions, hosts: string[]): Promise<Certificate> {
  const { certificate, home } = options;
  if (certificate !== undefined) return checkCertificate(certificate);
  return home === undefined ? selfSignedCertificate(hosts) : loadOrCreateCertificate(home, hosts);
}

function parseListen(text: string, what: string): SocketAddress {
  const parsed = parseAddress(text.replace(/^localhost:/, '127.0.0.1:'));
  if (!parsed.ok) throw new MurmureError('usage', `${text} is not an address for ${what}: ${parsed.why}`);
  return parsed.value;
}

/** IPv4 first. */
function byFamily(a: SocketAddress, b: SocketAddress): number {
  return Number(isIPv6(a)) - Number(isIPv6(b));
}

interface Parts {
  readonly url: string;
  readonly ca: string;
  readonly serverKey: PublicKey;
  readonly udp: UdpSide;
  readonly http: HttpServer;
  readonly registry: Registry;
}

class RunningDirectory implements Directory {
  readonly url: string;
  readonly ca: string;
  readonly serverKey: PublicKey;
  readonly #parts: Parts;
  #closing: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.url = parts.url;
    this.ca = parts.ca;
    this.serverKey = parts.serverKey;
    this.#parts = parts;
  }

  get udp(): readonly SocketAddress[] {
    return this.#parts.udp.addresses;
  }

  on: Directory['on'] = (type, listener) => this.#parts.udp.on(type, listener);

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const { udp, http, registry } = this.#parts;
    udp.close();
    await http.close();
    registry.close();
  }
}

export interface UdpSideOptions {
  readonly registry: Registry;
  readonly keyPair: KeyPair;
  readonly binds: readonly SocketAddress[];
  readonly metrics: DirectoryMetrics;
  readonly logger?: Logger | undefined;
  /** Writes down what enters the UDP side, so that the run can be replayed. Closed with the directory. */
  readonly journal?: JournalSink | undefined;
  /** Provided in tests. */
  readonly environment?: {
    readonly clock: Clock;
    readonly random: Random;
    readonly network: Network;
    readonly sign: SharedDependencies['sign'];
    readonly verify: SharedDependencies['verify'];
    /** 32 bytes, from which all randomness comes when a journal is written. */
    readonly seed?: Uint8Array;
  };
}

/** The directory machine on its sockets. */
export class UdpSide {
  readonly #sockets: SocketBank;
  readonly #gate: Gate;
  readonly #recorder: Recorder | undefined;
  readonly #actor;
  readonly #stopSweeping: () => void;
  readonly #bound = new Map<number, SocketAddress>();

  constructor({ registry, keyPair, binds, metrics, logger, journal, environment }: UdpSideOptions) {
    const clock = environment?.clock ?? systemClock;
    const recording = record({ root: 'directory', sink: journal, seed: environment?.seed, clock, input: { binds } });
    this.#recorder = recording?.recorder;
    this.#gate = new Gate(clock, this.#recorder);
    this.#sockets = new SocketBank(environment?.network ?? createUdpNetwork());
    const machine = provideDirectory({
      registry,
      logger,
      sockets: this.#sockets,
      clock,
      gate: this.#gate,
      sign: environment?.sign ?? ((message) => keyPair.sign(message)),
      verify: environment?.verify ?? createVerifier({ maxKeys: 4_096 }),
    });
    const random = recording?.random ?? environment?.random ?? createSystemRandom();
    this.#actor = createActor(machine, { id: 'directory', clock: this.#gate.clock, input: { binds, random } });
    this.#actor.on('socket.bound', ({ index, address }) => this.#bound.set(index, address));
    this.#actor.on('*', (fact) => {
      metrics.count(fact);
      logger?.debug(fact, fact.type);
    });
    this.#actor.subscribe({
      error: (error) => {
        logger?.error(error, 'the directory machine broke down');
        this.#gate.close();
        this.#sockets.closeAll();
      },
    });
    this.#stopSweeping = every(clock, timing.sweepInterval, () =>
      this.#gate.submit(this.#actor, { type: 'sweep', atMs: clock.now() }),
    );
    this.#actor.start();
  }

  /** As bound, IPv4 first. */
  get addresses(): SocketAddress[] {
    return [...this.#bound.values()].sort(byFamily);
  }

  on: Directory['on'] = (type, listener) => {
    const subscription = this.#actor.on(type as '*', listener as (fact: DirectoryFact) => void);
    return () => subscription.unsubscribe();
  };

  whenBound(): Promise<void> {
    const wanted = this.#actor.getSnapshot().context.binds.length;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const isBound = () => this.#bound.size >= wanted && resolve();
    const stops = [
      this.on('socket.bound', isBound),
      this.on('socket.failed', ({ why }) => reject(new MurmureError('unexpected', why))),
    ];
    isBound();
    return promise.finally(() => {
      for (const stop of stops) stop();
    });
  }

  close(): void {
    this.#stopSweeping();
    this.#recorder?.end(this.#actor);
    this.#gate.enter(this.#actor, { type: 'directory.stop' });
    this.#sockets.closeAll();
  }
}

type Dependencies = SharedDependencies & Pick<UdpSideOptions, 'registry' | 'logger'>;

function provideDirectory({ registry, logger, ...shared }: Dependencies) {
  const { clock } = shared;
  const { enter, isGenuine, sendSigned, request, socket } = shareEffects(shared);

  /** An effect that throws ends its machine: what fails for one peer, the disk being full, say, must not end it for all. */
  const survive = async (what: string, work: () => unknown): Promise<void> => {
    try {
      await work();
    } catch (error) {
      logger?.error(error, `${what} failed`);
    }
  };

  const statusOf = async (hello: Delivery): Promise<{ status: string; key: PublicKey | undefined }> => {
    const { datagram, signature, signed } = hello.received;
    const name = datagram.type === 'Hello' ? datagram.name : '';
    // Only a directory has no name, and no other one is known here (protocol §5).
    if (name === '') return { status: 'forged', key: undefined };
    const keys = registry.candidateKeys(name, clock.now());
    if (keys.length === 0) return { status: 'unregistered', key: undefined };
    for (const key of keys) {
      if (key === undefined) return { status: 'registered', key };
      if (signature !== undefined && (await isGenuine({ key, signed, signature })))
        return { status: 'registered', key };
    }
    return { status: 'forged', key: undefined };
  };

  return directoryMachine.provide({
    actors: { socket, addressProof: addressProofMachine.provide({ actors: { request } }) },
    actions: {
      checkHello: ({ self }: Self, { hello }: { hello: Delivery }) =>
        survive('looking up who says Hello', async () =>
          enter(self, { type: 'hello.checked', hello, ...(await statusOf(hello)) }),
        ),
      checkTraversal: ({ self }: Self, { sender, target }: { sender: SocketAddress; target: SocketAddress }) =>
        survive('looking up whom to reach through a NAT', () =>
          enter(self, { type: 'traversal.checked', sender, target, isListed: registry.isListed(target, clock.now()) }),
        ),
      listAddress: (_: unknown, { name, key, address, atMs }: ListParams) =>
        survive('listing an address', () => {
          // While this proof was under way somebody else may have bound the name to another key.
          if (registry.register(name, key, atMs) === 'accepted') registry.prove(name, key, address, atMs);
        }),
      forgetExpired: (_: unknown, { atMs }: { atMs: number }) =>
        survive('forgetting what has expired', () => registry.expire(atMs)),
      sendSigned,
    },
  });
}

type ListParams = { name: string; key: PublicKey | undefined; address: SocketAddress; atMs: number };
