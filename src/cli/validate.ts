/** What users type, checked. Every function throws a `UsageError` that says what would be right. */

import { whyInvalidName } from '../wire/name.ts';
import { parseAddress } from '../wire/socket-address.ts';
import { UsageError } from './errors.ts';

/** @throws UsageError unless `name` can be a peer's (protocol §3) */
export function requireValidName(name: string): void {
  const why = whyInvalidName(name);
  if (why !== undefined) throw new UsageError(`"${name}" cannot be a name: ${why}`);
}

/** @throws UsageError unless every text is IP:PORT */
export function requireAddresses(option: string, texts: readonly string[]): void {
  for (const text of texts) {
    const address = parseAddress(text);
    if (!address.ok) throw new UsageError(`${option} takes IP:PORT, not "${text}": ${address.why}`);
  }
}

/** @throws UsageError unless `text` is a whole number from 1 */
export function requireCount(option: string, text: string): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (count === 0) throw new UsageError(`${option} takes a whole number from 1, not "${text}"`);
  return count;
}

const ISO_DATE = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/;

/** Unix milliseconds. A date alone starts in UTC, a time without a zone is local (ECMAScript's reading of ISO 8601). @throws UsageError */
export function requireDate(option: string, text: string): number {
  const instant = ISO_DATE.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(instant))
    throw new UsageError(`${option} takes an ISO 8601 date, for example 2026-01-31, not "${text}"`);
  return instant;
}
