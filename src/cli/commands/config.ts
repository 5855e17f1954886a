/** `murmure config`: every setting, its value, and where that comes from; and the ones in the home's `config.toml` changed. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { safeLine } from '../../feed/safe-text.ts';
import { abortable } from '../abortable.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { UsageError } from '../errors.ts';
import { createHomeFolder } from '../home/home.ts';
import { nearest } from '../input/nearest.ts';
import { columns } from '../render/text.ts';
import {
  isPathSetting,
  setInConfigFile,
  settingFrom,
  settingNames,
  unsetInConfigFile,
} from '../settings/config-file.ts';
import { withoutTilde } from '../settings/folders.ts';
import { type SettingOrigin, settingText } from '../settings/settings.ts';

export function declare(program: Command, run: Run): void {
  const config = program
    .command('config')
    .summary('show or change the settings')
    .description('Shows the settings and where each value comes from, and changes those in config.toml.')
    .addHelpText('after', examples('config', 'config set timeout 30', 'config unset timeout'));
  config
    .command('show', { isDefault: true })
    .summary('show every setting')
    .description(
      'Shows every setting with its value, and whether it comes from a flag, the environment or config.toml.',
    )
    .addHelpText('after', examples('config', 'config show --json'))
    .action(() => run(showSettings));
  config
    .command('get')
    .summary('show one setting')
    .description('Prints the value of a setting, or nothing if it has none.')
    .argument('<setting>', 'the name of a setting, as "murmure config" shows it')
    .addHelpText('after', examples('config get directory'))
    .action((setting: string) => run((context) => getSetting(context, setting)));
  config
    .command('set')
    .summary('change a setting')
    .description('Writes a setting into config.toml of the home. Comments and other settings stay as they are.')
    .argument('<setting>', `one of ${settingNames.join(', ')}`)
    .argument('<value>', 'its new value; paths are relative to the current folder')
    .addHelpText(
      'after',
      examples(
        'config set directory https://directory.example',
        'config set no-color true',
        `config set notify '["notify-send", "murmure"]'`,
      ),
    )
    .action((setting: string, value: string) => run((context) => setSetting(context, setting, value)));
  config
    .command('unset')
    .summary('remove a setting')
    .description('Removes a setting from config.toml of the home, so that the default applies again.')
    .argument('<setting>', `one of ${settingNames.join(', ')}`)
    .addHelpText('after', examples('config unset ca'))
    .action((setting: string) => run((context) => unsetSetting(context, setting)));
}

async function showSettings({ settings, output }: CommandContext): Promise<void> {
  const { origins } = settings;
  if (output.json) {
    for (const origin of origins) output.data(origin, () => '');
    return;
  }
  const rows = origins.map(({ setting, value, from, source }) => [
    setting,
    value === null ? '' : safeLine(settingText(value)),
    source === null ? from : `${from} ${safeLine(source)}`,
  ]);
  output.data(origins, (paint) =>
    columns(rows, (cell, column) => (column === 0 ? paint('bold', cell) : column === 2 ? paint('dim', cell) : cell)),
  );
}

async function getSetting({ settings, output }: CommandContext, setting: string): Promise<void> {
  const origin = settings.origins.find((candidate) => candidate.setting === setting);
  if (origin === undefined)
    throw unknownSetting(
      setting,
      settings.origins.map((candidate) => candidate.setting),
    );
  if (origin.value === null && !output.json) return;
  output.data(origin, () => safeLine(settingText(origin.value ?? '')));
}

async function setSetting(context: CommandContext, setting: string, text: string): Promise<void> {
  const { settings, output } = context;
  requireSetting(setting);
  const value = settingFrom(
    setting,
    isPathSetting(setting) ? resolve(withoutTilde(text, { HOME: settings.userFolder })) : text,
  );
  await createHomeFolder(settings.home);
  await setInConfigFile(settings.home.configFile, setting, value);
  const source = settings.home.configFile;
  const now: SettingOrigin = { setting, value, from: 'file', source };
  output.data(now, () => `${setting} is now ${safeLine(settingText(value))}, in ${safeLine(source)}`);
  const before = settings.origins.find((origin) => origin.setting === setting);
  if (before?.from === 'environment')
    output.warn(`${before.source} is set in your environment, and counts instead as long as it is`);
  await tellRunningPeer(context, setting);
}

/** What a peer is started with. Everything else that concerns it is read when it is needed. */
const OF_A_START: readonly string[] = ['directory', 'ca', 'quota'];

/** A running peer goes on with what it was started with. */
async function tellRunningPeer({ settings, output, signal }: CommandContext, setting: string): Promise<void> {
  const { localApiFile } = settings.home;
  if (!OF_A_START.includes(setting) || !existsSync(localApiFile)) return;
  const { findLocalApi } = await import('../../local-api/client.ts');
  const api = await abortable(findLocalApi(localApiFile), signal).catch(() => undefined);
  if (api === undefined) return;
  await api.close();
  output.warn(`process ${api.process} runs murmure on this home, and uses the new setting only after you restart it`);
}

async function unsetSetting(context: CommandContext, setting: string): Promise<void> {
  const { settings, output } = context;
  requireSetting(setting);
  const source = settings.home.configFile;
  const wasSet = await unsetInConfigFile(source, setting);
  const now: SettingOrigin = { setting, value: null, from: 'default', source: null };
  output.data(now, () =>
    wasSet ? `${setting} is no longer set in ${safeLine(source)}` : `${setting} is not set in ${safeLine(source)}`,
  );
  if (wasSet) await tellRunningPeer(context, setting);
}

function requireSetting(setting: string): void {
  if (!settingNames.includes(setting)) throw unknownSetting(setting, settingNames);
}

function unknownSetting(setting: string, names: readonly string[]): UsageError {
  const meant = nearest(setting, names);
  const advice = meant === undefined ? `choose one of ${names.join(', ')}` : `did you mean ${meant}?`;
  return new UsageError(`there is no setting "${setting}": ${advice}`);
}
