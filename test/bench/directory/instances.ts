/** The directories that are measured: real programs in processes of their own, and what they use of the machine. */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { fileNames } from '../../../src/directory/file-names.ts';
import type { SocketAddress } from '../../../src/wire/socket-address.ts';

const MAIN = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
/** Of the kernel's, a second: what Linux tells everybody. */
const TICKS = 100;

export interface Instance extends Disposable {
  readonly pid: number;
  readonly url: string;
  readonly udp: SocketAddress;
  /** Of the certificate. */
  readonly ca: string;
}

/** `first`: the home of one that runs already on the same registry. */
export async function startInstance(home: string, registry: string | undefined, first?: string): Promise<Instance> {
  mkdirSync(home, { recursive: true });
  for (const name of first === undefined ? [] : [fileNames.signingKey, fileNames.certificate, fileNames.tlsKey])
    copyFileSync(join(first as string, name), join(home, name));
  const options = ['--json', '--home', home, '--listen', '127.0.0.1:0', '--udp', '127.0.0.1:0'];
  const child = spawn(process.execPath, [MAIN, 'directory', ...options], {
    env: { ...process.env, ...(registry !== undefined && { MURMURE_REGISTRY: registry }) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { url, udp, ca } = await readyLine(child);
  return {
    pid: child.pid as number,
    url,
    udp: udp[0] as SocketAddress,
    ca,
    [Symbol.dispose]: () => void child.kill('SIGKILL'),
  };
}

async function readyLine({ stdout }: ChildProcess): Promise<{ url: string; udp: SocketAddress[]; ca: string }> {
  if (stdout !== null)
    for await (const line of createInterface(stdout)) {
      if (line.startsWith('{')) return JSON.parse(line);
    }
  throw new Error('a directory ended before it was ready');
}

/** Processor time that these processes have used, in seconds. */
export function cpuSeconds(pids: readonly number[]): number {
  const ticks = pids.map((pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, some) => sum + some, 0) / TICKS;
}

/** Bytes that a process holds now, and the most that it has held. */
export function memoryOf(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]) * 1_024;
  return { now: kilobytes('VmRSS'), peak: kilobytes('VmHWM') };
}
