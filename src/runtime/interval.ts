/** Repeated work on a provided clock. */
import type { Clock } from './clock.ts';

/** Calls back every `ms` until the returned function is called. */
export function every(clock: Clock, ms: number, work: () => void): () => void {
  let timer: unknown;
  let isStopped = false;
  const again = () => {
    timer = clock.setTimeout(() => {
      work();
      if (!isStopped) again();
    }, ms);
  };
  again();
  return () => {
    isStopped = true;
    clock.clearTimeout(timer);
  };
}
