/** The engine: connections to Redis or Valkey, alone or as a cluster, and what is asked of it. npm `redis` is loaded here only. */
import { createHash } from 'node:crypto';
import { MurmureError } from '../../wire/murmure-error.ts';
import { SCRIPT } from './script.ts';
import { keysOf, SHARES } from './shares.ts';

/** Whoever does not answer within this counts as away. */
const ANSWER_MS = 2_000;
/** How long a read for changes waits for some. */
const BLOCK_MS = 1_000;
/** A cluster has no read that waits for several shares. */
const CLUSTER_PAUSE_MS = 50;
const RECONNECT_MS = 250;
const SCRIPT_SHA = createHash('sha1').update(SCRIPT).digest('hex');

/** The engine cannot be reached, or refuses to write: what was asked may have been done or not. */
export class EngineAwayError extends MurmureError {
  override readonly name = 'EngineAwayError';

  constructor(cause: unknown) {
    super('unexpected', `the engine of the registry cannot be used (${(cause as Error).message})`, { cause });
  }
}

export interface Change {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly record: string;
  /** The id of the entry before it. */
  readonly prev: string;
}

/** What the script answers, whatever it was asked. */
export interface Answer {
  readonly status: string;
  readonly epoch: string;
  /** The id of the latest change. */
  readonly last: string;
  readonly runningMs: number;
  readonly steadyMs: number;
  readonly record: string;
  readonly extra: string;
}

export interface Engine {
  /** Runs the script on a share. @throws EngineAwayError */
  run(share: number, args: readonly string[]): Promise<Answer>;
  /** As `run`; resolves once a replica has it too, where there are any. @throws EngineAwayError */
  runSafely(share: number, args: readonly string[]): Promise<Answer>;
  /** All names of a share and their records, some at a time. */
  names(share: number): AsyncGenerator<[string, string]>;
  /** Changes of a share that were made since this time of the engine's clock, in ms. */
  changesSince(share: number, clockMs: number): Promise<Change[]>;
  /** Waits for changes after these, by share, for a moment; undefined: none came. */
  waitForChanges(after: readonly string[]): Promise<[share: number, changes: Change[]][]>;
  /** Any other command, by the key that it is about. @throws EngineAwayError */
  command(key: string, args: readonly string[]): Promise<unknown>;
  subscribe(channel: string, listener: (message: string) => void): Promise<void>;
  publish(channel: string, message: string): Promise<void>;
  close(): void;
}

/** What of npm `redis` is used here; a client and a cluster differ in `send` alone. */
interface Connection {
  connect(): Promise<unknown>;
  destroy(): void;
  send(key: string, args: string[]): Promise<unknown>;
  /** To the node that has the key, and on the connection that writes it: of a cluster, `send` asks all nodes some commands. */
  sendToNode(key: string, args: string[]): Promise<unknown>;
  sSubscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
}

/**
 * Connects, and checks what the engine must be set to.
 * @throws MurmureError if it cannot be reached, is too old, or would forget what it has acknowledged
 */
export async function openEngine(url: string, warn: (message: string) => void): Promise<Engine> {
  const { connect, isCluster } = await connector(url);
  await requireSettings(connect, warn).catch((error) => {
    throw error instanceof MurmureError ? error : unreachable(url, error);
  });
  const [writer, reader, listener] = [connect(), connect(), connect()];
  const all = [writer, reader, listener];
  await Promise.all(all.map((connection) => connection.connect())).catch((error) => {
    for (const connection of all) connection.destroy();
    throw unreachable(url, error);
  });
  return new RedisEngine(writer, reader, listener, isCluster);
}

class RedisEngine implements Engine {
  readonly #writer: Connection;
  readonly #reader: Connection;
  readonly #listener: Connection;
  readonly #isCluster: boolean;

  constructor(writer: Connection, reader: Connection, listener: Connection, isCluster: boolean) {
    this.#writer = writer;
    this.#reader = reader;
    this.#listener = listener;
    this.#isCluster = isCluster;
  }

  async run(share: number, args: readonly string[]): Promise<Answer> {
    const { names, changes, state } = keysOf(share);
    const rest = ['3', names, changes, state, ...args];
    const reply = await this.command(names, ['EVALSHA', SCRIPT_SHA, ...rest]).catch((error: EngineAwayError) => {
      if (!/NOSCRIPT/.test(error.message)) throw error;
      return this.command(names, ['EVAL', SCRIPT, ...rest]);
    });
    const [status = '', epoch = '', last = '', running, steady, record = '', extra = ''] = reply as string[];
    return { status, epoch, last, runningMs: Number(running), steadyMs: Number(steady), record, extra };
  }

  async runSafely(share: number, args: readonly string[]): Promise<Answer> {
    const answer = await this.run(share, args);
    const { names } = keysOf(share);
    // There may be some today and none tomorrow: one may have taken over.
    const info = String(await inTime(this.#writer.sendToNode(names, ['INFO', 'replication'])));
    if (/connected_slaves:0\b/.test(info)) return answer;
    // On the connection that wrote: it waits for what was written there.
    const replicas = await inTime(this.#writer.sendToNode(names, ['WAIT', '1', `${ANSWER_MS / 2}`]));
    if (Number(replicas) === 0) throw new EngineAwayError(new Error('no replica has acknowledged the change'));
    return answer;
  }

  async *names(share: number): AsyncGenerator<[string, string]> {
    const { names } = keysOf(share);
    let cursor = '0';
    do {
      const [next, fields] = (await this.command(names, ['HSCAN', names, cursor, 'COUNT', '512'])) as [
        string,
        string[],
      ];
      cursor = next;
      for (let i = 0; i < fields.length; i += 2) yield [fields[i] as string, fields[i + 1] as string];
    } while (cursor !== '0');
  }

  async changesSince(share: number, clockMs: number): Promise<Change[]> {
    const { changes } = keysOf(share);
    return entries(await this.command(changes, ['XRANGE', changes, `${Math.max(0, Math.floor(clockMs))}-0`, '+']));
  }

  async waitForChanges(after: readonly string[]): Promise<[number, Change[]][]> {
    const keys = after.map((_, share) => keysOf(share).changes);
    if (!this.#isCluster) {
      const args = ['XREAD', 'COUNT', '256', 'BLOCK', `${BLOCK_MS}`, 'STREAMS', ...keys, ...after];
      const reply = (await this.#reader.send('', args)) as [string, unknown][] | null;
      return (reply ?? []).map(([key, found]) => [keys.indexOf(key), entries(found)]);
    }
    const found = await Promise.all(
      keys.map(async (key, share): Promise<[number, Change[]]> => {
        const args = ['XREAD', 'COUNT', '256', 'STREAMS', key, after[share] as string];
        const reply = (await this.#reader.send(key, args)) as [string, unknown][] | null;
        return [share, entries(reply?.[0]?.[1] ?? [])];
      }),
    );
    const some = found.filter(([, changes]) => changes.length > 0);
    if (some.length === 0) await new Promise((resolve) => setTimeout(resolve, CLUSTER_PAUSE_MS));
    return some;
  }

  command(key: string, args: readonly string[]): Promise<unknown> {
    return inTime(this.#writer.send(key, [...args]));
  }

  async subscribe(channel: string, listener: (message: string) => void): Promise<void> {
    await this.#listener.sSubscribe(channel, listener);
  }

  async publish(channel: string, message: string): Promise<void> {
    await this.command(channel, ['SPUBLISH', channel, message]);
  }

  close(): void {
    for (const connection of [this.#writer, this.#reader, this.#listener]) connection.destroy();
  }
}

/** @throws EngineAwayError if it fails, or takes too long */
async function inTime<T>(answer: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const giveUp = () => reject(new Error(`no answer within ${ANSWER_MS / 1_000} s`));
  // If it was us who were busy, the answer may have come: it is read before this turn of the event loop ends.
  const timer = setTimeout(() => setImmediate(giveUp), ANSWER_MS);
  try {
    return await Promise.race([answer, promise]);
  } catch (error) {
    throw new EngineAwayError(error);
  } finally {
    clearTimeout(timer);
  }
}

function entries(reply: unknown): Change[] {
  return (reply as [string, string[]][]).map(([id, fields]) => {
    const {
      kind = '',
      name = '',
      record = '',
      prev = '',
    } = Object.fromEntries(Array.from({ length: fields.length / 2 }, (_, i) => [fields[2 * i], fields[2 * i + 1]]));
    return { id, kind, name, record, prev };
  });
}

async function connector(url: string): Promise<{ connect: () => Connection; isCluster: boolean }> {
  const nodes = nodesOf(url);
  const { createClient, createCluster } = await import('redis');
  const shared = {
    RESP: 2,
    disableOfflineQueue: true,
    socket: { connectTimeout: ANSWER_MS, reconnectStrategy: RECONNECT_MS },
  } as const;
  const single = (url: string): Connection => {
    const client = createClient({ url, ...shared });
    // Each command says itself what became of it; without a listener an error would end the process.
    client.on('error', () => {});
    return {
      connect: () => firstTime(client),
      destroy: () => client.destroy(),
      send: (_key, args) => client.sendCommand(args),
      sendToNode: (_key, args) => client.sendCommand(args),
      sSubscribe: (channel, listener) => client.sSubscribe(channel, listener),
    };
  };
  // Of a cluster, some nodes may be down.
  const [isCluster, node] = await Promise.any(
    nodes.map(async (one): Promise<[boolean, string]> => {
      const probe = single(one);
      try {
        await probe.connect();
        return [String(await probe.send('', ['INFO', 'cluster'])).includes('cluster_enabled:1'), one];
      } finally {
        probe.destroy();
      }
    }),
  ).catch(({ errors }: AggregateError) => {
    throw unreachable(url, errors[0]);
  });
  if (!isCluster) return { connect: () => single(node), isCluster };
  const { username, password, protocol } = new URL(nodes[0] as string);
  const login = {
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
  };
  const socket = protocol === 'rediss:' ? { ...shared.socket, tls: true as const } : shared.socket;
  const clustered = (): Connection => {
    const cluster = createCluster({
      RESP: 2,
      rootNodes: nodes.map((one) => ({ url: one })),
      topologyRefreshOnReconnectionAttemptStrategy: 2 * RECONNECT_MS,
      defaults: { disableOfflineQueue: true, socket, ...login },
    });
    cluster.on('error', () => {});
    return {
      connect: () => cluster.connect(),
      destroy: () => cluster.destroy(),
      send: (key, args) => cluster.sendCommand(key, false, args),
      sendToNode: async (key, args) => (await cluster.getNodeClientForKey(key, false)).sendCommand(args),
      sSubscribe: (channel, listener) => cluster.sSubscribe(channel, listener),
    };
  };
  return { connect: clustered, isCluster };
}

/** A client reconnects for ever; what cannot be reached at the start is a mistake. */
async function firstTime(client: {
  connect(): Promise<unknown>;
  destroy(): void;
  once(event: 'error', listener: (error: Error) => void): unknown;
}) {
  const failed = Promise.withResolvers<never>();
  client.once('error', failed.reject);
  await Promise.race([client.connect(), failed.promise]);
}

function nodesOf(url: string): string[] {
  const [first = '', ...others] = url.split(',');
  const parsed = URL.canParse(first) ? new URL(first) : undefined;
  if (parsed === undefined || !/^rediss?:$/.test(parsed.protocol) || parsed.hostname === '') {
    const message = `${safeUrl(url)} names no engine: write redis://HOST:PORT or rediss://USER:PASSWORD@HOST:PORT, several nodes of a cluster as redis://HOST:PORT,HOST:PORT`;
    throw new MurmureError('usage', message);
  }
  const credentials = first.slice(0, first.includes('@') ? first.lastIndexOf('@') + 1 : `${parsed.protocol}//`.length);
  return [first, ...others.map((host) => `${credentials}${host}`)];
}

/** A password belongs in no log. */
export function safeUrl(url: string): string {
  return url.replace(/\/\/[^/]*@/, '//');
}

function unreachable(url: string, error: unknown): MurmureError {
  const { message: said, code = '' } = error as NodeJS.ErrnoException;
  const remedy = /CERT|ISSUER/.test(code)
    ? 'set NODE_EXTRA_CA_CERTS to the certificate of its authority'
    : 'check that it runs there, and its user and password';
  const message = `the engine of the registry at ${safeUrl(url)} cannot be used (${said || code}): ${remedy}`;
  return new MurmureError('unexpected', message, { cause: error });
}

/** @throws MurmureError if it is set to forget */
async function requireSettings(connect: () => Connection, warn: (message: string) => void): Promise<void> {
  const connection = connect();
  await connection.connect();
  try {
    const ask = async (...args: string[]) => connection.send(keysOf(SHARES - 1).names, args);
    const info = String(await ask('INFO'));
    const version = Number(/redis_version:(\d+)/.exec(info)?.[1]);
    if (version < 7) throw refused(`it is version ${version}, and sharded channels need 7.0: update it`);
    const settings = await ask('CONFIG', 'GET', 'appendonly', 'appendfsync', 'maxmemory', 'maxmemory-policy').catch(
      () => undefined,
    );
    if (settings === undefined) {
      warn(
        'the engine lets nobody read its settings: see to it that appendonly is yes, and maxmemory-policy noeviction',
      );
    } else checkSettings(settings as string[], warn);
  } finally {
    connection.destroy();
  }
}

function checkSettings(fields: readonly string[], warn: (message: string) => void): void {
  const setting = (name: string) => fields[fields.indexOf(name) + 1];
  if (setting('appendonly') !== 'yes')
    throw refused(
      'it would forget all bindings when it stops: set appendonly to yes (CONFIG SET appendonly yes, and in its file)',
    );
  if (setting('maxmemory') !== '0' && setting('maxmemory-policy') !== 'noeviction')
    throw refused('it would forget names when it is full: set maxmemory-policy to noeviction');
  if (setting('appendfsync') !== 'always')
    warn(
      'the engine writes to its disk once a second: a power cut may lose the bindings of that second; set appendfsync to always',
    );
}

function refused(why: string): MurmureError {
  return new MurmureError('usage', `the engine cannot keep a registry as it is set: ${why}`);
}
