/** Delays with their values: fixed ones as the machine has them, computed ones by the table below, which a test checks. */
import type { AnyStateMachine } from 'xstate';
import { timing } from '../../machines/timing.ts';

/** Between what a computed delay moves, and how. */
export interface DelayRange {
  readonly fromMs: number;
  readonly toMs: number;
  readonly how: string;
}

/** By "machine.delay". */
export type DelayRanges = Readonly<Record<string, DelayRange>>;

export const computedDelays: DelayRanges = {
  'request.retransmissionTimeout': {
    fromMs: timing.minimumTimeout,
    toMs: timing.maximumTimeout,
    how: `doubling, ±${timing.timeoutJitter * 100} %`,
  },
  'request.nodesPatience': { fromMs: timing.overtakenPatience, toMs: timing.maximumTimeout, how: 'measured' },
  'request.latePatience': { fromMs: timing.overtakenPatience, toMs: 2 * timing.maximumTimeout, how: 'measured' },
  'directory-client.retryPause': {
    fromMs: timing.directoryRetry,
    toMs: timing.directoryRetryMaximum,
    how: 'doubling',
  },
  'directory-client.pollPause': { fromMs: timing.listingPoll, toMs: timing.listingPollMaximum, how: 'doubling' },
};

/** "renewal (50 min)", "retryPause (1 s to 1 min, doubling)", "500 ms". */
export function delayText(
  machine: AnyStateMachine,
  machineName: string,
  delay: string | number,
  computed: DelayRanges,
): string {
  if (typeof delay === 'number') return durationText(delay);
  const value = (machine.implementations.delays as Record<string, unknown>)[delay];
  if (typeof value === 'number') return `${delay} (${durationText(value)})`;
  const range = computed[`${machineName}.${delay}`];
  if (range === undefined) throw new Error(`delay ${delay} of ${machineName} is computed: say in delays.ts how long`);
  return `${delay} (${durationText(range.fromMs)} to ${durationText(range.toMs)}, ${range.how})`;
}

const UNITS = [
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
  [1, 'ms'],
] as const;

/** 500 ms, 1.5 s, 50 min. */
export function durationText(ms: number): string {
  const [size, unit] = UNITS.find(([unitMs]) => ms >= unitMs) ?? [1, 'ms'];
  return `${Number((ms / size).toFixed(2))} ${unit}`;
}
