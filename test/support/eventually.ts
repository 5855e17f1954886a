/** Waiting for what real sockets and processes do: a check is repeated until it passes, however slow the machine is. */
import { setTimeout as pause } from 'node:timers/promises';

/** Only a fault takes this long, so the limit says nothing about speed. */
const PATIENCE_SECONDS = 60;
const INTERVAL_MS = 5;

/** Resolves to what `check` returns once it neither throws nor rejects. @throws its last error after a minute */
export async function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  // A test may have stopped the other clocks.
  const until = process.uptime() + PATIENCE_SECONDS;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (process.uptime() > until) throw error;
    }
    await pause(INTERVAL_MS);
  }
}
