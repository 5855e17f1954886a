/** The real program at a pseudo-terminal of 80 × 24, and how long it takes to show things. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const PATIENCE_MS = 60_000;

/** script(1) opens the pseudo-terminal. Disposing of it ends the program. */
export class Terminal implements AsyncDisposable {
  readonly startedMs = performance.now();
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #ended: Promise<void>;
  #written = '';
  #look = () => {};

  constructor(argv: readonly string[]) {
    const words = [process.execPath, main, ...argv].map((word) => `'${word}'`).join(' ');
    const command = `stty rows 24 columns 80; exec ${words}`;
    this.#child = spawn('script', ['-qfec', command, '/dev/null'], {
      env: { ...process.env, TERM: 'xterm-256color', LANG: 'C.UTF-8', NO_COLOR: '1' },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#written += text;
      this.#look();
    });
    this.#ended = new Promise((resolve) => this.#child.once('close', () => resolve()));
  }

  /** What it has written since `press`, or since the start. */
  get written(): string {
    return stripVTControlCharacters(this.#written);
  }

  /** Until what it has written since `press`, or since the start, has this in it; resolves to the time, ms. */
  async shows(pattern: RegExp): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const patience = setTimeout(() => reject(new Error(`never ${pattern}:\n${this.#written}`)), PATIENCE_MS);
    this.#look = () => {
      if (pattern.test(this.written)) resolve(performance.now());
    };
    this.#look();
    try {
      return await promise;
    } finally {
      clearTimeout(patience);
      this.#look = () => {};
    }
  }

  /** Resolves to how long it takes until the screen has this, ms. */
  async press(key: string, pattern: RegExp): Promise<number> {
    this.#written = '';
    const pressedMs = performance.now();
    this.#child.stdin.write(key);
    return (await this.shows(pattern)) - pressedMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill();
    await this.#ended;
  }
}
