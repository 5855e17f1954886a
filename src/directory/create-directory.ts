/** Puts a directory together (protocol §3, §5, §8): HTTPS routes, the UDP side, and the registry between them. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { createKeyFile, loadKeyFile } from '../identity/key-file.ts';
import { generateKeyPair, type KeyPair } from '../identity/key-pair.ts';
import type { PublicKey } from '../identity/public-key.ts';
import { createVerifier } from '../identity/verify.ts';
import { record } from '../journal/record.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { createSystemRandom } from '../runtime/random.ts';
import { steadyClock } from '../runtime/steady-clock.ts';
import { createUdpNetwork } from '../runtime/udp-network.ts';
import { takeLock } from '../store/process-lock.ts';
import { MurmureError } from '../wire/murmure-error.ts';
import { byFamily, formatAddress, parseAddress, type SocketAddress } from '../wire/socket-address.ts';
import {
  type Certificate,
  checkCertificate,
  loadOrCreateCertificate,
  nameInstead,
  selfSignedCertificate,
  WILDCARDS,
} from './certificate.ts';
import type { Directory, DirectoryOptions } from './directory.ts';
import { createDirectoryMetrics } from './directory-metrics.ts';
import { fileNames } from './file-names.ts';
import { createHttpServer, type HttpServer } from './http-server.ts';
import type { Instances } from './redis/index.ts';
import type { Registry, RegistryStatus } from './registry.ts';
import { openSqliteRegistry } from './sqlite-registry.ts';
import { UdpSide } from './udp-side.ts';

const DEFAULT_RATE = { perSecond: 100, burst: 500 };

/** Two directories on one home would give different answers, and both write to its registry. */
export class DirectoryRunsError extends MurmureError {
  override readonly name = 'DirectoryRunsError';

  constructor(home: string, pid: number | undefined) {
    const who = pid === undefined ? '' : ` (process ${pid})`;
    super('in-use', `another directory${who} runs on ${home}: stop it first, or use another home`);
  }
}

/**
 * Starts a directory (protocol §3, §5, §8); resolves once HTTPS and UDP are bound.
 * @throws DirectoryRunsError if another one runs on this home
 * @throws MurmureError if an address cannot be bound, or what is in `home`, or the certificate, cannot be used
 */
export async function createDirectory(options: DirectoryOptions = {}): Promise<Directory> {
  const { home, logger } = options;
  const listen = parseListen(options.listen ?? '127.0.0.1:0', 'HTTPS');
  const binds = (options.udp ?? ['127.0.0.1:0']).map((text) => parseListen(text, 'UDP'));
  const publicAddresses = options.publicAddresses?.map((text) => parseListen(text, 'UDP')).sort(byFamily);
  // What was opened is closed again, the latest first, if something after it fails.
  await using resources = new AsyncDisposableStack();
  if (home !== undefined) {
    await createFolder(home);
    resources.use(takeLock(path.join(home, fileNames.lock), (pid) => new DirectoryRunsError(home, pid)));
  }
  const certificate = await certificateFor(options, [listen.ip, ...(publicAddresses ?? binds).map(({ ip }) => ip)]);
  const keyPair = options.keyPair ?? (await keyPairFor(home));
  const clock = steadyClock(systemClock);
  const { registry, instances } = await openRegistry(options, clock);
  resources.defer(() => registry.close());
  // For a million names this takes a second, so it is done now, before anybody waits.
  registry.peers(clock.now());
  const metrics = createDirectoryMetrics();
  const { journal } = options;
  const environment = {
    random: createSystemRandom(),
    network: createUdpNetwork(),
    sign: (message: Uint8Array) => keyPair.sign(message),
    verify: createVerifier({ maxKeys: 4_096 }),
    record,
  };
  const udp = new UdpSide({ registry, instances, binds, metrics, clock, logger, journal, environment });
  resources.defer(() => udp.close());
  await udp.whenBound();
  const ownAddresses = () => publicAddresses ?? udp.addresses;
  if (instances !== undefined) {
    await instances.join(ownAddresses(), keyPair.publicKey, (order) => udp.forward(order));
    resources.defer(() => instances.leave());
  }
  const http = createHttpServer({
    registry,
    udpAddresses: () => instances?.addresses ?? ownAddresses(),
    status: registry,
    serverKey: () => keyPair.publicKey,
    now: () => clock.now(),
    onRegistered: (ip) => udp.vouchFor(ip),
    certificate,
    metrics,
    rate: options.rate ?? DEFAULT_RATE,
    ...(logger === undefined ? {} : { logger }),
  });
  resources.defer(() => http.close());
  const url = urlOf(await http.listen(listen), ownAddresses(), certificate);
  const { publicKey: serverKey } = keyPair;
  return new RunningDirectory({ url, ca: certificate.cert, serverKey, udp, http, resources: resources.move() });
}

interface OpenRegistry {
  readonly registry: Registry & RegistryStatus;
  /** Of a registry that is shared. */
  readonly instances?: Instances;
}

async function openRegistry(options: DirectoryOptions, clock: Clock): Promise<OpenRegistry> {
  const { home, bindingDays, logger } = options;
  if (options.registry === undefined) {
    const file = home === undefined ? ':memory:' : path.join(home, fileNames.registry);
    return { registry: openSqliteRegistry(file, { bindingDays }) };
  }
  // Whoever has one instance loads no client of an engine.
  const { openRedisRegistry, Instances } = await import('./redis/index.ts');
  const warn = (message: string) => logger?.warn(message);
  const registry = await openRedisRegistry(options.registry, { bindingDays, clock, warn });
  return { registry, instances: new Instances(registry, () => clock.now()) };
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

/** Where peers find it: by a name or an address that the certificate is for. One that listens everywhere is where its UDP side is. */
function urlOf({ ip, port }: SocketAddress, [udp]: readonly SocketAddress[], { cert }: Certificate): string {
  const host = WILDCARDS.has(ip) ? (udp?.ip ?? ip) : ip;
  const name = nameInstead(cert, host);
  return name === undefined ? `https://${formatAddress({ ip: host, port })}/` : `https://${name}:${port}/`;
}

function parseListen(text: string, what: string): SocketAddress {
  const parsed = parseAddress(text.replace(/^localhost:/, '127.0.0.1:'));
  if (!parsed.ok) throw new MurmureError('usage', `${text} is not an address for ${what}: ${parsed.why}`);
  return parsed.value;
}

interface Parts {
  readonly url: string;
  readonly ca: string;
  readonly serverKey: PublicKey;
  readonly udp: UdpSide;
  readonly http: HttpServer;
  /** Everything that it opened. */
  readonly resources: AsyncDisposableStack;
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

  useCertificate(certificate: Certificate): void {
    this.#parts.http.useCertificate(checkCertificate(certificate));
  }

  on: Directory['on'] = (type, listener) => this.#parts.udp.on(type, listener);

  close(): Promise<void> {
    this.#closing ??= this.#parts.resources.disposeAsync();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
