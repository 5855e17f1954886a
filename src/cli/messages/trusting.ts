/** What a person is shown who is to accept the key of a peer. */
import { safeLine } from '../../feed/safe-text.ts';
import { fingerprint } from '../../identity/fingerprint.ts';
import type { PublicKey } from '../../identity/public-key.ts';
import type { DirectoryPeer } from '../../peer/directory-http.ts';
import { MurmureError } from '../../wire/murmure-error.ts';
import { NotListedError } from '../errors.ts';

/** The key that the directory hands out now. @throws NotListedError, MurmureError `authentication` for a peer without one */
export function keyOf(name: string, listed: Pick<DirectoryPeer, 'key'> | undefined): PublicKey {
  if (listed === undefined) throw new NotListedError(name);
  if (listed.key !== undefined) return listed.key;
  throw new MurmureError(
    'authentication',
    `"${name}" is now listed without a key, so anybody could be behind that name and there is nothing to accept: ask "${name}" what happened`,
  );
}

export interface KeyChange {
  readonly key: PublicKey;
  readonly pinned: PublicKey | undefined;
  readonly unsigned: boolean;
}

/** Both fingerprints, and what they mean; safe to show. */
export function describeChange(name: string, { key, pinned, unsigned }: KeyChange): string[] {
  const who = safeLine(name);
  const now = `The directory hands out ${fingerprint(key)}`;
  const keys =
    pinned === undefined
      ? [`No key of ${who} is known here yet.`, `${now}.`]
      : pinned === key
        ? [`The key of ${who} is still ${fingerprint(key)}.`]
        : [
            `The key of ${who} that is known here is ${fingerprint(pinned)}.`,
            `${now} instead: either ${who} has a new key, or somebody else has taken the name.`,
          ];
  const roots = `Without signatures, whoever can forge an address can make you believe that ${who} wrote something.`;
  return unsigned ? [...keys, roots] : keys;
}
