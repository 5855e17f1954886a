/** `murmure init`: creates the home and the key. */
import { safeLine } from '../../feed/safe-text.ts';
import { fingerprint } from '../../identity/fingerprint.ts';
import type { CommandContext } from '../context.ts';
import { createHome } from '../home/create-home.ts';
import { askPassphrase, readPassphrase } from '../home/passphrase.ts';
import { requireNewName } from '../input/validate.ts';

export async function init(context: CommandContext, name: string): Promise<void> {
  const { settings, output } = context;
  requireNewName(name);
  const { home, passphraseFile } = settings;
  const keyPair = await createHome({
    home,
    name,
    passphrase: async () => (passphraseFile === undefined ? undefined : readPassphrase(passphraseFile)),
    askPassphrase: askPassphrase(context),
  });

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
