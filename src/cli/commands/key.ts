/** `murmure key show`, `key passphrase` and `key resume`: the key of this home, and the right to publish with it. Moving it elsewhere: key-transfer.ts. */
import { createPublicKey } from 'node:crypto';
import type { Command } from 'commander';
import { safeLine } from '../../feed/safe-text.ts';
import { isEncryptedPem } from '../../identity/encrypted-pem.ts';
import { fingerprint } from '../../identity/fingerprint.ts';
import { loadKeyFile, readKeyFile, rewriteKeyFile } from '../../identity/key-file.ts';
import { type PublicKey, publicKeyBytes } from '../../identity/public-key.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { UsageError } from '../errors.ts';
import { clearRestored, isRestored, markResumed, requireName, requireOwner } from '../home/home.ts';
import { openIdentity, openStore } from '../home/open-home.ts';
import { askNewPassphrase, askPassphrase, readPassphrase } from '../home/passphrase.ts';
import { requirePath } from '../input/validate.ts';
import { declareTransfer } from './key-transfer.ts';

export function declare(program: Command, run: Run): void {
  const key = program
    .command('key')
    .summary('show, back up or protect your key')
    .description('Shows the key that you sign with, backs it up, and changes its passphrase.')
    .addHelpText('after', examples('key show', 'key export backup.json', 'key passphrase'));
  key
    .command('show')
    .summary('show your fingerprint and public key')
    .description('Shows the fingerprint, and the public key in base64 and in PEM. Never shows the private key.')
    .addHelpText('after', examples('key show'))
    .action(() => run(showKey));
  declareTransfer(key, run);
  key
    .command('passphrase')
    .summary('set, change or remove the passphrase of your key')
    .description(
      'Encrypts the key file (PKCS#8, readable by openssl), changes its passphrase, or decrypts it. Asks at a terminal. --passphrase-file names the current passphrase or, for a key without one, the new one.',
    )
    .option('--new <file>', 'read the new passphrase from the first line of this file')
    .option('--remove', 'keep the key without a passphrase')
    .addHelpText('after', examples('key passphrase', 'key passphrase --new secret.txt', 'key passphrase --remove'))
    .action((options: PassphraseOptions) => run((context) => changePassphrase(context, options)));
  key
    .command('resume')
    .summary('let a restored home publish')
    .description(
      'Lets a home that was restored from a backup publish, even if other peers have newer messages of yours: those are then lost. Asks for confirmation at a terminal.',
    )
    .option('--yes', 'do not ask')
    .addHelpText('after', examples('key resume'))
    .action((options: ResumeOptions) => run((context) => resumePublishing(context, options)));
}

/** Asks for no passphrase, except in homes of earlier versions, which do not say what their public key is. */
export async function showKey(context: CommandContext): Promise<void> {
  const { home } = context.settings;
  const { name, publicKey: known } = await requireOwner(home);
  const encrypted = isEncryptedPem(await readKeyFile(home.keyFile));
  const publicKey = encrypted && known !== undefined ? known : (await openIdentity(context)).keyPair.publicKey;
  const pem = publicPem(publicKey);
  const shown = { name, fingerprint: fingerprint(publicKey), publicKey, pem, encrypted };
  context.output.data(shown, (paint) =>
    [
      `${paint('bold', safeLine(name))} has the key ${paint('cyan', shown.fingerprint)}, ${encrypted ? 'with a passphrase' : 'without a passphrase'}`,
      `public key ${shown.publicKey}`,
      pem.trimEnd(),
    ].join('\n'),
  );
}

export /** SPKI. */
function publicPem(publicKey: PublicKey): string {
  const point = publicKeyBytes(publicKey);
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
  const jwk = { kty: 'EC', crv: 'P-256', x: text(point.subarray(0, 32)), y: text(point.subarray(32)) };
  return createPublicKey({ format: 'jwk', key: jwk }).export({ format: 'pem', type: 'spki' }) as string;
}

interface PassphraseOptions {
  /** A file with the new one. */
  readonly new?: string;
  readonly remove?: boolean;
}

/** For a key that has none yet, --passphrase-file names the new one: from then on it is the one that opens it. */
export async function changePassphrase(context: CommandContext, options: PassphraseOptions): Promise<void> {
  const { home, passphraseFile } = context.settings;
  if (options.new !== undefined && options.remove) throw new UsageError('give --new or --remove, not both');
  if (options.new !== undefined) requirePath('--new', options.new);
  await requireName(home);
  const wasEncrypted = isEncryptedPem(await readKeyFile(home.keyFile));
  const keyPair = await loadKeyFile(home.keyFile, askPassphrase(context));

  const newFile = options.new ?? (wasEncrypted ? undefined : passphraseFile);
  const passphrase = options.remove
    ? undefined
    : newFile === undefined
      ? await askNewPassphrase(context)
      : await readPassphrase(newFile);
  await rewriteKeyFile(home.keyFile, keyPair, passphrase);
  const encrypted = passphrase !== undefined;
  context.output.data({ encrypted }, () =>
    encrypted ? 'The key now has the new passphrase.' : 'The key no longer has a passphrase.',
  );
}

export interface ResumeOptions {
  readonly yes?: boolean;
}

const WHAT_RESUMING_MEANS =
  'Others may have messages of yours that are newer than the backup of this home. Once you publish from here, everybody drops them.';

/** Gives up what a restored home may lack. Where there is nothing to give up, nobody is asked. */
export async function resumePublishing(context: CommandContext, { yes = false }: ResumeOptions): Promise<void> {
  const { settings, output, prompts } = context;
  const name = await requireName(settings.home);
  if (!isRestored(settings.home)) {
    return output.data({ name, resumed: false }, () => 'Nothing was held back: this home may publish already.');
  }
  if (yes) output.note(WHAT_RESUMING_MEANS);
  else {
    if (prompts === undefined)
      throw new UsageError('this needs a confirmation, and there is no terminal to ask at: add --yes');
    const isMeant = await prompts.confirm(`${WHAT_RESUMING_MEANS}\nPublish from here anyway?`);
    if (!isMeant) return output.note('Nothing was changed.');
  }
  using store = (await openStore(settings.home)).store;
  markResumed(settings.home, { root: store.ownFeed().root });
  await clearRestored(settings.home);
  output.data(
    { name, resumed: true },
    () =>
      `${safeLine(name)} can publish from ${safeLine(settings.home.folder)} again; a murmure that runs on it does so once it is started anew.`,
  );
}
