/** Programs whose power is cut: see shim.c, which is compiled when it is needed. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Why there can be no power cuts here; undefined: there can. */
export const whyNoPowerCuts =
  process.platform !== 'linux'
    ? 'power is cut on Linux only'
    : spawnSync('cc', ['--version']).status === 0
      ? undefined
      : 'there is no C compiler';

/** What a cut leaves of what was not synced: nothing, everything as if only the program had been killed, or what is drawn by a seed. */
export type Keeps = 'nothing' | 'everything' | number;

export class Shim implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'murmure-power-'));
  readonly #library = join(this.#folder, 'shim.so');
  readonly #count = join(this.#folder, 'count');

  constructor() {
    const source = fileURLToPath(new URL('shim.c', import.meta.url));
    const { status, stderr } = spawnSync('cc', [
      '-shared',
      '-fPIC',
      '-O1',
      '-o',
      this.#library,
      source,
      '-ldl',
      '-lpthread',
    ]);
    if (status !== 0) throw new Error(`the shim cannot be compiled: ${stderr}`);
  }

  /** For a program whose power is cut at that call; or not, if it has fewer. */
  environment(root: string, at: number, keeps: Keeps): NodeJS.ProcessEnv {
    return {
      LD_PRELOAD: this.#library,
      POWER_ROOT: root,
      POWER_AT: String(at),
      POWER_KEEPS: String(keeps),
      POWER_COUNT: this.#count,
    };
  }

  /** The calls of a program that has ended by itself. */
  counted(): number {
    return Number(readFileSync(this.#count, 'utf8'));
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }
}
