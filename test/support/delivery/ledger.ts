/** Which post is owed to whom, when it came, and what stood in its way: what a run of the delivery simulation is judged by. */
import type { Hash } from '../../../src/wire/hash.ts';

/** Somebody, or the directory, could not be reached from `fromMs` on, and could again from `toMs` on. */
export interface Outage {
  readonly who: string;
  readonly why: string;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Delivery {
  readonly author: string;
  readonly follower: string;
  readonly postedAtMs: number;
  readonly arrivedAtMs: number;
  /** The longest time without a break, between post and arrival, in which author, follower and directory could all be reached. */
  readonly delayMs: number;
  /** The last trouble that author, follower or directory had before that time, be it before the post or after. */
  readonly after: string;
}

export type Overdue = Pick<Delivery, 'author' | 'follower' | 'postedAtMs' | 'after'>;

export interface DeliveryReport {
  readonly seed: number;
  readonly posts: number;
  readonly delivered: readonly Delivery[];
  /** Posts that were not there at the end. */
  readonly missing: readonly Overdue[];
}

/** Wanted: every post is at every follower so soon after they could reach each other. */
export const LATE_MS = 10_000;

export const DIRECTORY = 'the directory';

/** A post on its way to one follower. */
interface Owed {
  readonly author: string;
  readonly follower: string;
  readonly postedAtMs: number;
}

export class Ledger {
  readonly #posts = new Map<Hash, { readonly author: string; readonly atMs: number; readonly owedTo: Set<string> }>();
  readonly #outages: Outage[] = [];
  readonly #arrived: (Owed & { readonly arrivedAtMs: number })[] = [];

  posted(hash: Hash, author: string, followers: readonly string[], atMs: number): void {
    this.#posts.set(hash, { author, atMs, owedTo: new Set(followers) });
  }

  arrived(hash: Hash, follower: string, atMs: number): void {
    const post = this.#posts.get(hash);
    if (!post?.owedTo.delete(follower)) return;
    this.#arrived.push({ author: post.author, follower, postedAtMs: post.atMs, arrivedAtMs: atMs });
  }

  /** To be told when it is over. An instant, such as a move, begins and ends at once. */
  outage(outage: Outage): void {
    this.#outages.push(outage);
  }

  report(seed: number, atMs: number): DeliveryReport {
    const delivered = this.#arrived.map((owed) => ({ ...owed, ...this.#delayOf(owed, owed.arrivedAtMs) }));
    const missing = [...this.#posts.values()].flatMap(({ author, atMs: postedAtMs, owedTo }) =>
      [...owedTo].map((follower) => {
        const owed = { author, follower, postedAtMs };
        return { ...owed, after: this.#delayOf(owed, atMs).after };
      }),
    );
    return { seed, posts: this.#posts.size, delivered, missing };
  }

  /** Not only what passed since the last trouble: that one may have helped a post that was late already. */
  #delayOf({ author, follower, postedAtMs }: Owed, untilMs: number): Pick<Delivery, 'delayMs' | 'after'> {
    const troubled = [author, follower, DIRECTORY];
    const outages = this.#outages.filter(({ who }) => troubled.includes(who)).sort((a, b) => a.fromMs - b.fromMs);
    let reachableFromMs = postedAtMs;
    let after = 'no trouble';
    let longest = { delayMs: -1, after };
    const endStretch = (atMs: number) => {
      const delayMs = Math.max(0, atMs - reachableFromMs);
      if (delayMs > longest.delayMs) longest = { delayMs, after };
    };
    let overAtMs = 0;
    for (const { why, fromMs, toMs } of outages) {
      if (fromMs >= untilMs) break;
      if (fromMs > postedAtMs) endStretch(fromMs);
      if (toMs < overAtMs) continue;
      overAtMs = toMs;
      reachableFromMs = Math.max(postedAtMs, toMs);
      after = why;
    }
    endStretch(untilMs);
    return longest;
  }
}

/** Of all delays, and of those after each kind of trouble: how many, and median, 95 % and maximum in milliseconds. */
export function delaysOf(delivered: readonly Delivery[]): Record<string, DelaySummary> {
  const groups = Map.groupBy(delivered, ({ after }) => after);
  const summaries: Record<string, DelaySummary> = { all: summarise(delivered) };
  for (const [after, deliveries] of [...groups].sort()) summaries[after] = summarise(deliveries);
  return summaries;
}

export interface DelaySummary {
  readonly count: number;
  readonly median: number;
  readonly p95: number;
  readonly maximum: number;
}

function summarise(deliveries: readonly Delivery[]): DelaySummary {
  const sorted = deliveries.map(({ delayMs }) => delayMs).sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { count: sorted.length, median: at(0.5), p95: at(0.95), maximum: at(1) };
}

/** A table for people: how long it took after each kind of trouble. */
export function describeDelays(delivered: readonly Delivery[]): string {
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`.padStart(10);
  const columns = `${'after'.padEnd(20)}${'count'.padStart(6)}${'median'.padStart(10)}${'95 %'.padStart(10)}${'maximum'.padStart(10)}`;
  const lines = Object.entries(delaysOf(delivered)).map(
    ([after, { count, median, p95, maximum }]) =>
      `${after.padEnd(20)}${String(count).padStart(6)}${seconds(median)}${seconds(p95)}${seconds(maximum)}`,
  );
  return [columns, ...lines].join('\n');
}

/** The seed first, then the table, then what was late or is missing. */
export function describeReport({ seed, posts, delivered, missing }: DeliveryReport): string {
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
  const late = delivered
    .filter(({ delayMs }) => delayMs >= LATE_MS)
    .map(({ author, follower, postedAtMs, arrivedAtMs, delayMs, after }) => {
      const when = `posted at ${seconds(postedAtMs)}, arrived at ${seconds(arrivedAtMs)}`;
      return `late: ${author} → ${follower}, ${when}, ${seconds(delayMs)}, after: ${after}`;
    });
  const lost = missing.map(
    ({ author, follower, postedAtMs, after }) =>
      `missing: ${author} → ${follower}, posted at ${seconds(postedAtMs)}, after: ${after}`,
  );
  const head = `seed ${seed}: ${posts} posts, ${missing.length} deliveries missing`;
  return [head, describeDelays(delivered), ...late.slice(0, 20), ...lost.slice(0, 20)].join('\n');
}
