/** Gathers verified nodes, so that a transaction is paid once for many. */

import type { Clock } from '../runtime/clock.ts';
import type { Store, StoredNode } from '../store/store.ts';

/** Some milliseconds of work, with what is shown and indexed of them. */
const BATCH = 512;
/** A crash loses at most what came within this time; it is fetched again. */
const FLUSH_AFTER_MS = 100;

export class NodeBuffer {
  readonly #store: Store;
  readonly #clock: Clock;
  #nodes: StoredNode[] = [];
  #timer: unknown;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  add(nodes: readonly StoredNode[]): void {
    if (nodes.length === 0) return;
    this.#nodes.push(...nodes);
    if (this.#nodes.length >= BATCH) this.flush();
    else this.#timer ??= this.#clock.setTimeout(() => this.#flushInTime(), FLUSH_AFTER_MS);
  }

  /** Nobody waits for a timer: what fails here fails again, for whoever flushes next. */
  #flushInTime(): void {
    const nodes = this.#nodes;
    try {
      this.flush();
    } catch {
      this.#nodes = nodes;
    }
  }

  flush(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#nodes.length === 0) return;
    const nodes = this.#nodes;
    this.#nodes = [];
    this.#store.putNodes(nodes);
  }
}
