/** The commands about the key of this home. */
import type { Command } from 'commander';
import type { PassphraseOptions, ResumeOptions } from '../commands/key.ts';
import type { Run } from './run.ts';

export function addKeyCommands(program: Command, run: Run): void {
  const key = program
    .command('key')
    .summary('show, move or protect your key')
    .description('The key that you sign with: what it is, a backup of it, and the passphrase that it is kept under.');
  key
    .command('show')
    .summary('show your fingerprint and public key')
    .description('Shows the fingerprint, and the public key in base64 and in PEM. The secret part is never shown.')
    .action(() => run(async (context) => (await import('../commands/key.ts')).showKey(context)));
  key
    .command('export')
    .summary('write a backup')
    .description(
      'Writes one file, readable by you only, with the key, your messages, and whom you follow. A passphrase stays on the key.',
    )
    .argument('<file>', 'is not overwritten')
    .action((file: string) =>
      run(async (context) => (await import('../commands/key-transfer.ts')).exportKey(context, file)),
    );
  key
    .command('import')
    .summary('make a home from a backup')
    .description(
      'Makes a home from a backup, after all of it was verified. An identity that is there already is left as it is.',
    )
    .argument('<file>', 'as "key export" wrote it')
    .action((file: string) =>
      run(async (context) => (await import('../commands/key-transfer.ts')).importKey(context, file)),
    );
  key
    .command('passphrase')
    .summary('put the key under a passphrase')
    .description(
      'Encrypts the key file (PKCS#8, readable by openssl), changes its passphrase, or decrypts it. Asks at a terminal; --passphrase-file names the present passphrase, or the new one of a key that has none.',
    )
    .option('--new <file>', 'the first line of this file is the new passphrase')
    .option('--remove', 'keep the key without a passphrase')
    .action((options: PassphraseOptions) =>
      run(async (context) => (await import('../commands/key.ts')).changePassphrase(context, options)),
    );
  key
    .command('resume')
    .summary('publish from a restored home nevertheless')
    .description(
      'Lets a home that was restored from a backup publish, whether or not others have newer messages of yours: everybody drops those then. At a terminal you are asked whether you mean it.',
    )
    .option('--yes', 'without asking')
    .action((options: ResumeOptions) =>
      run(async (context) => (await import('../commands/key.ts')).resumePublishing(context, options)),
    );
}
