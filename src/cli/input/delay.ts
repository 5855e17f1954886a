/** A time to wait, as people write it: `30s`, `5m`, `2h`, `1d`; a number alone is seconds. */
import { UsageError } from '../errors.ts';

const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** Whoever means more has mistyped it. */
const LONGEST_MS = 366 * 86_400_000;

/** In ms. @throws UsageError */
export function parseDelay(text: string): number {
  const [, count = '', unit = 's'] = /^(\d{1,9})\s*([smhd])?$/.exec(text.trim().toLowerCase()) ?? [];
  const ms = Number(count) * (UNITS_MS[unit] ?? 0);
  if (count === '' || ms <= 0 || ms > LONGEST_MS)
    throw new UsageError(`"${text}" is no time to wait: write 30s, 5m, 2h or 1d, and at most a year`);
  return ms;
}
