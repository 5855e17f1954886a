/** Where in a list the person was last, kept in the home with every move: a restart begins there. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Home } from '../home/home.ts';

export interface PositionKeeper {
  /** Hash of a message; `''`: none was kept. */
  readonly position: string;
  keep(hash: string): void;
}

const FILES = { timeline: 'reading-position', notifications: 'notifications-position' };

/** A position that cannot be read or written is not worth an error: the list then begins at what is unread. */
export function positionIn({ folder }: Pick<Home, 'folder'>, list: keyof typeof FILES): PositionKeeper {
  const file = join(folder, FILES[list]);
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

/** As long as the program runs. */
export function positionInMemory(): PositionKeeper {
  const keeper = {
    position: '',
    keep: (hash: string) => {
      keeper.position = hash;
    },
  };
  return keeper;
}

function read(file: string): string {
  try {
    const text = readFileSync(file, 'utf8').trim();
    return /^[0-9a-f]{64}$/.test(text) ? text : '';
  } catch {
    return '';
  }
}
