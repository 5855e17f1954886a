/** The registry in SQLite: a directory that is restarted knows its peers. */
import { DatabaseSync } from 'node:sqlite';
import type { PublicKey } from '../identity/public-key.ts';
import { asStoreError } from '../store/store-errors.ts';
import { formatAddress, isIPv6, parseAddress, type SocketAddress } from '../wire/socket-address.ts';
import { PendingRegistrations } from './pending-registrations.ts';
import {
  ADDRESS_LIFETIME_MS,
  bindingLifetimeMs,
  byBytes,
  type Registry,
  type RegistryOptions,
  registryLimits,
} from './registry.ts';

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA foreign_keys = ON;
  CREATE TABLE IF NOT EXISTS bindings (name TEXT PRIMARY KEY, key TEXT, proven_ms INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS addresses (
    name TEXT NOT NULL REFERENCES bindings (name) ON DELETE CASCADE,
    address TEXT NOT NULL,
    proven_ms INTEGER NOT NULL,
    PRIMARY KEY (name, address)
  );
  CREATE INDEX IF NOT EXISTS addresses_by_address ON addresses (address);
  PRAGMA user_version = 1;
`;

/** Pending registrations stay in memory: they live for two minutes. @throws MurmureError if the file cannot be used */
export function openSqliteRegistry(file: string, options: RegistryOptions = {}): Registry {
  const db = openDatabase(file);
  const lifetimeMs = bindingLifetimeMs(options);
  const pending = new PendingRegistrations();

  const selectBinding = db.prepare('SELECT key FROM bindings WHERE name = ? AND proven_ms > ?');
  const selectAddresses = db.prepare('SELECT address FROM addresses WHERE name = ? AND proven_ms > ?');
  const selectNames = db.prepare('SELECT DISTINCT name FROM addresses WHERE proven_ms > ?');
  const selectAddress = db.prepare('SELECT 1 FROM addresses WHERE address = ? AND proven_ms > ?');
  const upsertBinding = db.prepare(
    `INSERT INTO bindings VALUES (?1, ?2, ?3)
     ON CONFLICT (name) DO UPDATE SET key = excluded.key, proven_ms = excluded.proven_ms`,
  );
  const upsertAddress = db.prepare(
    'INSERT INTO addresses VALUES (?1, ?2, ?3) ON CONFLICT (name, address) DO UPDATE SET proven_ms = excluded.proven_ms',
  );
  const clearAddresses = db.prepare('DELETE FROM addresses WHERE name = ?');
  const trimAddresses = db.prepare(
    `DELETE FROM addresses WHERE name = ?1 AND address NOT IN
       (SELECT address FROM addresses WHERE name = ?1 ORDER BY proven_ms DESC LIMIT ${registryLimits.addressesPerName})`,
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

  return {
    register(name, key, nowMs) {
      const bound = boundKey(name, nowMs);
      if (typeof bound === 'string') return bound === key ? 'accepted' : 'bad-key';
      pending.add(name, key, nowMs);
      return 'accepted';
    },
    candidateKeys(name, nowMs) {
      const bound = boundKey(name, nowMs);
      if (typeof bound === 'string') return [bound];
      const keys = [...pending.keys(name, nowMs), ...(bound === null ? [undefined] : [])];
      return keys.sort((a, b) => Number(a === undefined) - Number(b === undefined));
    },
    prove(name, key, address, nowMs) {
      db.exec('BEGIN IMMEDIATE');
      try {
        if (boundKey(name, nowMs) !== (key ?? null)) clearAddresses.run(name);
        upsertBinding.run(name, key ?? null, nowMs);
        upsertAddress.run(name, formatAddress(address), nowMs);
        trimAddresses.run(name);
        db.exec('COMMIT');
      } catch (error) {
        if (db.isTransaction) db.exec('ROLLBACK');
        throw asStoreError(file, error);
      }
      if (key !== undefined) pending.remove(name);
    },
    peers: (nowMs) =>
      selectNames
        .all(nowMs - ADDRESS_LIFETIME_MS)
        .map((row) => (row as { name: string }).name)
        .sort(byBytes),
    lookup(name, nowMs) {
      const addresses = addressesOf(name, nowMs);
      const key = boundKey(name, nowMs);
      if (addresses.length === 0) return undefined;
      return typeof key === 'string' ? { name, addresses, key } : { name, addresses };
    },
    isListed: (address, nowMs) => selectAddress.get(formatAddress(address), nowMs - ADDRESS_LIFETIME_MS) !== undefined,
    expire(nowMs) {
      pending.expire(nowMs);
      expireAddresses.run(nowMs - ADDRESS_LIFETIME_MS);
      expireBindings.run(nowMs - lifetimeMs);
    },
    close: () => db.close(),
  };
}

function openDatabase(file: string): DatabaseSync {
  try {
    const db = new DatabaseSync(file, { timeout: 5_000 });
    db.exec(SCHEMA);
    return db;
  } catch (error) {
    throw asStoreError(file, error);
  }
}
