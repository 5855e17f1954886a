/** Puts a directory together (protocol §3, §5, §8): HTTPS routes, the UDP side, and the registry between them. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { createKeyFile, loadKeyFile } from '../identity/key-file.ts';
import { generateKeyPair, type KeyPair } from '../identity/key-pair.ts';
import type { PublicKey } from '../identity/public-key.ts';
import { systemClock } from '../runtime/clock.ts';
import { steadyClock } from '../runtime/steady-clock.ts';
import { takeLock } from '../store/process-lock.ts';
import { MurmureError } from '../wire/murmure-error.ts';
import { byFamily, parseAddress, type SocketAddress } from '../wire/socket-address.ts';
import { type Certificate, checkCertificate, loadOrCreateCertificate, selfSignedCertificate } from './certificate.ts';
import type { Directory, DirectoryOptions } from './directory.ts';
import { createDirectoryMetrics } from './directory-metrics.ts';
import { fileNames } from './file-names.ts';
import { createHttpServer } from './http-server.ts';
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
  const { home, bindingDays, logger } = options;
  const listen = parseListen(options.listen ?? '127.0.0.1:0', 'HTTPS');
  const binds = (options.udp ?? ['127.0.0.1:0']).map((text) => parseListen(text, 'UDP'));
  const publicAddresses = options.publicAddresses?.map((text) => parseListen(text, 'UDP')).sort(byFamily);
  // What was opened is closed again, the latest first, if something after it fails.
  await using resources = new AsyncDisposableStack();
  if (home !== undefined) {
    await createFolder(home);
    resources.use(takeLock(path.join(home, fileNames.lock), (pid) => new DirectoryRunsError(home, pid)));
  }
  const certificate = await certificateFor(options, [listen.ip, ...(publicAddresses ?? []).map(({ ip }) => ip)]);
  const keyPair = options.keyPair ?? (await keyPairFor(home));
  const registry = openSqliteRegistry(home === undefined ? ':memory:' : path.join(home, fileNames.registry), {
    bindingDays,
  });
  resources.defer(() => registry.close());
  const metrics = createDirectoryMetrics();
  const clock = steadyClock(systemClock);
  const udp = new UdpSide({ registry, keyPair, binds, metrics, clock, logger, journal: options.journal });
  resources.defer(() => udp.close());
  await udp.whenBound();
  const http = createHttpServer({
    registry,
    udpAddresses: () => publicAddresses ?? udp.addresses,
    serverKey: () => keyPair.publicKey,
    now: () => clock.now(),
    onRegistered: (ip) => udp.vouchFor(ip),
    certificate,
    metrics,
    rate: options.rate ?? DEFAULT_RATE,
    ...(logger === undefined ? {} : { logger }),
  });
  resources.defer(() => http.close());
  const url = await http.listen(listen);
  const { publicKey: serverKey } = keyPair;
  return new RunningDirectory({ url, ca: certificate.cert, serverKey, udp, resources: resources.move() });
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

interface Parts {
  readonly url: string;
  readonly ca: string;
  readonly serverKey: PublicKey;
  readonly udp: UdpSide;
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

  on: Directory['on'] = (type, listener) => this.#parts.udp.on(type, listener);

  close(): Promise<void> {
    this.#closing ??= this.#parts.resources.disposeAsync();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
