/** The global settings of a run: a flag beats the environment, which beats the home's `config.toml`. */
import { resolve } from 'node:path';
import envPaths from 'env-paths';
import { type ConfigFile, readConfigFile } from './config-file.ts';
import { UsageError } from './errors.ts';
import { type Home, homeAt } from './home.ts';
import type { Environment } from './streams.ts';

/** The global flags as commander hands them over. */
export interface GlobalFlags {
  readonly home?: string;
  readonly directory?: string;
  readonly ca?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly timeout?: string;
  /** False with --no-color. */
  readonly color?: boolean;
}

export interface Settings {
  readonly home: Home;
  /** As given; `requireDirectory` checks it. */
  readonly directory: string | undefined;
  /** Path of a PEM file. */
  readonly ca: string | undefined;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly timeoutMs: number | undefined;
  readonly color: boolean;
}

/** Reads the home's config file and settles every global. @throws UsageError, InvalidFileError */
export async function resolveSettings(
  flags: GlobalFlags,
  env: Environment,
): Promise<{ settings: Settings; unknownKeys: ConfigFile['unknownKeys'] }> {
  const home = homeAt(flags.home ?? (env.MURMURE_HOME || defaultHome()));
  const { config, unknownKeys } = await readConfigFile(home.configFile);
  const settings = {
    home,
    directory: flags.directory ?? (env.MURMURE_DIRECTORY || config.directory),
    ca: flags.ca ?? (env.MURMURE_CA || fromFolder(home.folder, config.ca)),
    json: flags.json ?? config.json ?? false,
    // The flag that was typed beats its opposite in the file.
    quiet: flags.quiet ?? (flags.verbose ? false : (config.quiet ?? false)),
    verbose: flags.verbose ?? (flags.quiet ? false : (config.verbose ?? false)),
    timeoutMs: milliseconds(flags.timeout ?? config.timeout),
    color: flags.color !== false && config['no-color'] !== true,
  };
  return { settings, unknownKeys };
}

/** The platform's data folder, `~/.local/share/murmure` on Linux. */
function defaultHome(): string {
  return envPaths('murmure', { suffix: '' }).data;
}

/** A path in the config file counts from the folder that the file is in. */
function fromFolder(folder: string, path: string | undefined): string | undefined {
  return path === undefined ? undefined : resolve(folder, path);
}

/** The longest delay a Node timer takes; a longer timeout is none at all. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

function milliseconds(seconds: string | number | undefined): number | undefined {
  if (seconds === undefined) return undefined;
  const value = typeof seconds === 'string' && seconds.trim() === '' ? Number.NaN : Number(seconds);
  if (!(value > 0)) throw new UsageError(`--timeout takes a number of seconds above 0, not "${seconds}"`);
  const wanted = value * 1000;
  return wanted > LONGEST_TIMER_MS ? undefined : wanted;
}
