/** Copies the names of one registry to another: from a file to an engine or back. Backups of an engine are made in this way, too. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { PublicKey } from '../identity/public-key.ts';
import { takeLock } from '../store/process-lock.ts';
import { MurmureError } from '../wire/murmure-error.ts';
import type { Binding, BindingStore } from './binding-store.ts';
import { DirectoryRunsError } from './create-directory.ts';
import { fileNames } from './file-names.ts';
import { inTransaction, openDatabase, saying } from './registry-file.ts';

const BATCH = 200;
const SQLITE = 'sqlite:';

/** @throws MurmureError if one of the two cannot be used */
export async function migrate(from: string, to: string): Promise<{ bindings: number; skipped: number }> {
  if (from === to) throw new MurmureError('usage', 'source and target name the same registry: name two different ones');
  requireRegistry(fileOf(from));
  await using source = await openStore(from);
  await using target = await openStore(to);
  let read = 0;
  let bindings = 0;
  let batch: Binding[] = [];
  const hand = async () => {
    bindings += await target.add(batch);
    batch = [];
  };
  for await (const binding of source.read()) {
    read += 1;
    if (batch.push(binding) >= BATCH) await hand();
  }
  await hand();
  return { bindings, skipped: read - bindings };
}

/** Undefined: the registry is not in a file. */
export function fileOf(place: string): string | undefined {
  return place.startsWith(SQLITE) ? place.slice(SQLITE.length) : undefined;
}

export function requireRegistry(file: string | undefined): void {
  if (file !== undefined && !existsSync(file))
    throw new MurmureError('usage', `there is no registry ${file}: give the path of a registry.db`);
}

export async function openStore(place: string): Promise<BindingStore> {
  const file = fileOf(place);
  if (file !== undefined) return openFile(file);
  if (/^rediss?:/.test(place)) return (await import('./redis/engine-store.ts')).openEngineStore(place);
  throw new MurmureError('usage', 'a registry is sqlite:FILE, redis://HOST:PORT or rediss://HOST:PORT');
}

function openFile(file: string): BindingStore {
  const home = path.dirname(file);
  // No directory uses a copy next to it.
  const isInUse = path.basename(file) === fileNames.registry;
  const lock = isInUse && takeLock(path.join(home, fileNames.lock), (pid) => new DirectoryRunsError(home, pid));
  const guarded = saying(file);
  const db = guarded(openDatabase)(file);
  const running = (db.prepare('SELECT total_ms AS total FROM running_time').get() as { total: number }).total;
  const now = Date.now();
  const addresses = db.prepare(
    'SELECT address, proven_ms AS proven, answered_ms AS answered FROM addresses WHERE name = ? ORDER BY proven_ms DESC, rowid DESC',
  );
  const addBinding = db.prepare('INSERT INTO bindings VALUES (?, ?, ?) ON CONFLICT DO NOTHING');
  const addAddress = db.prepare('INSERT INTO addresses VALUES (?, ?, ?, ?)');
  return {
    async *read() {
      const rows = db.prepare('SELECT name, key, proven_running_ms AS proven FROM bindings').iterate();
      for (const row of rows) {
        const { name, key, proven } = row as { name: string; key: PublicKey | null; proven: number };
        const listed = addresses.all(name) as { address: string; proven: number; answered: number }[];
        yield {
          name,
          key: key ?? undefined,
          ageMs: running - proven,
          addresses: listed.map((one) => ({
            address: one.address,
            provenAgoMs: now - one.proven,
            answeredAgoMs: now - one.answered,
          })),
        };
      }
    },
    add: async (bindings) =>
      guarded(inTransaction<number>)(db, () => {
        let added = 0;
        for (const { name, key, ageMs, addresses: listed } of bindings) {
          if (addBinding.run(name, key ?? null, running - ageMs).changes === 0) continue;
          added += 1;
          // The newest last: of two with the same time, the later row is listed first.
          for (const { address, provenAgoMs, answeredAgoMs } of listed.toReversed())
            addAddress.run(name, address, now - provenAgoMs, now - answeredAgoMs);
        }
        return added;
      }),
    async [Symbol.asyncDispose]() {
      db.close();
      if (lock) lock[Symbol.dispose]();
    },
  };
}
