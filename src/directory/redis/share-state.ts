/** Where an instance stands with one share: which registry it belongs to, the changes it has read, and the share's clocks. */
import type { Answer } from './engine.ts';

export const NOTHING_READ = '0-0';

export class ShareState {
  /** Which registry the engine holds: one that was emptied is another. Empty: not known yet. */
  epoch = '';
  /** The latest change that was read. */
  position = NOTHING_READ;
  /** When the engine last answered, by our own clock. */
  #answeredAtMs: number | undefined;
  #runningMs = 0;
  #steadyMs = 0;

  /** How long it has been since the engine last answered; undefined: it never has. */
  sinceAnswer(nowMs: number): number | undefined {
    return this.#answeredAtMs === undefined ? undefined : Math.max(0, nowMs - this.#answeredAtMs);
  }

  /** Unix ms, more or less; addresses age by it. */
  steady(nowMs: number): number {
    return this.#steadyMs + (nowMs - (this.#answeredAtMs ?? nowMs));
  }

  /** Bindings age by it. */
  running(nowMs: number): number {
    return this.#runningMs + (nowMs - (this.#answeredAtMs ?? nowMs));
  }

  note({ runningMs, steadyMs }: Answer, nowMs: number): void {
    this.#answeredAtMs = nowMs;
    this.#runningMs = runningMs;
    this.#steadyMs = steadyMs;
  }

  /** The engine has another registry than the one that was read, or an older state of it. */
  hasLost({ epoch, last }: Answer): boolean {
    return this.epoch !== epoch || isLater(this.position, last);
  }
}

/** Of two entries of a stream. */
export function isLater(id: string, than: string): boolean {
  const [ms = 0, count = 0] = id.split('-').map(Number);
  const [thanMs = 0, thanCount = 0] = than.split('-').map(Number);
  return ms > thanMs || (ms === thanMs && count > thanCount);
}
