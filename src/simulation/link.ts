/** One direction of a line with a rate and a queue in front of it; what does not fit into the queue is dropped (tail drop). */
import type { VirtualClock } from './virtual-clock.ts';

export interface LinkOptions {
  readonly bytesPerSecond: number;
  /** Bytes that may wait. A large queue delays datagrams, a small one drops them. */
  readonly queueBytes: number;
}

/** IPv4 and UDP. */
export const LINK_HEADER_BYTES = 28;

export class Link {
  /** Datagrams that found the queue full. */
  dropped = 0;
  readonly #clock: VirtualClock;
  readonly #options: LinkOptions;
  #idleAtMs = 0;

  constructor(clock: VirtualClock, options: LinkOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Milliseconds until a datagram of this size has come out at the other end; undefined: it is dropped. */
  enqueue(payloadBytes: number): number | undefined {
    const { bytesPerSecond, queueBytes } = this.#options;
    const bytes = payloadBytes + LINK_HEADER_BYTES;
    const waitMs = Math.max(0, this.#idleAtMs - this.#clock.elapsedMs);
    if ((waitMs * bytesPerSecond) / 1_000 + bytes > queueBytes) {
      this.dropped += 1;
      return undefined;
    }
    this.#idleAtMs = this.#clock.elapsedMs + waitMs + (bytes * 1_000) / bytesPerSecond;
    return this.#idleAtMs - this.#clock.elapsedMs;
  }
}
