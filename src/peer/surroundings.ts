/** Notices that this machine slept, or that its clock or its addresses changed, so that others can find the peer again at once. */
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

  /** The addresses of the machine; if they are not known, those that we listen on. */
  localIps(): readonly string[] {
    try {
      return this.#network.localIps?.().toSorted() ?? this.#binds.map(({ ip }) => ip);
    } catch {
      // The system does not tell. Assume that nothing has changed.
      return this.#ipsBefore;
    }
  }

  look(): void {
    this.lookAtClock();
    if (this.localIps().join() !== this.#ipsBefore.join()) this.#changed('addresses');
  }

  /** Called often, so that a machine that wakes is reachable at once. */
  lookAtClock(): void {
    // First, because a jump of the clock changes this time.
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
