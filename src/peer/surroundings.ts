/** Notices that this machine slept, that its clock was set, or that it has other addresses: others are to find the peer again at once. */
import type { NetworkChange } from '../../machines/peer-events.ts';
import { timing } from '../../machines/timing.ts';
import type { ElapsedTime } from '../runtime/elapsed-time.ts';
import type { Network } from '../runtime/network.ts';
import type { SocketAddress } from '../wire/socket-address.ts';

type Tell = (why: NetworkChange, localIps: readonly string[]) => void;

export class Surroundings {
  readonly #network: Network;
  readonly #time: ElapsedTime;
  readonly #binds: readonly SocketAddress[];
  readonly #tell: Tell;
  #lookedAtMs: number;
  #ipsBefore: readonly string[] = [];

  constructor(network: Network, time: ElapsedTime, binds: readonly SocketAddress[], tell: Tell) {
    this.#network = network;
    this.#time = time;
    this.#binds = binds;
    this.#tell = tell;
    this.#lookedAtMs = time.now();
    this.#ipsBefore = this.localIps();
  }

  /** Those of the machine, else those we listen on. */
  localIps(): readonly string[] {
    try {
      return this.#network.localIps?.().toSorted() ?? this.#binds.map(({ ip }) => ip);
    } catch {
      // The system does not say; nothing has changed as far as we know.
      return this.#ipsBefore;
    }
  }

  look(): void {
    this.lookAtClock();
    if (this.localIps().join() !== this.#ipsBefore.join()) this.#changed('addresses');
  }

  /** Often, since whoever wakes up is to be reachable at once. */
  lookAtClock(): void {
    // First, since a jump ahead moves this time.
    const isClockSet = this.#time.jumpMs() !== 0;
    const lookedAtMs = this.#time.now();
    const isLate = lookedAtMs - this.#lookedAtMs >= timing.sleepThreshold;
    this.#lookedAtMs = lookedAtMs;
    if (isLate || isClockSet) this.#changed(isLate ? 'sleep' : 'clock');
  }

  #changed(why: NetworkChange): void {
    this.#ipsBefore = this.localIps();
    this.#tell(why, this.#ipsBefore);
  }
}
