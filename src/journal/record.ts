/** Starts to record a run: from then on all its randomness comes from a seed, which the journal names. */
import { randomBytes } from 'node:crypto';
import type { Random } from '../../machines/effects.ts';
import type { Clock } from '../runtime/clock.ts';
import { packageVersion } from '../runtime/version.ts';
import type { JournalHeader } from './format.ts';
import { type JournalSink, Recorder } from './recorder.ts';
import { createSeededRandom, SEED_BYTES } from './seeded-random.ts';

export interface RecordOptions {
  readonly root: JournalHeader['root'];
  /** Undefined: nothing is recorded. */
  readonly sink: JournalSink | undefined;
  readonly seed: Uint8Array | undefined;
  readonly clock: Clock;
  /** The root machine's, without its randomness. */
  readonly input: object;
}

export function record({ sink, ...options }: RecordOptions): { recorder: Recorder; random: Random } | undefined {
  if (sink === undefined) return undefined;
  const seed = options.seed ?? randomBytes(SEED_BYTES);
  const recorder = new Recorder({ ...options, sink, seed, version: packageVersion() });
  return { recorder, random: createSeededRandom(seed) };
}
