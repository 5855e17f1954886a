/** `murmure init`: creates the home and the key. */
import { existsSync } from 'node:fs';
import { safeLine } from '../../feed/safe-text.ts';
import { fingerprint } from '../../identity/fingerprint.ts';
import { createKeyFile, loadKeyFile } from '../../identity/key-file.ts';
import { generateKeyPair, type KeyPair } from '../../identity/key-pair.ts';
import type { CommandContext } from '../context.ts';
import { IdentityExistsError } from '../errors.ts';
import { createHomeFolder, readName, writeName } from '../home.ts';
import { askPassphrase, readPassphrase } from '../passphrase.ts';
import { requireValidName } from '../validate.ts';

export async function init(context: CommandContext, name: string): Promise<void> {
  const { settings, output } = context;
  requireValidName(name);
  const { home } = settings;
  await createHomeFolder(home);
  const known = await readName(home);
  if (known !== undefined) throw new IdentityExistsError(home.folder, known);
  const keyPair = await ensureKey(context);
  await writeName(home, name);

  const created = {
    name,
    fingerprint: fingerprint(keyPair.publicKey),
    publicKey: keyPair.publicKey,
    home: home.folder,
  };
  output.data(created, (paint) =>
    [
      `${paint('bold', safeLine(name))} lives in ${safeLine(home.folder)}`,
      `key fingerprint ${paint('cyan', created.fingerprint)}`,
    ].join('\n'),
  );
}

/** The name is written last: a key without one is what an interrupted `init` has left, and serves as well as a new one. */
async function ensureKey(context: CommandContext): Promise<KeyPair> {
  const { home, passphraseFile } = context.settings;
  if (existsSync(home.keyFile)) return loadKeyFile(home.keyFile, askPassphrase(context));
  const passphrase = passphraseFile === undefined ? undefined : await readPassphrase(passphraseFile);
  const keyPair = await generateKeyPair();
  await createKeyFile(home.keyFile, keyPair, passphrase);
  return keyPair;
}
