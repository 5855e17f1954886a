/** The registry in SQLite: a directory that is restarted knows its peers. */
import type { DatabaseSync } from 'node:sqlite';
import type { ListedAddress } from '../../machines/directory-context.ts';
import type { PublicKey } from '../identity/public-key.ts';
import { byFamily, formatAddress, parseAddress, type SocketAddress } from '../wire/socket-address.ts';
import { ChangeLog } from './change-log.ts';
import { Listing } from './listing.ts';
import { PendingRegistrations } from './pending-registrations.ts';
import {
  ADDRESS_LIFETIME_MS,
  bindingLifetimeMs,
  type LocalRegistry,
  type RegistryOptions,
  type RegistryStatus,
  registryLimits,
} from './registry.ts';
import { type Guarded, inTransaction, openDatabase, saying } from './registry-file.ts';
import { RunningTime } from './running-time.ts';

/** The running time is written down this often: it is less than that too short after a crash, which lengthens bindings by as much. */
const KEEP_RUNNING_TIME_MS = 60_000;

/** Addresses, and bindings, that one call of `expire` forgets: some milliseconds of work. */
const EXPIRED_AT_ONCE = 100;

/**
 * `file` may be `:memory:`: such a registry goes with the process. Pending registrations always stay in memory: they live for two minutes.
 * @throws MurmureError if the file cannot be used, here and in each method
 */
export function openSqliteRegistry(file: string, options: RegistryOptions = {}): LocalRegistry & RegistryStatus {
  const guarded = saying(file);
  return guarded(() => {
    const db = openDatabase(file);
    try {
      return registryIn(db, guarded, options);
    } catch (error) {
      db.close();
      throw error;
    }
  })();
}

function registryIn(db: DatabaseSync, guarded: Guarded, options: RegistryOptions): LocalRegistry & RegistryStatus {
  const lifetimeMs = bindingLifetimeMs(options);
  const pending = new PendingRegistrations();
  const changes = new ChangeLog(options.run);

  const selectBinding = db.prepare('SELECT key FROM bindings WHERE name = ? AND proven_running_ms > ?');
  // A proof whose time lies in the future has unknown age: it comes last (protocol §3).
  const selectAddresses = db.prepare(
    `SELECT address FROM addresses WHERE name = ?1 AND answered_ms > ?2 - ${ADDRESS_LIFETIME_MS}
     ORDER BY proven_ms > ?2, proven_ms DESC, rowid DESC`,
  );
  // As UTF-8 bytes: how SQLite compares text.
  const selectNames = db.prepare(
    'SELECT name, max(answered_ms) AS latest FROM addresses WHERE answered_ms > ? GROUP BY name ORDER BY name',
  );
  const selectLatest = db.prepare(
    'SELECT max(answered_ms) AS latest FROM addresses WHERE name = ? AND answered_ms > ?',
  );
  const selectAddress = db.prepare(
    'SELECT 1 FROM addresses WHERE address = ?1 AND answered_ms > ?2 AND (?3 IS NULL OR name = ?3)',
  );
  const upsertBinding = db.prepare(
    `INSERT INTO bindings VALUES (?1, ?2, ?3)
     ON CONFLICT (name) DO UPDATE SET key = excluded.key, proven_running_ms = excluded.proven_running_ms`,
  );
  const confirmBinding = db.prepare('UPDATE bindings SET proven_running_ms = ?2 WHERE name = ?1');
  const deleteAddress = db.prepare('DELETE FROM addresses WHERE name = ? AND address = ?');
  const insertAddress = db.prepare('INSERT INTO addresses VALUES (?1, ?2, ?3, ?3)');
  const confirmAddress = db.prepare('UPDATE addresses SET answered_ms = ?3 WHERE name = ?1 AND address = ?2');
  const clearAddresses = db.prepare('DELETE FROM addresses WHERE name = ?');
  const trimAddresses = db.prepare(
    `DELETE FROM addresses WHERE name = ?1 AND rowid NOT IN
       (SELECT rowid FROM addresses WHERE name = ?1 ORDER BY proven_ms > ?2, proven_ms DESC, rowid DESC
        LIMIT ${registryLimits.addressesPerName})`,
  );
  const selectUndated = db.prepare(
    'SELECT name, key, address FROM addresses JOIN bindings USING (name) WHERE proven_ms > ?1 OR answered_ms > ?1',
  );
  const dateUndated = db.prepare(
    'UPDATE addresses SET proven_ms = 0, answered_ms = ?1 WHERE proven_ms > ?1 OR answered_ms > ?1',
  );
  const expireAddresses = db.prepare(
    `DELETE FROM addresses WHERE rowid IN (SELECT rowid FROM addresses WHERE answered_ms <= ? LIMIT ${EXPIRED_AT_ONCE})
     RETURNING name`,
  );
  const expireBindings = db.prepare(
    `DELETE FROM bindings WHERE name IN (SELECT name FROM bindings WHERE proven_running_ms <= ? LIMIT ${EXPIRED_AT_ONCE})`,
  );
  const selectRunningTime = db.prepare('SELECT total_ms AS total FROM running_time');
  const updateRunningTime = db.prepare('UPDATE running_time SET total_ms = ?');

  let keptRunningMs = (selectRunningTime.get() as { total: number }).total;
  let latestMs: number | undefined;
  const running = new RunningTime(keptRunningMs);
  const keepRunningTime = (nowMs: number): void => {
    keptRunningMs = running.at(nowMs);
    updateRunningTime.run(keptRunningMs);
  };

  let whyAway: string | undefined;
  /** Work that writes something in any case: so it tells whether that is possible. */
  const written = (work: () => void): void => {
    try {
      work();
      whyAway = undefined;
    } catch (error) {
      whyAway = `the registry cannot be written to (${(error as Error).message})`;
      throw error;
    }
  };

  /** Null: bound without a key; undefined: not bound. */
  const boundKey = (name: string, nowMs: number): PublicKey | null | undefined =>
    (selectBinding.get(name, running.at(nowMs) - lifetimeMs) as { key: PublicKey | null } | undefined)?.key;
  const addressesOf = (name: string, nowMs: number): SocketAddress[] =>
    selectAddresses
      .all(name, nowMs)
      .flatMap((row) => parsed(row as { address: string }))
      .sort(byFamily);

  // Commits do not wait for the disk, because everybody would have to wait for them. A power failure may lose the latest renewals.
  db.exec('PRAGMA synchronous = NORMAL');
  /** A new binding does wait: it is acknowledged, so it must survive a power failure (docs/adr/0031). */
  const inLastingTransaction = (work: () => void): void => {
    db.exec('PRAGMA synchronous = FULL');
    try {
      inTransaction(db, work);
    } finally {
      db.exec('PRAGMA synchronous = NORMAL');
    }
  };

  const listing = new Listing((nowMs) =>
    selectNames.iterate(nowMs - ADDRESS_LIFETIME_MS).map((row) => [row.name as string, row.latest as number] as const),
  );
  const noteListed = (name: string, nowMs: number): void => {
    const { latest } = selectLatest.get(name, nowMs - ADDRESS_LIFETIME_MS) as { latest: number | null };
    listing.note(name, latest ?? undefined);
  };
  /** Does the work, and notes whether it changed what the list says of this name. */
  const changing = (name: string, nowMs: number, work: () => void): void => {
    const before = JSON.stringify(addressesOf(name, nowMs));
    inTransaction(db, work);
    if (JSON.stringify(addressesOf(name, nowMs)) !== before) changes.note(name);
    noteListed(name, nowMs);
  };

  return {
    get whyAway() {
      return whyAway;
    },
    waiting: 0,
    register: guarded((name, key, nowMs, source = '') => {
      const bound = boundKey(name, nowMs);
      if (typeof bound === 'string') return bound === key ? 'accepted' : 'bad-key';
      if (whyAway !== undefined) return 'away';
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
      const text = formatAddress(address);
      const bound = boundKey(name, nowMs);
      if (typeof bound === 'string' && bound !== key) return 'bad-key';
      const isSameOwner = bound === (key ?? null);
      const listed = isSameOwner ? addressesOf(name, nowMs) : [];
      const write = isSameOwner ? (work: () => void) => inTransaction(db, work) : inLastingTransaction;
      written(() =>
        write(() => {
          if (!isSameOwner) clearAddresses.run(name);
          upsertBinding.run(name, key ?? null, running.at(nowMs));
          // No binding is younger than the time that the next start goes on from.
          keepRunningTime(nowMs);
          deleteAddress.run(name, text);
          insertAddress.run(name, text, nowMs);
          trimAddresses.run(name, nowMs);
        }),
      );
      // At the same address as well: its program may have started anew, and knows nobody who reads from it.
      changes.note(name);
      noteListed(name, nowMs);
      if (key !== undefined) pending.remove(name);
      const others = listed.filter((other) => formatAddress(other) !== text);
      return { others: others.length === listed.length ? others : undefined };
    }),
    confirm: guarded((name, address, nowMs) =>
      changing(name, nowMs, () => {
        const { changes: rows } = confirmAddress.run(name, formatAddress(address), nowMs);
        if (rows === 0) return;
        confirmBinding.run(name, running.at(nowMs));
        keepRunningTime(nowMs);
      }),
    ),
    drop: guarded((name, address, nowMs) =>
      changing(name, nowMs, () => void deleteAddress.run(name, formatAddress(address))),
    ),
    takeUndated: guarded((nowMs) => {
      const rows = selectUndated.all(nowMs) as { name: string; key: PublicKey | null; address: string }[];
      dateUndated.run(nowMs);
      if (rows.length > 0) listing.forget();
      return rows.flatMap(({ name, key, address: text }): ListedAddress[] =>
        parsed({ address: text }).map((address) => ({ name, key: key ?? undefined, address })),
      );
    }),
    peers: guarded((nowMs) => listing.names(nowMs)),
    lookup: guarded((name, nowMs) => {
      const addresses = addressesOf(name, nowMs);
      const key = boundKey(name, nowMs);
      if (addresses.length === 0) return undefined;
      return typeof key === 'string' ? { name, addresses, key } : { name, addresses };
    }),
    isListed: guarded(
      (address, nowMs, name) =>
        selectAddress.get(formatAddress(address), nowMs - ADDRESS_LIFETIME_MS, name ?? null) !== undefined,
    ),
    cursor: () => changes.cursor,
    changesSince: (cursor, among) => changes.since(cursor, among),
    expire: guarded((nowMs) => {
      pending.expire(nowMs);
      // While nothing can be written, every sweep tries.
      if (whyAway !== undefined || running.at(nowMs) - keptRunningMs >= KEEP_RUNNING_TIME_MS)
        written(() => keepRunningTime(nowMs));
      const expired = expireAddresses.all(nowMs - ADDRESS_LIFETIME_MS);
      for (const row of expired) changes.note((row as { name: string }).name);
      latestMs = nowMs;
      const runningMs = running.at(nowMs);
      const { changes: ended } = expireBindings.run(runningMs - lifetimeMs);
      return expired.length === EXPIRED_AT_ONCE || Number(ended) === EXPIRED_AT_ONCE;
    }),
    close: guarded(() => {
      try {
        if (latestMs !== undefined) keepRunningTime(latestMs);
      } finally {
        db.close();
      }
    }),
  };
}

function parsed({ address }: { address: string }): SocketAddress[] {
  const result = parseAddress(address);
  return result.ok ? [result.value] : [];
}
