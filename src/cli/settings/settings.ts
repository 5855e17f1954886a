/** The global settings of a run: a flag beats the environment, which beats the home's `config.toml`. */
import { join, resolve } from 'node:path';
import { UsageError } from '../errors.ts';
import { type Home, homeAt } from '../home/home.ts';
import { requirePath } from '../input/validate.ts';
import type { Environment } from '../streams.ts';
import { type ConfigFile, readConfigFile, type SettingValue } from './config-file.ts';
import { currentProfileFile, readCurrentProfile } from './current-profile.ts';
import { dataFolder, homeFolder, userUnitFolder, withoutTilde } from './folders.ts';

/** The global flags as commander hands them over. */
export interface GlobalFlags {
  readonly home?: string;
  readonly profile?: string;
  readonly passphraseFile?: string;
  readonly directory?: string;
  readonly ca?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly timeout?: string;
  readonly quota?: string;
  readonly record?: string;
  /** False with --no-color. */
  readonly color?: boolean;
}

export interface Settings {
  readonly home: Home;
  /** Where the homes of profiles are. */
  readonly profilesFolder: string;
  /** What `~` stands for. */
  readonly userFolder: string;
  /** Where units of this user's services are. */
  readonly userUnitFolder: string;
  /** Where each of these comes from. */
  readonly origins: readonly SettingOrigin[];
  /** As given; `requireDirectory` checks it. */
  readonly directory: string | undefined;
  /** Path of a PEM file. */
  readonly ca: string | undefined;
  /** Path of the file whose first line opens the key. */
  readonly passphraseFile: string | undefined;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly timeoutMs: number | undefined;
  /** Messages that a feed may have; undefined: the default. */
  readonly quota: number | undefined;
  /** Path of a journal to write. */
  readonly record: string | undefined;
  /** The program that is run for replies and mentions, and its arguments. Only the file has it. */
  readonly notify: readonly string[] | undefined;
  readonly color: boolean;
}

/** A value as a person reads it, not yet safe to show. */
export function settingText(value: SettingValue): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Where the value of a setting comes from. */
export interface SettingOrigin {
  /** The name of the flag, without its dashes. */
  readonly setting: string;
  readonly value: SettingValue | null;
  readonly from: 'flag' | 'environment' | 'file' | 'default';
  /** The flag, the variable, or the file. */
  readonly source: string | null;
}

/** Reads the home's config file and settles every global. @throws UsageError, InvalidFileError */
export async function resolveSettings(
  flags: GlobalFlags,
  env: Environment,
): Promise<{ settings: Settings; unknownKeys: ConfigFile['unknownKeys'] }> {
  checkFlags(flags);
  const origins: SettingOrigin[] = [];
  const home = resolveHome(flags, env, origins);
  const { config, unknownKeys } = await readConfigFile(home.configFile);
  const settle = settler(origins, env, home.configFile);
  // A path in the file counts from the folder that the file is in.
  const fromFile = (path: string | undefined) =>
    path === undefined ? undefined : resolve(home.folder, withoutTilde(path, env));
  const settlePath = (setting: string, flag: string | undefined, variable?: string, inFile?: string) => {
    const path = settle(setting, [flag, variable, fromFile(inFile)], undefined);
    return path === undefined ? undefined : withoutTilde(path, env);
  };
  // The flag that was typed beats its opposite in the file.
  const quiet = flags.verbose ? undefined : config.quiet;
  const verbose = flags.quiet ? undefined : config.verbose;
  const settings = {
    home,
    profilesFolder: profilesFolder(env),
    userFolder: homeFolder(env),
    userUnitFolder: userUnitFolder(env),
    origins,
    directory: settle('directory', [flags.directory, 'MURMURE_DIRECTORY', config.directory], undefined),
    ca: settlePath('ca', flags.ca, 'MURMURE_CA', config.ca),
    passphraseFile: settlePath(
      'passphrase-file',
      flags.passphraseFile,
      'MURMURE_PASSPHRASE_FILE',
      config['passphrase-file'],
    ),
    json: settle('json', [flags.json, undefined, config.json], false),
    quiet: settle('quiet', [flags.quiet, undefined, quiet], false),
    verbose: settle('verbose', [flags.verbose, undefined, verbose], false),
    timeoutMs: milliseconds(
      settle<string | number | undefined>('timeout', [flags.timeout, undefined, config.timeout], undefined),
    ),
    quota: messageQuota(
      settle<string | number | undefined>('quota', [flags.quota, 'MURMURE_QUOTA', config.quota], undefined),
    ),
    record: settlePath('record', flags.record),
    notify: settle<readonly string[] | undefined>('notify', [undefined, undefined, config.notify], undefined),
    color: !settle('no-color', [flags.color === false ? true : undefined, undefined, config['no-color']], false),
  };
  return { settings, unknownKeys };
}

/** What a file of settings cannot get wrong. @throws UsageError */
function checkFlags(flags: GlobalFlags): void {
  const paths = { home: flags.home, ca: flags.ca, 'passphrase-file': flags.passphraseFile, record: flags.record };
  for (const [name, path] of Object.entries(paths)) {
    if (path !== undefined) requirePath(`--${name}`, path);
  }
  if (flags.quiet && flags.verbose) {
    throw new UsageError('--quiet and --verbose contradict each other: give only one of them');
  }
}

type Value = SettingValue | undefined;

/** Picks the first value there is – flag, variable, file, default –, and notes where it was found. */
function settler(origins: SettingOrigin[], env: Environment, file: string) {
  return <T extends Value>(
    setting: string,
    [flag, variable, inFile]: readonly [T | undefined, string | undefined, T | undefined],
    fallback: T,
  ): T => {
    const note = (value: Value, from: SettingOrigin['from'], source: string | null) =>
      origins.push({ setting, value: value ?? null, from, source });
    // An empty variable is as good as none.
    const inEnvironment = variable === undefined ? undefined : ((env[variable] || undefined) as T | undefined);
    if (flag !== undefined) note(flag, 'flag', `--${setting}`);
    else if (inEnvironment !== undefined) note(inEnvironment, 'environment', variable ?? null);
    else if (inFile !== undefined) note(inFile, 'file', file);
    else note(fallback, 'default', null);
    return flag ?? inEnvironment ?? inFile ?? fallback;
  };
}

const PROFILE = /^[\p{L}\p{N}_][\p{L}\p{N}_.-]{0,63}$/u;

/** @throws UsageError unless a profile can be called so */
export function requireProfile(name: string, source: string): void {
  if (name === '') throw new UsageError(`${source} takes a name, not ""`);
  if (!PROFILE.test(name))
    throw new UsageError(`${source} takes a name of letters, digits, ".", "_" and "-", not "${name}"`);
}

/** A folder given as such, or the profile's below the platform's data folder. A flag beats the environment, which beats "profile use". */
function resolveHome(flags: GlobalFlags, env: Environment, origins: SettingOrigin[]): Home {
  if (flags.home !== undefined && flags.profile !== undefined) {
    throw new UsageError('--home and --profile both choose the home: give only one of them');
  }
  const chosen = chosenProfile(flags, env);
  if (chosen !== undefined) {
    const { name, from, source } = chosen;
    requireProfile(name, source);
    const home = homeAt(join(profilesFolder(env), name));
    origins.push({ setting: 'profile', value: name, from, source });
    origins.push({ setting: 'home', value: home.folder, from, source });
    return home;
  }
  const home = homeAt(withoutTilde(flags.home ?? (env.MURMURE_HOME || dataFolder(env)), env));
  const [from, source] =
    flags.home !== undefined
      ? (['flag', '--home'] as const)
      : env.MURMURE_HOME
        ? (['environment', 'MURMURE_HOME'] as const)
        : (['default', null] as const);
  origins.push({ setting: 'profile', value: null, from: 'default', source: null });
  origins.push({ setting: 'home', value: home.folder, from, source });
  return home;
}

function chosenProfile(
  flags: GlobalFlags,
  env: Environment,
): { name: string; from: SettingOrigin['from']; source: string } | undefined {
  if (flags.profile !== undefined) return { name: flags.profile, from: 'flag', source: '--profile' };
  if (flags.home !== undefined || env.MURMURE_HOME) return undefined;
  if (env.MURMURE_PROFILE) return { name: env.MURMURE_PROFILE, from: 'environment', source: 'MURMURE_PROFILE' };
  const file = currentProfileFile(dataFolder(env));
  const name = readCurrentProfile(file);
  return name === undefined ? undefined : { name, from: 'file', source: file };
}

function profilesFolder(env: Environment): string {
  return join(dataFolder(env), 'profiles');
}

function messageQuota(value: string | number | undefined): number | undefined {
  if (value === undefined) return undefined;
  const quota = /^\d+$/.test(String(value)) ? Number(value) : Number.NaN;
  if (!(quota >= 1 && Number.isSafeInteger(quota)))
    throw new UsageError(`--quota takes a number of messages, at least 1, not "${value}"`);
  return quota;
}

/** The longest delay a Node timer takes; a longer timeout is none at all. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

function milliseconds(seconds: string | number | undefined): number | undefined {
  if (seconds === undefined) return undefined;
  const value = typeof seconds === 'string' && !/^\d+(\.\d+)?(e\d+)?$/.test(seconds) ? Number.NaN : Number(seconds);
  if (!(value > 0)) throw new UsageError(`--timeout takes a number of seconds above 0, not "${seconds}"`);
  const wanted = value * 1000;
  return wanted > LONGEST_TIMER_MS ? undefined : wanted;
}
