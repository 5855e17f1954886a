/**
 * What changed since a cursor (protocol §3), as text. Every peer asks every few seconds, most of them about those whom they follow: that
 * costs as much as these are. Whoever asks about everybody, asks since one of a few cursors: each answer is made once, and given until
 * something changes.
 */
import type { RegisteredPeer, Registry } from './registry.ts';

/** Answers about more names than that are not kept, but made bit by bit. */
const MAX_NAMES = 256;
const MAX_ANSWERS = 64;

export class ChangesAnswers {
  readonly #registry: Registry;
  readonly #now: () => number;
  /** Where the list stands that these answers lead to. */
  #cursor = '';
  /** By the cursor that was asked for. BOUNDED by `MAX_ANSWERS`, of `MAX_NAMES` peers each. */
  readonly #texts = new Map<string, string>();

  /** `now`: Unix ms. */
  constructor(registry: Registry, now: () => number) {
    this.#registry = registry;
    this.#now = now;
  }

  /**
   * Undefined: all peers are to be told, or more than is kept. `isOnly`: an expired cursor gets a new one, and nothing else. `among`: nobody
   * else is asked about.
   */
  since(cursor: string, isOnly: boolean, among?: readonly string[]): string | undefined {
    const latest = this.#registry.cursor();
    if (latest !== this.#cursor) this.#texts.clear();
    this.#cursor = latest;
    const kept = among === undefined ? this.#texts.get(cursor) : undefined;
    if (kept !== undefined) return kept;
    const names = this.#registry.changesSince(cursor, among);
    if (names === undefined) return isOnly ? this.#text([], true) : undefined;
    if (among !== undefined) return this.#text(names, false);
    if (names.length > MAX_NAMES) return undefined;
    const text = this.#text(names, false);
    if (this.#texts.size >= MAX_ANSWERS) this.#texts.clear();
    this.#texts.set(cursor, text);
    return text;
  }

  #text(names: readonly string[], isExpired: boolean): string {
    const peers: RegisteredPeer[] = [];
    const removed: string[] = [];
    for (const name of names) {
      const peer = this.#registry.lookup(name, this.#now());
      if (peer === undefined) removed.push(name);
      else peers.push(peer);
    }
    const expired = isExpired ? { expired: true } : {};
    return JSON.stringify({ cursor: this.#cursor, complete: false, ...expired, peers, removed });
  }
}
