/** Creates what a home needs: the folder, the key, the name. */
import { existsSync } from 'node:fs';
import type { AskPassphrase } from '../../identity/key-file.ts';
import { createKeyFile, loadKeyFile } from '../../identity/key-file.ts';
import { generateKeyPair, type KeyPair } from '../../identity/key-pair.ts';
import { IdentityExistsError } from '../errors.ts';
import { createHomeFolder, type Home, readName, writeOwner } from './home.ts';

export interface NewHome {
  readonly home: Home;
  readonly name: string;
  /** For a key that is made now. */
  readonly passphrase: () => Promise<string | undefined>;
  /** For a key that an interrupted attempt has left. */
  readonly askPassphrase: AskPassphrase;
}

/** @throws IdentityExistsError if there is a name already; and what `loadKeyFile` throws */
export async function createHome({ home, name, passphrase, askPassphrase }: NewHome): Promise<KeyPair> {
  await createHomeFolder(home);
  const known = await readName(home);
  if (known !== undefined) throw new IdentityExistsError(home.folder, known);
  // The name is written last: a key without one is what an interrupted attempt has left, and serves as well as a new one.
  const keyPair = existsSync(home.keyFile)
    ? await loadKeyFile(home.keyFile, askPassphrase)
    : await createKey(home.keyFile, await passphrase());
  await writeOwner(home, { name, publicKey: keyPair.publicKey });
  return keyPair;
}

async function createKey(file: string, passphrase: string | undefined): Promise<KeyPair> {
  const keyPair = await generateKeyPair();
  await createKeyFile(file, keyPair, passphrase);
  return keyPair;
}
