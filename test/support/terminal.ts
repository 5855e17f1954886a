/** The real program at a real terminal: tmux types, and shows what is on the screen. */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { hasTool } from './tools.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

export const hasTmux = hasTool('tmux');

export interface TerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** As a job of a shell, which gets the terminal while the program is stopped. */
  readonly shell?: boolean;
}

/** Only a screen that never comes takes so long. */
const PATIENCE_MS = 120_000;
const LOOK_EVERY_MS = 50;

/** Disposing of it ends the program, however it is. */
export class Terminal implements Disposable {
  readonly #server = `murmure-${randomUUID()}`;

  constructor(argv: readonly string[], options: TerminalOptions = {}) {
    const { columns = 80, rows = 24, environment = {}, shell = false } = options;
    const { PATH = '', NODE_COMPILE_CACHE = '' } = process.env;
    const settings = { LANG: 'C.UTF-8', TERM: 'screen-256color', PATH, NODE_COMPILE_CACHE, ...environment };
    const words = [process.execPath, main, ...argv].map((word) => `'${word}'`).join(' ');
    const variables = Object.entries(settings).map(([name, value]) => `${name}='${value}'`);
    const run = shell ? 'bash --norc --noprofile -i' : words;
    const command = `env -i ${variables.join(' ')} ${run}; echo "ended with $?"; sleep 1000`;
    this.#tmux('-f', '/dev/null', 'new-session', '-d', '-x', `${columns}`, '-y', `${rows}`, command);
    if (!shell) return;
    this.type(words);
    this.press('Enter');
  }

  /** Presses keys, as tmux names them: "Enter", "Escape", "C-c", "r". */
  press(...keys: readonly string[]): void {
    this.#tmux('send-keys', ...keys);
  }

  type(text: string): void {
    this.#tmux('send-keys', '-l', text);
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-x', `${columns}`, '-y', `${rows}`);
  }

  /** What is to be seen now. `escapes`: with what colours it. */
  screen({ escapes = false } = {}): string {
    return this.#tmux('capture-pane', '-p', ...(escapes ? ['-e'] : []));
  }

  /** Until the screen has all of this; resolves to the screen. */
  async shows(...patterns: readonly (RegExp | string)[]): Promise<string> {
    const fits = (screen: string) =>
      patterns.every((pattern) => (typeof pattern === 'string' ? screen.includes(pattern) : pattern.test(screen)));
    for (let waitedMs = 0; waitedMs < PATIENCE_MS; waitedMs += LOOK_EVERY_MS) {
      const screen = this.screen();
      if (fits(screen)) return screen;
      await setTimeout(LOOK_EVERY_MS);
    }
    throw new Error(`the screen never had ${patterns.join(' and ')}; it is\n${this.screen()}`);
  }

  [Symbol.dispose](): void {
    spawnSync('tmux', ['-L', this.#server, 'kill-server']);
  }

  #tmux(...args: readonly string[]): string {
    return execFileSync('tmux', ['-L', this.#server, ...args], { encoding: 'utf8' });
  }
}
