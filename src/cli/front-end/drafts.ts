/** Half-written messages, kept in the home with every key that is pressed: they survive whatever ends the program. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import type { Home } from '../home/home.ts';

/** By the hash of the message that is answered, `''` for a message of its own. */
export type Drafts = Readonly<Record<string, string>>;

export interface DraftKeeper {
  readonly drafts: Drafts;
  keep(drafts: Drafts): void;
}

const schema = v.record(v.string(), v.string());

/** A file that cannot be read holds nothing that could be gone on with. */
export function draftsIn({ folder }: Pick<Home, 'folder'>): DraftKeeper {
  const file = join(folder, 'drafts.json');
  return {
    drafts: read(file),
    keep: (drafts) => {
      if (Object.keys(drafts).length === 0) return rmSync(file, { force: true });
      // In one step: what was kept before is there until the new one is.
      writeFileSync(`${file}.part`, JSON.stringify(drafts), { mode: 0o600 });
      renameSync(`${file}.part`, file);
    },
  };
}

function read(file: string): Drafts {
  try {
    const result = v.safeParse(schema, JSON.parse(readFileSync(file, 'utf8')));
    return result.success ? result.output : {};
  } catch {
    return {};
  }
}
