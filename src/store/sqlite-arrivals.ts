/** What arrived since somebody has looked last. A feed's first tree is shown at once when it is whole, long after its leaves began to come. */
import type { SqliteConnection } from './sqlite-connection.ts';
import type { SqliteLeaves } from './sqlite-leaves.ts';
import type { SqliteMessages } from './sqlite-messages.ts';
import type { ArrivalMark, Arrived, StoredMessage } from './store.ts';

export class SqliteArrivals {
  readonly #db: SqliteConnection;
  readonly #leaves: SqliteLeaves;
  readonly #messages: SqliteMessages;

  constructor(db: SqliteConnection, leaves: SqliteLeaves, messages: SqliteMessages) {
    this.#db = db;
    this.#leaves = leaves;
    this.#messages = messages;
  }

  last(): ArrivalMark {
    return this.#db.read(() => ({ arrival: this.#leaves.lastArrival(), awaited: this.#hidden() }));
  }

  after(mark: ArrivalMark, limit: number): Arrived {
    return this.#db.read(() => {
      const messages: StoredMessage[] = [];
      const hidden = this.#hidden();
      const awaited = new Map(hidden);
      for (const [peer, from] of mark.awaited) {
        if (hidden.has(peer)) {
          awaited.set(peer, from);
          continue;
        }
        const shown = this.#messages.ofFeedBetween(peer, from, mark.arrival, limit - messages.length);
        messages.push(...shown.map(({ message }) => message));
        if (messages.length < limit) continue;
        awaited.set(peer, shown.at(-1)?.arrival ?? from);
      }
      if (messages.length >= limit) return { messages, mark: { arrival: mark.arrival, awaited } };
      const rest = limit - messages.length;
      const came = this.#messages.between(mark.arrival, Number.MAX_SAFE_INTEGER, rest);
      messages.push(...came.map(({ message }) => message));
      const arrival = came.length < rest ? this.#leaves.lastArrival() : (came.at(-1)?.arrival ?? mark.arrival);
      return { messages, mark: { arrival, awaited } };
    });
  }

  /** Feeds that are being fetched for the first time, and the arrival after which their messages come. BOUNDED by the peers that are known. */
  #hidden(): Map<number, number> {
    const sql = 'SELECT id, adopting_since FROM peers WHERE root IS NULL AND adopting NOT NULL';
    const rows = this.#db.all<{ id: number; adopting_since: number }>(sql);
    return new Map(rows.map(({ id, adopting_since }) => [id, adopting_since]));
  }
}
