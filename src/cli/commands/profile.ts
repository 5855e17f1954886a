/** `murmure profile`: several homes in the platform's data folder. */
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { safeLine } from '../../feed/safe-text.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { UsageError } from '../errors.ts';
import { homeAt, readName } from '../home/home.ts';
import { nearest } from '../input/nearest.ts';
import { columns } from '../render/text.ts';
import { currentProfileFile, readCurrentProfile, writeCurrentProfile } from '../settings/current-profile.ts';
import { requireProfile } from '../settings/settings.ts';
import { createIdentity } from './init.ts';

export function declare(program: Command, run: Run): void {
  const profile = program
    .command('profile')
    .summary('keep several homes')
    .description(
      'Each profile is a home of its own: name, key and messages. The home without a profile stays as it is.',
    )
    .addHelpText('after', examples('profile create work alice', 'profile use work', 'profile list'));
  profile
    .command('list', { isDefault: true })
    .summary('list your profiles')
    .description('Lists the profiles, and marks the one that is used by default.')
    .addHelpText('after', examples('profile list'))
    .action(() => run(listProfiles));
  profile
    .command('create')
    .summary('create a profile')
    .description('Creates a home and a key under this profile, as "init" does. It never overwrites an identity.')
    .argument('<profile>', 'what you call it: letters, digits, ".", "_" and "-"')
    .argument('<name>', 'the name to publish under, 1 to 255 bytes')
    .addHelpText('after', examples('profile create work alice.w'))
    .action((name: string, own: string) => run((context) => createProfile(context, name, own)));
  profile
    .command('use')
    .summary('choose the profile to use')
    .description('Chooses the profile that is used if neither --profile nor --home nor the environment names one.')
    .argument('[profile]', 'a profile; without one, the home that has no profile')
    .addHelpText('after', examples('profile use work', 'profile use'))
    .action((name: string | undefined) => run((context) => useProfile(context, name)));
}

async function listProfiles({ settings: { profilesFolder }, output }: CommandContext): Promise<void> {
  const current = readCurrentProfile(fileBeside(profilesFolder));
  const profiles = await Promise.all(
    (await profilesIn(profilesFolder)).map(async (profile) => {
      const home = homeAt(join(profilesFolder, profile));
      return { profile, name: (await readName(home)) ?? null, home: home.folder, current: profile === current };
    }),
  );
  if (output.json) {
    for (const profile of profiles) output.data(profile, () => '');
    return;
  }
  if (profiles.length === 0)
    return output.note('There are no profiles yet: create one with "murmure profile create PROFILE NAME".');
  const rows = profiles.map(({ profile, name, home, current: isCurrent }) => [
    `${isCurrent ? '*' : ' '} ${safeLine(profile)}`,
    name === null ? 'no identity yet' : safeLine(name),
    safeLine(home),
  ]);
  output.data(profiles, (paint) => columns(rows, (cell, column) => (column === 0 ? paint('bold', cell) : cell)));
}

async function createProfile(context: CommandContext, profile: string, name: string): Promise<void> {
  requireProfile(profile, 'PROFILE');
  const home = homeAt(join(context.settings.profilesFolder, profile));
  await createIdentity({ ...context, settings: { ...context.settings, home } }, name);
}

async function useProfile({ settings: { profilesFolder }, output }: CommandContext, profile?: string): Promise<void> {
  if (profile !== undefined) await requireKnownProfile(profilesFolder, profile);
  await writeCurrentProfile(fileBeside(profilesFolder), profile);
  const home = profile === undefined ? dirname(profilesFolder) : join(profilesFolder, profile);
  output.data({ profile: profile ?? null, home }, () =>
    profile === undefined
      ? `No profile is used now, but ${safeLine(home)}`
      : `The profile ${safeLine(profile)} is used now`,
  );
}

async function requireKnownProfile(folder: string, profile: string): Promise<void> {
  requireProfile(profile, 'PROFILE');
  const known = await profilesIn(folder);
  if (known.includes(profile)) return;
  const meant = nearest(profile, known);
  const advice = meant === undefined ? 'create it with "murmure profile create"' : `did you mean ${meant}?`;
  throw new UsageError(`there is no profile "${profile}": ${advice}`);
}

async function profilesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

/** The profiles are below the data folder, and so is the file. */
function fileBeside(profilesFolder: string): string {
  return currentProfileFile(dirname(profilesFolder));
}
