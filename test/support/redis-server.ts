/** A real redis-server for a test: on a free port, in a folder of its own, with the settings that a registry needs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** Of the process that runs now. */
  readonly pid: number;
  readonly folder: string;
  /** Sends one command, and gives its answer as it stands in the protocol. */
  ask(...command: string[]): Promise<string>;
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** As the power switch does it. */
  kill(): Promise<void>;
  /** On the same port; `empty`: without what it has kept. */
  start(options?: { empty?: boolean }): Promise<void>;
  /** For good. */
  stop(): Promise<void>;
}

const SETTINGS = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', '', '--bind', '127.0.0.1'];

export async function startRedis(settings: readonly string[] = []): Promise<RedisServer> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'murmure-redis-'));
  let child: ChildProcess | undefined;
  const kill = async () => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  const start = async ({ empty = false } = {}) => {
    if (empty) rmSync(join(folder, 'appendonlydir'), { recursive: true, force: true });
    child = spawn('redis-server', ['--port', `${port}`, '--dir', folder, ...SETTINGS, ...settings], {
      stdio: 'ignore',
    });
    await eventually(async () => {
      if (!/^(\+PONG|-NOAUTH)/.test(await ask(port, ['PING']))) throw new Error('not ready');
    });
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    folder,
    get pid() {
      return child?.pid as number;
    },
    ask: (...command) => ask(port, command),
    signal: (signal) => void child?.kill(signal),
    kill,
    start,
    stop: async () => {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Nobody else is told of it before the server has it: other tests ask the system for ports as well, and get others. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function ask(port: number, command: readonly string[]): Promise<string> {
  const socket = createConnection(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    const parts = command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`);
    socket.write(`*${command.length}\r\n${parts.join('')}`);
    const [data] = await once(socket, 'data');
    return String(data);
  } finally {
    socket.destroy();
  }
}
