/** Opens what a home keeps: the identity, and the store. */
import { WrongPassphraseError } from '../../identity/encrypted-pem.ts';
import { type AskPassphrase, loadKeyFile } from '../../identity/key-file.ts';
import type { KeyPair } from '../../identity/key-pair.ts';
import { openSqliteStore } from '../../store/sqlite-store.ts';
import type { Store } from '../../store/store.ts';
import type { CommandContext } from '../context.ts';
import { ForeignKeyError } from '../errors.ts';
import { type Home, hadStore, hasLostStore, markHadStore, markRestored, requireName, requireOwner } from './home.ts';
import { askPassphrase } from './passphrase.ts';

export interface Identity {
  readonly name: string;
  readonly keyPair: KeyPair;
}

/** A passphrase typed at a prompt may be mistyped. */
const TRIES = 3;

/** Asks for the passphrase if the key has one. @throws NoIdentityError, InvalidFileError, ForeignKeyError, and what `loadKeyFile` throws */
export async function openIdentity(
  context: Pick<CommandContext, 'settings' | 'prompts' | 'output'>,
): Promise<Identity> {
  const { home } = context.settings;
  const canRetry = context.prompts !== undefined && context.settings.passphraseFile === undefined;
  for (let tries = canRetry ? TRIES : 1; ; tries -= 1) {
    try {
      return await openIdentityWith(home, askPassphrase(context));
    } catch (error) {
      if (!(error instanceof WrongPassphraseError) || tries === 1) throw error;
      context.output.fail(error.message);
    }
  }
}

/** As above, with a passphrase that is got in some other way. */
export async function openIdentityWith(home: Home, ask: AskPassphrase): Promise<Identity> {
  const { name, publicKey } = await requireOwner(home);
  const keyPair = await loadKeyFile(home.keyFile, ask);
  if (publicKey !== undefined && publicKey !== keyPair.publicKey) throw new ForeignKeyError(home.keyFile, name);
  return { name, keyPair };
}

/**
 * The store of a home that has an identity, and that identity's name; the key is not needed to read. Where it is gone there is a new one,
 * and others may have what was published from the former. @throws NoIdentityError
 */
export async function openStore(home: Home): Promise<{ name: string; store: Store }> {
  const name = await requireName(home);
  // First: whatever interrupts this, there is no new store without the mark.
  if (hasLostStore(home)) markRestored(home);
  const store = openSqliteStore(home.storeFile);
  if (!hadStore(home)) await markHadStore(home);
  return { name, store };
}
