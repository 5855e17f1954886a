/** Messages named on the command line: by their hash, or by the start of it. */
import type { Store, StoredMessage } from '../../store/store.ts';
import { isHash } from '../../wire/hash.ts';
import { UnknownMessageError, UsageError } from '../errors.ts';

/** For the help of commands that take one. */
export const HASH_ARGUMENT = 'its hash, or the start of it: 6 to 64 hexadecimal digits';

const HASH_PREFIX = /^[0-9a-f]{6,64}$/;

/** A whole hash, of a message that need not be stored, or the start of one that is. @throws UsageError, UnknownMessageError */
export function resolveHash(store: Store, text: string): string {
  const hash = text.toLowerCase();
  return isHash(hash) ? hash : findMessage(store, text).hash;
}

/** The message that `text` starts the hash of. @throws UsageError, UnknownMessageError */
export function findMessage(store: Store, text: string): StoredMessage {
  const prefix = text.toLowerCase();
  if (!HASH_PREFIX.test(prefix)) throw new UsageError(`a hash has 6 to 64 hexadecimal digits, "${text}" does not`);
  const [found, another] = store.messagesStartingWith(prefix, 2);
  if (found === undefined) throw new UnknownMessageError(prefix);
  if (another !== undefined)
    throw new UsageError(`several messages have a hash that starts with ${prefix}: give more digits`);
  return found;
}
