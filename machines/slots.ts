/** Children that are used again and again, since spawning costs ten times what sending does: which of them are free. */

export interface Slots {
  /** How many there are; they are numbered from 0. */
  readonly count: number;
  readonly free: readonly number[];
}

export const noSlots: Slots = { count: 0, free: [] };

/** A free slot, or the number of one that is to be spawned. */
export function takeSlot({ count, free }: Slots): {
  readonly slot: number;
  readonly isNew: boolean;
  readonly slots: Slots;
} {
  const last = free.at(-1);
  return last === undefined
    ? { slot: count, isNew: true, slots: { count: count + 1, free } }
    : { slot: last, isNew: false, slots: { count, free: free.slice(0, -1) } };
}

export function giveBack({ count, free }: Slots, slot: number): Slots {
  return { count, free: [...free, slot] };
}

/** Numbers of those that are not free. */
export function busySlots({ count, free }: Slots): number[] {
  return Array.from({ length: count }, (_, slot) => slot).filter((slot) => !free.includes(slot));
}

export function areAllFree({ count, free }: Slots): boolean {
  return free.length === count;
}
