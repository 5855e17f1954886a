/** `murmure init`: creates the home and the key. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { safeLine } from '../../feed/safe-text.ts';
import { fingerprint } from '../../identity/fingerprint.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { createHome } from '../home/create-home.ts';
import { askPassphrase, readPassphrase } from '../home/passphrase.ts';
import { requireNewName } from '../input/validate.ts';
import { WHAT_OTHERS_LEARN } from '../messages/privacy.ts';
import { addToConfigFile, readConfigFile } from '../settings/config-file.ts';
import type { SettingOrigin } from '../settings/settings.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('init')
    .summary('create your home and key')
    .description(
      'Creates the home folder and a key pair in it, and saves --directory and --ca in its config.toml if they are given. It never overwrites an identity.',
    )
    .argument('<name>', 'the name to publish under, 1 to 255 bytes')
    .addHelpText(
      'after',
      examples('init alice', 'init alice --directory https://directory.example --passphrase-file secret.txt'),
    )
    .action((name: string) => run((context) => createIdentity(context, name)));
}

/** In the home of the context. */
export async function createIdentity(context: CommandContext, name: string): Promise<void> {
  const { settings, output } = context;
  requireNewName(name);
  const { home, passphraseFile } = settings;
  const keyPair = await createHome({
    home,
    name,
    passphrase: async () => (passphraseFile === undefined ? undefined : readPassphrase(passphraseFile)),
    askPassphrase: askPassphrase(context),
  });
  await saveGiven(context);

  const created = {
    name,
    fingerprint: fingerprint(keyPair.publicKey),
    publicKey: keyPair.publicKey,
    home: home.folder,
  };
  output.data(created, (paint) =>
    [
      `Created ${paint('bold', safeLine(name))} in ${safeLine(home.folder)}`,
      `Key fingerprint: ${paint('cyan', created.fingerprint)}`,
    ].join('\n'),
  );
  output.note(WHAT_OTHERS_LEARN);
}

/** What was typed counts from now on. What is in the file already was not typed by mistake: it stays. */
async function saveGiven({ settings: { home, origins }, output }: CommandContext): Promise<void> {
  const { config } = await readConfigFile(home.configFile);
  const given = origins.filter(({ setting, from }) => from === 'flag' && (setting === 'directory' || setting === 'ca'));
  const isSet = ({ setting }: SettingOrigin) => Object.hasOwn(config, setting);
  for (const { setting } of given.filter(isSet)) {
    output.warn(`${home.configFile} has a setting "${setting}" already, which was not changed`);
  }
  const added = given
    .filter((origin) => !isSet(origin))
    .map(({ setting, value }) => [setting, setting === 'ca' ? resolve(String(value)) : String(value)]);
  if (added.length > 0) await addToConfigFile(home.configFile, Object.fromEntries(added));
}
