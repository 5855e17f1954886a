/**
 * The listed names in byte order, updated whenever one is added or removed: reading and sorting a million names for each `GET /peers/`
 * would cost too much.
 */
import { byBytes } from './name-order.ts';
import { ADDRESS_LIFETIME_MS } from './registry.ts';

/** A name, and when one of its addresses last answered. Unix ms. */
export type Listed = readonly [name: string, answeredMs: number];

const MINUTE_MS = 60_000;
/** This many additions and removals are collected before the list is copied, which takes some milliseconds for a million names. */
const CHANGES_AT_ONCE = 1_024;

export class Listing {
  readonly #read: (nowMs: number) => Iterable<Listed>;
  /** In byte order, without what `#changed` says. BOUNDED, as everything here, by the names that the registry keeps. */
  #names: readonly string[] = [];
  /** Since `#names` was made. BOUNDED by `CHANGES_AT_ONCE`. */
  readonly #changed = new Set<string>();
  /** Until when each name is listed: undefined if nothing has been read yet. */
  #untilMs: Map<string, number> | undefined;
  /** Minute → names whose time ends in it. */
  readonly #minutes = new Map<number, Set<string>>();
  #latestMs = 0;

  constructor(read: (nowMs: number) => Iterable<Listed>) {
    this.#read = read;
  }

  /** The same array as long as they are the same. */
  names(nowMs: number): readonly string[] {
    // If the clock was set back: names whose time had ended are no longer remembered.
    if (nowMs < this.#latestMs) this.forget();
    this.#forgetEnded(this.#untilMs ?? this.#readAll(nowMs), nowMs);
    this.#putInPlace();
    return this.#names;
  }

  /** The name is listed for an hour from this time on; undefined: it is not listed. */
  note(name: string, answeredMs: number | undefined): void {
    if (this.#untilMs === undefined) return;
    const wasListed = this.#unset(this.#untilMs, name);
    if (answeredMs !== undefined) this.#set(this.#untilMs, name, answeredMs);
    if (wasListed !== (answeredMs !== undefined)) this.#change(name);
  }

  /** Everything will be read again. */
  forget(): void {
    this.#untilMs = undefined;
  }

  #readAll(nowMs: number): Map<string, number> {
    this.#changed.clear();
    this.#minutes.clear();
    const untilMs = new Map<string, number>();
    for (const [name, answeredMs] of this.#read(nowMs)) this.#set(untilMs, name, answeredMs);
    this.#untilMs = untilMs;
    this.#names = [...untilMs.keys()].sort(byBytes);
    return untilMs;
  }

  #set(untilMs: Map<string, number>, name: string, answeredMs: number): void {
    const endMs = answeredMs + ADDRESS_LIFETIME_MS;
    untilMs.set(name, endMs);
    const minute = minuteOf(endMs);
    const names = this.#minutes.get(minute);
    if (names === undefined) this.#minutes.set(minute, new Set([name]));
    else names.add(name);
  }

  /** Whether it was listed. Each name is in one minute only, however often it is proven. */
  #unset(untilMs: Map<string, number>, name: string): boolean {
    const endMs = untilMs.get(name);
    if (endMs === undefined) return false;
    this.#minutes.get(minuteOf(endMs))?.delete(name);
    return untilMs.delete(name);
  }

  #forgetEnded(untilMs: Map<string, number>, nowMs: number): void {
    this.#latestMs = nowMs;
    const now = minuteOf(nowMs);
    for (const [minute, names] of this.#minutes) {
      if (minute > now) continue;
      for (const name of names) {
        if ((untilMs.get(name) ?? 0) > nowMs) continue;
        this.#unset(untilMs, name);
        this.#change(name);
      }
      if (minute < now) this.#minutes.delete(minute);
    }
  }

  #change(name: string): void {
    this.#changed.add(name);
    if (this.#changed.size >= CHANGES_AT_ONCE) this.#putInPlace();
  }

  #putInPlace(): void {
    if (this.#changed.size === 0) return;
    const names: string[] = [];
    let next = 0;
    let isChanged = false;
    for (const name of [...this.#changed].sort(byBytes)) {
      const at = placeOf(name, this.#names);
      const [wasListed, isListed] = [this.#names[at] === name, this.#untilMs?.has(name) === true];
      if (wasListed === isListed) continue;
      isChanged = true;
      while (next < at) names.push(this.#names[next++] as string);
      if (isListed) names.push(name);
      else next += 1;
    }
    this.#changed.clear();
    if (!isChanged) return;
    while (next < this.#names.length) names.push(this.#names[next++] as string);
    this.#names = names;
  }
}

function minuteOf(ms: number): number {
  return Math.floor(ms / MINUTE_MS);
}

/** The position of the name, or where it would be inserted. */
function placeOf(name: string, names: readonly string[]): number {
  let [low, high] = [0, names.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (byBytes(names[middle] as string, name) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
