/** The real program in processes of its own, each with a home that goes with the test. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** What `murmure` runs from a checkout. */
export const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

export type Json = Record<string, unknown>;

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The lines of stdout, parsed. */
  readonly values: Json[];
}

/** Whether this machine has IPv6 on loopback: containers may not. */
export const hasIPv6 = Object.values(networkInterfaces())
  .flat()
  .some((address) => address?.address === '::1');

/** Disposing of it ends every program it started, and removes what they left. */
export class Programs implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'murmure-e2e-'));
  readonly #running = new Set<Running>();

  home(name: string): string {
    return join(this.folder, name);
  }

  start(argv: readonly string[], environment: NodeJS.ProcessEnv = {}, cwd: string = this.folder): Running {
    return this.#start([process.execPath, main, ...argv], environment, cwd);
  }

  /** As `start`; `enter` is a command that runs the one behind it elsewhere, as in another network. */
  startIn(enter: readonly string[], argv: readonly string[]): Running {
    return this.#start([...enter, process.execPath, main, ...argv], {}, this.folder);
  }

  #start(command: readonly string[], environment: NodeJS.ProcessEnv, cwd: string): Running {
    const running = new Running(command, { ...cleanEnvironment(), ...environment }, cwd);
    this.#running.add(running);
    return running;
  }

  async run(argv: readonly string[], environment: NodeJS.ProcessEnv = {}, cwd?: string): Promise<Finished> {
    const running = this.start(argv, environment, cwd);
    running.child.stdin.end();
    return running.finished;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const running of this.#running) running.child.kill('SIGKILL');
    await Promise.all([...this.#running].map(({ finished }) => finished));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class Running {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly finished: Promise<Finished>;
  readonly #lines: Json[] = [];
  readonly #waiting = new Set<() => void>();
  #stdout = '';
  #stderr = '';

  constructor([program = '', ...argv]: readonly string[], env: NodeJS.ProcessEnv, cwd: string) {
    this.child = spawn(program, argv, { stdio: 'pipe', env, cwd });
    const closed = once(this.child, 'close');
    this.child.stderr.on('data', (some) => {
      this.#stderr += some;
    });
    createInterface(this.child.stdout).on('line', (line) => {
      this.#stdout += `${line}\n`;
      if (line.startsWith('{')) this.#lines.push(JSON.parse(line));
      for (const look of this.#waiting) look();
    });
    this.finished = closed.then(([code]) => {
      for (const look of this.#waiting) look();
      return { code, stdout: this.#stdout, stderr: this.#stderr, values: this.#lines };
    });
  }

  /** The first line of JSON that fits, past or to come. @throws if the program ends without one */
  line(fits: (value: Json) => boolean): Promise<Json> {
    return this.#until(() => this.#lines.find(fits));
  }

  /** All lines of JSON so far. */
  lines(): readonly Json[] {
    return this.#lines;
  }

  /** What a person is told on stdout, once it fits. */
  said(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#until(() => pattern.exec(this.#stdout) ?? undefined);
  }

  #until<T>(find: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = find();
        if (found !== undefined) resolve(found);
        else if (this.child.exitCode === null && this.child.signalCode === null) return;
        else reject(new Error(`the program ended without that line; it said:\n${this.#stdout}${this.#stderr}`));
        this.#waiting.delete(look);
      };
      this.#waiting.add(look);
      look();
    });
  }

  event(name: string): Promise<Json> {
    return this.line(({ event }) => event === name);
  }

  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Finished> {
    this.child.kill(signal);
    return this.finished;
  }
}

/** A terminal's settings, and those of whoever runs the tests, are not the program's. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  return { PATH, NODE_COMPILE_CACHE, NODE_NO_WARNINGS: undefined, LANG: 'C.UTF-8' };
}
