/** What users type, checked. Every function throws a `UsageError` that says what would be right. */

import { safeLine } from '../../feed/safe-text.ts';
import { failureFrom } from '../../wire/murmure-error.ts';
import { whyInvalidName } from '../../wire/name.ts';
import { parseAddress, type SocketAddress } from '../../wire/socket-address.ts';
import { UsageError } from '../errors.ts';

/** @throws UsageError unless `name` can be a peer's (protocol §3) */
export function requireValidName(name: string): void {
  const why = whyInvalidName(name);
  if (why !== undefined) throw new UsageError(`"${name}" cannot be a name: ${why}`);
}

/** As above, for a name that a directory is asked for: these are path segments, of which URLs take two for directions. @throws UsageError */
export function requireAskableName(name: string): void {
  requireValidName(name);
  if (name === '.' || name === '..') {
    throw new UsageError(`"${name}" cannot be asked for: it has a special meaning in a URL`);
  }
}

/** As above, for a name of one's own: everybody has to see which one it is. @throws UsageError */
export function requireNewName(name: string): void {
  requireAskableName(name);
  const shown = safeLine(name);
  if (shown !== name)
    throw new UsageError(`"${name}" would be shown as "${shown}": leave out the invisible characters`);
}

/** As above, of a name that is being typed: what is wrong with it; undefined if nothing is. */
export function whyNoNewName(name: string): string | undefined {
  // It stands for bytes that are not UTF-8, and would become part of the name.
  if (name.includes('\ufffd')) return 'that is not in UTF-8: check the encoding of the terminal';
  const why = whyInvalidName(name);
  if (why !== undefined) return why;
  try {
    requireNewName(name);
    return undefined;
  } catch (error) {
    return failureFrom(error).message;
  }
}

/** @throws UsageError unless `path` can be that of a file or folder */
export function requirePath(option: string, path: string): void {
  if (path === '' || path.startsWith('--')) throw new UsageError(`${option} takes a path, not "${path}"`);
  if (path.includes('\0')) throw new UsageError(`${option} takes a path, which cannot contain a NUL character`);
}

/** @throws UsageError unless every text is IP:PORT that datagrams can be sent to */
export function requireAddresses(option: string, texts: readonly string[]): void {
  for (const text of texts) {
    const address = parseAddress(text);
    if (!address.ok) throw new UsageError(`${option} takes IP:PORT, not "${text}": ${address.why}`);
    if (isUnspecified(address.value) || address.value.port === 0)
      throw new UsageError(`${option} takes an address that others can send to, which ${text} is not`);
  }
}

/** The address that stands for all of a machine's. */
export function isUnspecified({ ip }: SocketAddress): boolean {
  return ip === '0.0.0.0' || ip === '::';
}

/** @throws UsageError unless `text` is a whole number from 1 */
export function requireCount(option: string, text: string): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (count === 0) throw new UsageError(`${option} takes a whole number from 1, not "${text}"`);
  return count;
}

const ISO_DATE = /^(?<day>\d{4}-\d{2}-\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/;

/** Unix milliseconds. A date alone starts in UTC, a time without a zone is local (ECMAScript's reading of ISO 8601). @throws UsageError */
export function requireDate(option: string, text: string): number {
  const { day } = ISO_DATE.exec(text)?.groups ?? {};
  const instant = day !== undefined && isDay(day) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(instant))
    throw new UsageError(`${option} takes an ISO 8601 date, for example 2026-01-31, not "${text}"`);
  return instant;
}

/** Date.parse takes February 30 for March 2. */
function isDay(day: string): boolean {
  const instant = Date.parse(day);
  return !Number.isNaN(instant) && new Date(instant).toISOString().startsWith(day);
}
