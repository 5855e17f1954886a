/**
 * How many Nodes datagrams may be under way over one path, and how far apart they are to be (protocol §10.1); pure. Doubles with each
 * round trip until something is lost, then halves, and grows by one a round trip.
 */
import { limits } from './timing.ts';

export interface BulkWindow {
  /** In datagrams; fractional. */
  readonly datagrams: number;
  /** Nothing was lost yet. */
  readonly isStarting: boolean;
  /** What was asked for before this instant cannot decrease the window again. Unix ms. */
  readonly decreasedAtMs: number;
}

export const initialBulkWindow: BulkWindow = {
  datagrams: limits.initialWindow,
  isStarting: true,
  decreasedAtMs: Number.NEGATIVE_INFINITY,
};

/** Grants that may be open. */
export function grantsOf({ datagrams }: BulkWindow): number {
  return Math.floor(datagrams);
}

/** Microseconds between the datagrams of an answer. */
export function gapOf(_: BulkWindow): number {
  return 0;
}

/** So many datagrams have come. */
export function afterArrival(window: BulkWindow, count: number): BulkWindow {
  const grown = window.isStarting ? window.datagrams + count : window.datagrams + count / window.datagrams;
  return { ...window, datagrams: Math.min(limits.maximumGrants, grown) };
}

/** Some of an answer to what was asked for then were lost. */
export function afterLoss(window: BulkWindow, openedAtMs: number, atMs: number): BulkWindow {
  if (openedAtMs < window.decreasedAtMs) return window;
  return {
    datagrams: Math.max(limits.initialWindow, window.datagrams / 2),
    isStarting: false,
    decreasedAtMs: atMs,
  };
}
