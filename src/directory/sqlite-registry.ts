/** The registry in SQLite: a directory that is restarted knows its peers. */
import { DatabaseSync } from 'node:sqlite';
import type { PublicKey } from '../identity/public-key.ts';
import { asStoreError, CorruptStoreError, NewerHomeError } from '../store/store-errors.ts';
import { MurmureError } from '../wire/murmure-error.ts';
import { formatAddress, isIPv6, parseAddress, type SocketAddress } from '../wire/socket-address.ts';
import { Listing } from './listing.ts';
import { PendingRegistrations } from './pending-registrations.ts';
import {
  ADDRESS_LIFETIME_MS,
  bindingLifetimeMs,
  type Registry,
  type RegistryOptions,
  registryLimits,
} from './registry.ts';

const SCHEMA_VERSION = 1;
const SCHEMA = `
  CREATE TABLE bindings (name TEXT PRIMARY KEY, key TEXT, proven_ms INTEGER NOT NULL);
  CREATE TABLE addresses (
    name TEXT NOT NULL REFERENCES bindings (name) ON DELETE CASCADE,
    address TEXT NOT NULL,
    proven_ms INTEGER NOT NULL,
    PRIMARY KEY (name, address)
  );
  CREATE INDEX addresses_by_address ON addresses (address);
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/**
 * `file` may be `:memory:`: such a registry goes with the process. Pending registrations always stay in memory: they live for two minutes.
 * @throws MurmureError if the file cannot be used, here and in each method
 */
export function openSqliteRegistry(file: string, options: RegistryOptions = {}): Registry {
  const guarded = saying(file);
  return guarded(() => {
    const db = new DatabaseSync(file, { timeout: 5_000, enableForeignKeyConstraints: true });
    try {
      prepareSchema(db, file);
      return registryIn(db, guarded, options);
    } catch (error) {
      db.close();
      throw error;
    }
  })();
}

type Guarded = <A extends unknown[], R>(work: (...args: A) => R) => (...args: A) => R;

function registryIn(db: DatabaseSync, guarded: Guarded, options: RegistryOptions): Registry {
  const lifetimeMs = bindingLifetimeMs(options);
  const pending = new PendingRegistrations();

  const selectBinding = db.prepare('SELECT key FROM bindings WHERE name = ? AND proven_ms > ?');
  const selectAddresses = db.prepare(
    'SELECT address FROM addresses WHERE name = ? AND proven_ms > ? ORDER BY proven_ms DESC, rowid DESC',
  );
  // As UTF-8 bytes: how SQLite compares text.
  const selectNames = db.prepare('SELECT DISTINCT name FROM addresses WHERE proven_ms > ? ORDER BY name');
  const dataVersion = db.prepare('PRAGMA data_version');
  const selectOldest = db.prepare('SELECT min(proven_ms) AS oldest FROM addresses WHERE proven_ms > ?');
  const selectAddress = db.prepare('SELECT 1 FROM addresses WHERE address = ? AND proven_ms > ?');
  const upsertBinding = db.prepare(
    `INSERT INTO bindings VALUES (?1, ?2, ?3)
     ON CONFLICT (name) DO UPDATE SET key = excluded.key, proven_ms = excluded.proven_ms`,
  );
  const deleteAddress = db.prepare('DELETE FROM addresses WHERE name = ? AND address = ?');
  const insertAddress = db.prepare('INSERT INTO addresses VALUES (?1, ?2, ?3)');
  const clearAddresses = db.prepare('DELETE FROM addresses WHERE name = ?');
  const trimAddresses = db.prepare(
    `DELETE FROM addresses WHERE name = ?1 AND rowid NOT IN
       (SELECT rowid FROM addresses WHERE name = ?1 ORDER BY proven_ms DESC, rowid DESC
        LIMIT ${registryLimits.addressesPerName})`,
  );
  const expireAddresses = db.prepare('DELETE FROM addresses WHERE proven_ms <= ?');
  const expireBindings = db.prepare('DELETE FROM bindings WHERE proven_ms <= ?');

  /** Null: bound without a key; undefined: not bound. */
  const boundKey = (name: string, nowMs: number): PublicKey | null | undefined =>
    (selectBinding.get(name, nowMs - lifetimeMs) as { key: PublicKey | null } | undefined)?.key;
  const addressesOf = (name: string, nowMs: number): SocketAddress[] =>
    selectAddresses
      .all(name, nowMs - ADDRESS_LIFETIME_MS)
      .flatMap((row) => {
        const parsed = parseAddress((row as { address: string }).address);
        return parsed.ok ? [parsed.value] : [];
      })
      .sort((a, b) => Number(isIPv6(a)) - Number(isIPv6(b)));

  const prove = (name: string, key: PublicKey | undefined, address: string, nowMs: number): void => {
    if (boundKey(name, nowMs) !== (key ?? null)) clearAddresses.run(name);
    upsertBinding.run(name, key ?? null, nowMs);
    deleteAddress.run(name, address);
    insertAddress.run(name, address, nowMs);
    trimAddresses.run(name);
  };

  const listing = new Listing(
    (nowMs) => {
      const after = nowMs - ADDRESS_LIFETIME_MS;
      const names = selectNames.all(after).map((row) => (row as { name: string }).name);
      const { oldest } = selectOldest.get(after) as { oldest: number | null };
      return { names, oldestProofMs: oldest ?? undefined };
    },
    () => (dataVersion.get() as { data_version: number }).data_version,
  );

  return {
    register: guarded((name, key, nowMs, source = '') => {
      const bound = boundKey(name, nowMs);
      if (typeof bound === 'string') return bound === key ? 'accepted' : 'bad-key';
      pending.add(name, key, nowMs, source);
      return 'accepted';
    }),
    candidateKeys: guarded((name, nowMs) => {
      const bound = boundKey(name, nowMs);
      if (typeof bound === 'string') return [bound];
      const keys = [...pending.keys(name, nowMs), ...(bound === null ? [undefined] : [])];
      return [...new Set(keys)].sort((a, b) => Number(a === undefined) - Number(b === undefined));
    }),
    prove: guarded((name, key, address, nowMs) => {
      inTransaction(db, () => prove(name, key, formatAddress(address), nowMs));
      listing.noteProven(name);
      if (key !== undefined) pending.remove(name);
    }),
    peers: guarded((nowMs) => listing.names(nowMs)),
    lookup: guarded((name, nowMs) => {
      const addresses = addressesOf(name, nowMs);
      const key = boundKey(name, nowMs);
      if (addresses.length === 0) return undefined;
      return typeof key === 'string' ? { name, addresses, key } : { name, addresses };
    }),
    isListed: guarded(
      (address, nowMs) => selectAddress.get(formatAddress(address), nowMs - ADDRESS_LIFETIME_MS) !== undefined,
    ),
    expire: guarded((nowMs) => {
      pending.expire(nowMs);
      expireAddresses.run(nowMs - ADDRESS_LIFETIME_MS);
      expireBindings.run(nowMs - lifetimeMs);
    }),
    close: () => db.close(),
  };
}

/** Looks before it writes: a database of another program stays as it is. */
function prepareSchema(db: DatabaseSync, file: string): void {
  inTransaction(db, () => {
    const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number };
    if (version > SCHEMA_VERSION) throw new NewerHomeError(file);
    if (version === SCHEMA_VERSION) return;
    if (db.prepare('SELECT 1 FROM sqlite_schema').get() !== undefined) throw foreignFile(file);
    db.exec(SCHEMA);
  });
  // What a registry has, or `prepare` says that it is none.
  db.prepare('SELECT bindings.name, key, address FROM bindings JOIN addresses USING (name)');
  db.exec('PRAGMA journal_mode = WAL');
}

function inTransaction(db: DatabaseSync, work: () => void): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    work();
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** "No such table", "no such column": https://sqlite.org/rescode.html#error */
const SQLITE_ERROR = 1;

/** Work whose errors are sentences about `file`. */
function saying(file: string): Guarded {
  return (work) =>
    (...args) => {
      try {
        return work(...args);
      } catch (error) {
        if ((error as { errcode?: number }).errcode === SQLITE_ERROR) throw foreignFile(file, error);
        const known = asStoreError(file, error);
        throw known instanceof CorruptStoreError ? damagedFile(file, error) : known;
      }
    };
}

function foreignFile(file: string, cause?: unknown): MurmureError {
  const message = `${file} is a database of another program, not the registry of a directory: move it away, or use another home`;
  return new MurmureError('invalid-data', message, { cause });
}

function damagedFile(file: string, cause: unknown): MurmureError {
  const why = (cause as Error).message;
  const message = `the registry ${file} is damaged (${why}): restore it from a backup, or move it away and start again; peers register anew within an hour, but which key a name is bound to is forgotten`;
  return new MurmureError('invalid-data', message, { cause });
}
