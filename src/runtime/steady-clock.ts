/** For programs whose times must be Unix ms, but whose intervals must not depend on a wall clock that somebody may set. */
import type { Clock } from './clock.ts';

/** Its wall time is that of the moment of this call, carried on by the monotonic clock: it never goes back, and never jumps. */
export function steadyClock(clock: Clock): Clock {
  const startMs = clock.now() - clock.monotonicNow();
  const now = () => Math.floor(startMs + clock.monotonicNow());
  return {
    now,
    // One time for both: what is subtracted from what no longer matters.
    monotonicNow: now,
    setTimeout: (callback, ms) => clock.setTimeout(callback, ms),
    clearTimeout: (timer) => clock.clearTimeout(timer),
  };
}
