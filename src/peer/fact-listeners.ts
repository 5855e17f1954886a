/** Who listens to what a peer tells, and who waits for some of it. */
import { MurmureError } from '../wire/murmure-error.ts';
import type { Peer, PeerFact } from './peer.ts';

type Listener = (fact: PeerFact) => void;

export class FactListeners {
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #waiting = new Set<(error: Error) => void>();
  #end: Error | undefined;

  /** As `Peer.on`. */
  readonly on: Peer['on'] = (type, listener) => {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners);
    listeners.add(listener as Listener);
    return () => listeners.delete(listener as Listener);
  };

  tell(fact: PeerFact): void {
    for (const listener of [...(this.#listeners.get(fact.type) ?? []), ...(this.#listeners.get('*') ?? [])]) {
      listener(fact);
    }
  }

  /** A promise that facts settle, and that an abort or the end of the peer rejects. */
  until<T>(
    subscribe: (resolve: (value: T) => void, reject: (error: Error) => void) => (() => void)[],
    signal?: AbortSignal,
  ): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    if (this.#end !== undefined) reject(this.#end);
    const abort = () => reject(signal?.reason ?? new MurmureError('interrupted', 'given up'));
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    const stops = subscribe(resolve, reject);
    this.#waiting.add(reject);
    return promise.finally(() => {
      for (const stop of stops) stop();
      signal?.removeEventListener('abort', abort);
      this.#waiting.delete(reject);
    });
  }

  /** Nothing more is told: `meanwhile` is for those who wait, `afterwards` for those who will. */
  end(meanwhile: Error, afterwards: Error): void {
    this.#end = afterwards;
    for (const reject of this.#waiting) reject(meanwhile);
  }
}
