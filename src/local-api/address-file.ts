/** Where the running peer of a home is found, and the token that it asks for: a file that only its owner can read. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import * as v from 'valibot';
import { AddressFile } from './schemas.ts';

export type LocalAddress = v.InferOutput<typeof AddressFile>;

/** In one step: whoever reads meanwhile reads a whole one. Disposing of it takes the file away, unless it is another's by then. */
export function keepAddressFile(path: string, address: LocalAddress): Disposable {
  const part = `${path}.part`;
  // A file that is there keeps its mode.
  rmSync(part, { force: true });
  writeFileSync(part, `${JSON.stringify(address)}\n`, { flag: 'wx', mode: 0o600 });
  renameSync(part, path);
  return {
    [Symbol.dispose]() {
      try {
        if (readAddressFile(path)?.token === address.token) rmSync(path, { force: true });
      } catch {
        // A file that leads nowhere is noticed by whoever follows it.
      }
    },
  };
}

/**
 * Undefined: there is none, or nothing that this version of murmure understands. @throws what the system says of a file that cannot be read
 */
export function readAddressFile(path: string): LocalAddress | undefined {
  try {
    const parsed = v.safeParse(AddressFile, JSON.parse(readFileSync(path, 'utf8')));
    return parsed.success ? parsed.output : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
