/** Waiting for what real sockets and processes do: a check is repeated until it passes, however slow the machine is. */
import { vi } from 'vitest';

/** Only a fault takes this long, so the limit says nothing about speed. */
const PATIENCE_MS = 60_000;

/** Resolves to what `check` returns once it neither throws nor rejects. @throws its last error after a minute */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: PATIENCE_MS, interval: 5 });
}
