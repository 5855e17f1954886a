/** The passphrase of the key: from a file, or from the person at the terminal. */
import type { AskPassphrase } from '../../identity/key-file.ts';
import type { CommandContext } from '../context.ts';
import { InvalidFileError, UsageError } from '../errors.ts';
import { readTextFile } from '../input/text-file.ts';

type Asking = Pick<CommandContext, 'settings' | 'prompts'>;

/** The first line of the file, as openssl's `-pass file:` has it. @throws InvalidFileError */
export async function readPassphrase(path: string): Promise<string> {
  const [line = ''] = (await readTextFile(path)).split(/\r?\n/, 1);
  if (line === '') throw new InvalidFileError(path, 'its first line should be the passphrase, but is empty');
  return line;
}

/** How to get at the passphrase of an encrypted key; nobody is asked before one turns out to be needed. */
export function askPassphrase({ settings, prompts }: Asking): AskPassphrase {
  return async () => {
    if (settings.passphraseFile !== undefined) return readPassphrase(settings.passphraseFile);
    return prompts?.password('Passphrase of the key:');
  };
}

/** A new one, typed twice. @throws UsageError */
export async function askNewPassphrase({ prompts }: Asking): Promise<string> {
  if (prompts === undefined) {
    throw new UsageError('there is no terminal to ask for a passphrase: write it to a file, and name that file');
  }
  const passphrase = await prompts.password('New passphrase:');
  if (passphrase === '') throw new UsageError('an empty passphrase protects nothing, so nothing was changed');
  if ((await prompts.password('New passphrase again:')) !== passphrase) {
    throw new UsageError('the two passphrases differ, so nothing was changed: try again');
  }
  return passphrase;
}
