/** Own messages that wait to be published. Each is here, or in the own tree, and never in both: one transaction takes it there. */
import { type Hash, hashFromBytes } from '../wire/hash.ts';
import { encodeMessage } from '../wire/node.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import { blob } from './sqlite-rows.ts';
import type { ScheduledMessage } from './store.ts';

interface ScheduledRow {
  id: number;
  due_ms: number;
  answers: Uint8Array | null;
  body: string;
}

export class SqliteScheduled {
  readonly #db: SqliteConnection;

  constructor(db: SqliteConnection) {
    this.#db = db;
  }

  /** @throws MessageTooLongError, so that nothing waits that cannot be published */
  add({ body, inReplyTo, dueMs }: Omit<ScheduledMessage, 'id'>): number {
    encodeMessage({ date: 0, inReplyTo, body });
    const answers = inReplyTo === null ? null : blob(inReplyTo);
    return this.#db.write(() => {
      this.#db.run('INSERT INTO scheduled (due_ms, answers, body) VALUES (?, ?, ?)', dueMs, answers, body);
      return this.#db.get<{ id: number }>('SELECT last_insert_rowid() AS id')?.id ?? 0;
    });
  }

  all(): ScheduledMessage[] {
    return this.#db.all<ScheduledRow>('SELECT * FROM scheduled ORDER BY due_ms, id').map(scheduledFrom);
  }

  /** Takes it out, within a transaction of the caller's. */
  take(id: number): ScheduledMessage | undefined {
    const row = this.#db.get<ScheduledRow>('SELECT * FROM scheduled WHERE id = ?', id);
    if (row === undefined) return undefined;
    this.#db.run('DELETE FROM scheduled WHERE id = ?', id);
    return scheduledFrom(row);
  }
}

function scheduledFrom({ id, due_ms: dueMs, answers, body }: ScheduledRow): ScheduledMessage {
  const inReplyTo: Hash | null = answers === null ? null : hashFromBytes(answers);
  return { id, dueMs, inReplyTo, body };
}
