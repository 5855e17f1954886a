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
  /** From the post, or, if that is later, from when author, follower and directory could be reached again. */
  readonly delayMs: number;
  /** The last trouble that author, follower or directory had before it arrived, be it before the post or after. */
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

export const DIRECTORY = 'the directory';

export class Ledger {
  readonly #posts = new Map<Hash, { readonly author: string; readonly atMs: number; readonly owedTo: Set<string> }>();
  readonly #outages: Outage[] = [];
  readonly #delivered: Delivery[] = [];

  posted(hash: Hash, author: string, followers: readonly string[], atMs: number): void {
    this.#posts.set(hash, { author, atMs, owedTo: new Set(followers) });
  }

  arrived(hash: Hash, follower: string, atMs: number): void {
    const post = this.#posts.get(hash);
    if (!post?.owedTo.delete(follower)) return;
    const { author, atMs: postedAtMs } = post;
    const { sinceMs, after } = this.#since(author, follower, postedAtMs, atMs);
    this.#delivered.push({ author, follower, postedAtMs, arrivedAtMs: atMs, delayMs: atMs - sinceMs, after });
  }

  /** To be told when it is over. An instant, such as a move, begins and ends at once. */
  outage(outage: Outage): void {
    this.#outages.push(outage);
  }

  report(seed: number, atMs: number): DeliveryReport {
    const missing = [...this.#posts.values()].flatMap(({ author, atMs: postedAtMs, owedTo }) =>
      [...owedTo].map((follower) => {
        const { after } = this.#since(author, follower, postedAtMs, atMs);
        return { author, follower, postedAtMs, after };
      }),
    );
    return { seed, posts: this.#posts.size, delivered: this.#delivered, missing };
  }

  #since(author: string, follower: string, postedAtMs: number, untilMs: number): { sinceMs: number; after: string } {
    let last = { atMs: 0, why: 'no trouble' };
    for (const { who, why, toMs } of this.#outages) {
      if (who !== author && who !== follower && who !== DIRECTORY) continue;
      if (toMs > last.atMs && toMs <= untilMs) last = { atMs: toMs, why };
    }
    return { sinceMs: Math.max(postedAtMs, last.atMs), after: last.why };
  }
}

/** Of all delays, and of those after each kind of trouble: how many, and median, 95 % and maximum in milliseconds. */
export function delaysOf({ delivered }: DeliveryReport): Record<string, DelaySummary> {
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

/** A table for people, the seed first. */
export function describeReport(report: DeliveryReport): string {
  const { seed, posts, missing } = report;
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`.padStart(10);
  const lines = Object.entries(delaysOf(report)).map(
    ([after, { count, median, p95, maximum }]) =>
      `${after.padEnd(20)}${String(count).padStart(6)}${seconds(median)}${seconds(p95)}${seconds(maximum)}`,
  );
  const lost = missing.map(({ author, follower, postedAtMs, after }) => {
    const when = `posted at ${Math.round(postedAtMs / 1_000)} s`;
    return `missing: ${author} → ${follower}, ${when}, after: ${after}`;
  });
  const head = `seed ${seed}: ${posts} posts, ${missing.length} deliveries missing`;
  const columns = `${'after'.padEnd(20)}${'count'.padStart(6)}${'median'.padStart(10)}${'95 %'.padStart(10)}${'maximum'.padStart(10)}`;
  return [head, columns, ...lines, ...lost.slice(0, 20)].join('\n');
}
