/** Messages named on the command line: by their hash, or by the start of it. */
import type { Store, StoredMessage } from '../store/store.ts';
import { UnknownMessageError, UsageError } from './errors.ts';

const HASH = /^[0-9a-f]{64}$/;
const HASH_PREFIX = /^[0-9a-f]{6,64}$/;

/** How many of the newest messages a shortened hash is looked for in: the store has no index of prefixes. */
const PREFIX_WINDOW = 10_000;

/** A whole hash, in lower case. @throws UsageError */
export function requireHash(option: string, text: string): string {
  const hash = text.toLowerCase();
  if (!HASH.test(hash)) throw new UsageError(`${option} takes a hash of 64 hexadecimal digits, not "${text}"`);
  return hash;
}

/** The message that `text` starts the hash of. @throws UsageError, UnknownMessageError */
export function findMessage(store: Store, text: string): StoredMessage {
  const prefix = text.toLowerCase();
  if (!HASH_PREFIX.test(prefix)) throw new UsageError(`a hash has 6 to 64 hexadecimal digits, "${text}" does not`);
  const whole = HASH.test(prefix) ? store.message(prefix) : undefined;
  if (whole !== undefined) return whole;
  const candidates = new Map(
    store
      .messages({ limit: PREFIX_WINDOW })
      .filter(({ hash }) => hash.startsWith(prefix))
      .map((message) => [message.hash, message]),
  );
  const [found, another] = candidates.values();
  if (found === undefined) throw new UnknownMessageError(prefix);
  if (another !== undefined)
    throw new UsageError(`${candidates.size} messages have hashes that start with ${prefix}: give more digits`);
  return found;
}
