/** What a check is: one sentence of docs/protocol.md, tried on a program of which nothing is known but its address. */
import type { Subject } from './subject.ts';

export type Role = 'peer' | 'directory';

export interface Verdict {
  readonly status: 'passed' | 'failed' | 'skipped';
  /** What was seen, or why nothing could be. */
  readonly detail: string;
}

export interface Check {
  /** Never changed: others keep lists of them. */
  readonly id: string;
  /** Of docs/protocol.md. */
  readonly section: string;
  readonly level: 'MUST' | 'SHOULD';
  readonly roles: readonly Role[];
  /** The sentence that is tried. */
  readonly rule: string;
  /** It waits for half a minute, while the others run. */
  readonly isSlow?: boolean;
  readonly run: (subject: Subject) => Promise<Verdict>;
}

export const BOTH: readonly Role[] = ['peer', 'directory'];
export const PEER: readonly Role[] = ['peer'];
export const DIRECTORY: readonly Role[] = ['directory'];

export function passes(isRight: boolean, detail: string): Verdict {
  return { status: isRight ? 'passed' : 'failed', detail };
}

export function skipped(detail: string): Verdict {
  return { status: 'skipped', detail };
}

/** So many `things`, for a detail. */
export function some(count: number, thing: string): string {
  return `${count === 0 ? 'no' : count} ${thing}${count === 1 ? '' : 's'}`;
}
