/** What the person has marked: words and conversations not to be shown, bookmarks, notifications that were seen; and lists of people. */
import type { SqliteConnection } from './sqlite-connection.ts';
import type { Mark, MarkKind } from './store.ts';

/** BOUNDED: notifications that are known to be seen. More are never listed (notifications.ts). */
const MAX_NOTICES = 4_096;

interface MarkRow {
  subject: string;
  until_ms: number | null;
}

export class SqliteMarks {
  readonly #db: SqliteConnection;

  constructor(db: SqliteConnection) {
    this.#db = db;
  }

  all(kind: MarkKind): Mark[] {
    const rows = this.#db.all<MarkRow>('SELECT subject, until_ms FROM marks WHERE kind = ? ORDER BY id', kind);
    return rows.map(({ subject, until_ms }) => ({ kind, subject, untilMs: until_ms ?? undefined }));
  }

  /** Which of these have this mark. */
  among(kind: MarkKind, subjects: readonly string[]): Set<string> {
    const sql = 'SELECT subject FROM marks WHERE kind = ? AND subject IN (SELECT value FROM json_each(?))';
    const rows = this.#db.all<{ subject: string }>(sql, kind, JSON.stringify(subjects));
    return new Set(rows.map(({ subject }) => subject));
  }

  set(marks: readonly Mark[]): number {
    const sql = `INSERT INTO marks (kind, subject, until_ms) VALUES (?, ?, ?)
      ON CONFLICT (kind, subject) DO UPDATE SET until_ms = excluded.until_ms`;
    return this.#db.write(() => {
      const count = () => this.#db.get<{ count: number }>('SELECT count(*) AS count FROM marks')?.count ?? 0;
      const had = count();
      for (const { kind, subject, untilMs } of marks) this.#db.run(sql, kind, subject, untilMs ?? null);
      const added = count() - had;
      if (marks.some(({ kind }) => kind === 'notice')) this.#forgetOldNotices();
      return added;
    });
  }

  remove(kind: MarkKind, subject: string): boolean {
    return this.#db.write(() => this.#db.run('DELETE FROM marks WHERE kind = ? AND subject = ?', kind, subject)) > 0;
  }

  noticedUntilMs(): number {
    return this.#db.get<{ noticed_until_ms: number }>('SELECT noticed_until_ms FROM home')?.noticed_until_ms ?? 0;
  }

  lists(): Map<string, readonly string[]> {
    const rows = this.#db.all<{ list: string; peer: string }>('SELECT list, peer FROM lists ORDER BY list, peer');
    return new Map(
      [...Map.groupBy(rows, ({ list }) => list)].map(([list, members]) => [list, members.map(({ peer }) => peer)]),
    );
  }

  addToList(list: string, peers: readonly string[]): void {
    this.#db.write(() => {
      for (const peer of peers) this.#db.run('INSERT OR IGNORE INTO lists (list, peer) VALUES (?, ?)', list, peer);
    });
  }

  removeFromList(list: string, peers: readonly string[]): void {
    this.#db.write(() => {
      for (const peer of peers) this.#db.run('DELETE FROM lists WHERE list = ? AND peer = ?', list, peer);
    });
  }

  #forgetOldNotices(): void {
    const sql = `DELETE FROM marks WHERE kind = 'notice' AND id <=
      (SELECT id FROM marks WHERE kind = 'notice' ORDER BY id DESC LIMIT 1 OFFSET ${MAX_NOTICES})`;
    this.#db.run(sql);
  }
}
