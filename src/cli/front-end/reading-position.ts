/** Where on the timeline the person was last, kept in the home with every move: a restart begins there. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Home } from '../home/home.ts';

export interface PositionKeeper {
  /** Hash of a message; `''`: none was kept. */
  readonly position: string;
  keep(hash: string): void;
}

/** A position that cannot be read or written is not worth an error: the timeline then begins at what is unread. */
export function readingPositionIn({ folder }: Pick<Home, 'folder'>): PositionKeeper {
  const file = join(folder, 'reading-position');
  let position = read(file);
  return {
    get position() {
      return position;
    },
    keep: (hash) => {
      if (hash === position) return;
      position = hash;
      try {
        writeFileSync(`${file}.part`, `${hash}\n`, { mode: 0o600 });
        renameSync(`${file}.part`, file);
      } catch {
        // The disk is full, say: it is kept as long as the program runs.
      }
    },
  };
}

function read(file: string): string {
  try {
    const text = readFileSync(file, 'utf8').trim();
    return /^[0-9a-f]{64}$/.test(text) ? text : '';
  } catch {
    return '';
  }
}
