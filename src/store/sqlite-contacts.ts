/**
 * What a home remembers of those it talks to: who reads from it, where they answered last, what a program at an address needs, whose
 * unsigned Roots are believed.
 */
import type { PublicKey } from '../identity/public-key.ts';
import { isYounger } from '../wire/age.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import type { Habit } from './store.ts';

/** BOUNDED: readers, addresses and habits that are remembered. Those that were noted longest ago go first. */
const MAX_REMEMBERED = 4_096;
/** A reader is written down once in so many ms, however much it reads. */
const READER_INTERVAL_MS = 3 * 60_000;
/** A habit that has not changed is written down again after so many ms, so that it stays among the newest. */
const HABIT_INTERVAL_MS = 24 * 60 * 60_000;

interface HabitRow {
  zero_ending_ids: number;
  no_flags: number;
  noted_ms: number;
}

export class SqliteContacts {
  readonly #db: SqliteConnection;
  /** When each reader was last written down, Unix ms. BOUNDED by MAX_REMEMBERED. */
  readonly #noted = new Map<string, number>();

  constructor(db: SqliteConnection) {
    this.#db = db;
  }

  noteReader(name: string, nowMs: number): void {
    const noted = this.#noted.get(name);
    if (noted !== undefined && isYounger(noted, READER_INTERVAL_MS, nowMs)) return;
    // Before it is written: a disk that is full is not tried again with every read.
    this.#noted.delete(name);
    this.#noted.set(name, nowMs);
    if (this.#noted.size > MAX_REMEMBERED) this.#noted.delete(this.#noted.keys().next().value ?? name);
    this.#db.write(
      () => {
        this.#db.run('INSERT OR REPLACE INTO readers (name, last_ms) VALUES (?, ?)', name, nowMs);
        this.#forgetOldest('readers');
      },
      { durable: false },
    );
  }

  readersSince(ms: number, nowMs: number): string[] {
    this.#dateFuture(nowMs);
    const rows = this.#db.all<{ name: string }>('SELECT name FROM readers WHERE last_ms >= ? ORDER BY id DESC', ms);
    return rows.map(({ name }) => name);
  }

  addressOf(name: string): string | undefined {
    return this.#db.get<{ address: string }>('SELECT address FROM whereabouts WHERE name = ?', name)?.address;
  }

  noteAddress(name: string, address: string): void {
    if (this.addressOf(name) === address) return;
    this.#db.write(
      () => {
        this.#db.run('INSERT OR REPLACE INTO whereabouts (name, address) VALUES (?, ?)', name, address);
        this.#forgetOldest('whereabouts');
      },
      { durable: false },
    );
  }

  habitOf(address: string, key: PublicKey | null): Habit | undefined {
    const row = this.#habit(address, key);
    return row && { zeroEndingIds: row.zero_ending_ids === 1, noFlags: row.no_flags === 1 };
  }

  noteHabit(address: string, key: PublicKey | null, { zeroEndingIds, noFlags }: Habit, nowMs: number): void {
    const known = this.#habit(address, key);
    const isSame = known?.zero_ending_ids === +zeroEndingIds && known.no_flags === +noFlags;
    if (isSame && isYounger(known.noted_ms, HABIT_INTERVAL_MS, nowMs)) return;
    this.#db.write(
      () => {
        this.#db.run(
          `INSERT OR REPLACE INTO habits (address, key, zero_ending_ids, no_flags, noted_ms) VALUES (?, ?, ?, ?, ?)`,
          address,
          key ?? '',
          +zeroEndingIds,
          +noFlags,
          nowMs,
        );
        this.#forgetOldest('habits');
      },
      { durable: false },
    );
  }

  trustsUnsigned(name: string, key: PublicKey): boolean {
    return this.#db.get('SELECT 1 FROM trusted_unsigned WHERE name = ? AND key = ?', name, key) !== undefined;
  }

  setTrustUnsigned(name: string, key: PublicKey, trusts: boolean): void {
    const sql = trusts
      ? 'INSERT OR IGNORE INTO trusted_unsigned (name, key) VALUES (?, ?)'
      : 'DELETE FROM trusted_unsigned WHERE name = ? AND key = ?';
    this.#db.write(() => this.#db.run(sql, name, key));
  }

  #habit(address: string, key: PublicKey | null): HabitRow | undefined {
    return this.#db.get<HabitRow>('SELECT * FROM habits WHERE address = ? AND key = ?', address, key ?? '');
  }

  /** Noted by a clock that was ahead: it would be remembered until that time has come, so that it counts from now on. */
  #dateFuture(nowMs: number): void {
    if (this.#db.get('SELECT 1 FROM readers WHERE last_ms > ?', nowMs) === undefined) return;
    try {
      this.#db.write(() => this.#db.run('UPDATE readers SET last_ms = ?1 WHERE last_ms > ?1', nowMs), {
        durable: false,
      });
    } catch {
      // On a disk that cannot be written they are as they were, until one that can.
    }
  }

  /** A row that is replaced gets a new id: the order of ids is that in which rows were noted, whatever the clock said. */
  #forgetOldest(table: 'readers' | 'whereabouts' | 'habits'): void {
    const oldest = `SELECT id FROM ${table} ORDER BY id DESC LIMIT 1 OFFSET ${MAX_REMEMBERED}`;
    this.#db.run(`DELETE FROM ${table} WHERE id <= (${oldest})`);
  }
}
