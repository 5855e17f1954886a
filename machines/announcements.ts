/** How often the roots that a peer announces are looked into: signed roots can be replayed, and new ones made without end. */
import { limits } from './timing.ts';

/** What is left of a peer's allowance, and since when: one download a second, and a few at once. */
export interface Allowance {
  readonly left: number;
  readonly atMs: number;
}

const FULL = limits.announcedWalks;

/** What is left now. Undefined: nothing was announced yet. */
export function allowanceAt(allowance: Allowance | undefined, atMs: number): Allowance {
  if (allowance === undefined) return { left: FULL, atMs };
  const regained = Math.max(0, atMs - allowance.atMs) / 1000;
  return { left: Math.min(FULL, allowance.left + regained), atMs };
}

export function isSpent({ left }: Allowance): boolean {
  return left < 1;
}

export function spent({ left, atMs }: Allowance): Allowance {
  return { left: left - 1, atMs };
}
