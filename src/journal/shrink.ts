/**
 * The fewest entries of a journal with which an actor still comes to a state: delta debugging (Zeller, Hildebrandt: Simplifying and
 * isolating failure-inducing input), over replays that leave entries out.
 */
import type { AnyActorRef } from 'xstate';
import { actorsFrom, pathOf, stateOf } from '../runtime/actor-tree.ts';
import { MurmureError } from '../wire/murmure-error.ts';
import { isNested } from './called-effects.ts';
import type { EventEntry, Journal, JournalEntry } from './format.ts';
import { replay } from './replay.ts';

/** What has to be seen after some entry. */
export interface Wanted {
  readonly actor: string;
  /** The whole state, or the beginning of its name up to a dot. */
  readonly state: string;
}

export interface Shrunk {
  readonly kept: readonly EventEntry[];
  /** How often it was replayed. */
  readonly replays: number;
}

/** @throws MurmureError `usage` if it is never seen; what `signal` was aborted with */
export async function shrink(journal: Journal, wanted: Wanted, signal?: AbortSignal): Promise<Shrunk> {
  const all = journal.entries.filter(isDroppable);
  let replays = 0;
  const shows = async (kept: readonly EventEntry[]): Promise<boolean> => {
    replays += 1;
    const keeping = new Set(kept);
    const drop = new Set(all.filter((entry) => !keeping.has(entry)).map(({ seq }) => seq));
    let isSeen = false;
    await replay(journal, {
      drop,
      signal,
      after: (_, root) => {
        isSeen ||= isIn(root, wanted);
      },
    });
    return isSeen;
  };
  if (!(await shows(all))) {
    throw new MurmureError(
      'usage',
      `no ${wanted.actor} is ever in the state "${wanted.state}": see replay --until and --from for what there is`,
    );
  }
  return { kept: await fewest(all, shows), replays };
}

/** What came from outside; timers fire by themselves, and what an effect answers at once comes with it. */
function isDroppable(entry: JournalEntry): entry is EventEntry {
  return 'to' in entry && !isNested(entry);
}

function isIn(root: AnyActorRef, { actor, state }: Wanted): boolean {
  return actorsFrom(root).some((found) => pathOf(found) === actor && `${stateOf(found)}.`.startsWith(`${state}.`));
}

/** No single one of them can be left out. */
async function fewest<T>(all: readonly T[], shows: (kept: readonly T[]) => Promise<boolean>): Promise<readonly T[]> {
  let kept = all;
  let parts = 2;
  while (kept.length > 0) {
    const size = Math.ceil(kept.length / parts);
    let without: readonly T[] | undefined;
    for (let start = 0; start < kept.length && without === undefined; start += size) {
      const rest = [...kept.slice(0, start), ...kept.slice(start + size)];
      if (await shows(rest)) without = rest;
    }
    if (without === undefined && size === 1) return kept;
    parts = without === undefined ? Math.min(2 * parts, kept.length) : Math.max(parts - 1, 2);
    kept = without ?? kept;
  }
  return kept;
}
