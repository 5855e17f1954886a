/** `config.toml` in the home folder: defaults for the global flags, under the same names. */

import { writeFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { parse, TomlError } from 'smol-toml';
import * as v from 'valibot';
import { withFile } from '../../identity/file-errors.ts';
import { InvalidFileError, UsageError } from '../errors.ts';
import { readTextFileIfPresent } from '../input/text-file.ts';

const configSchema = v.partial(
  v.object({
    directory: v.string(),
    ca: v.string(),
    'passphrase-file': v.string(),
    json: v.boolean(),
    quiet: v.boolean(),
    verbose: v.boolean(),
    timeout: v.number(),
    quota: v.number(),
    'no-color': v.boolean(),
    notify: v.pipe(v.tupleWithRest([v.pipe(v.string(), v.minLength(1))], v.string()), v.readonly()),
  }),
);

export type SettingValue = string | number | boolean | readonly string[];

/** What the file may hold. */
export const settingNames: readonly string[] = Object.keys(configSchema.entries);

export type Config = v.InferOutput<typeof configSchema>;

export interface ConfigFile {
  readonly config: Config;
  /** Keys that mean nothing here: misspelt ones, most likely. */
  readonly unknownKeys: readonly string[];
}

/** Reads the file; one that does not exist says nothing. @throws InvalidFileError */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  const text = (await readTextFileIfPresent(path)) ?? '';
  const table = parseToml(path, text);
  const result = v.safeParse(configSchema, table);
  if (!result.success) {
    const [issue] = result.issues;
    throw new InvalidFileError(path, `"${v.getDotPath(issue)}" must be a ${issue.expected?.replace('Array', 'list')}`);
  }
  const unknownKeys = Object.keys(table).filter((key) => !(key in configSchema.entries));
  return { config: result.output, unknownKeys };
}

/** Whether its value is the path of a file. */
export function isPathSetting(setting: string): boolean {
  return setting === 'ca' || setting === 'passphrase-file';
}

/** The value of a setting that was typed. @throws UsageError if it is none for this setting */
export function settingFrom(setting: string, text: string): SettingValue {
  const candidates = [text, text === 'true' ? true : text === 'false' ? false : undefined, Number(text), listIn(text)];
  const schema = configSchema.entries[setting as keyof Config];
  const value = candidates.find((candidate) => candidate !== undefined && v.is(schema, candidate));
  const isGiven = text.trim() !== '' && !(typeof value === 'number' && !(value > 0));
  if (value !== undefined && isGiven) return value;
  const wanted = v.is(schema, true)
    ? 'true or false'
    : v.is(schema, 1)
      ? 'a number above 0'
      : v.is(schema, ['program'])
        ? 'a program and its arguments, such as ["notify-send", "murmure"]'
        : 'a value';
  throw new UsageError(`the setting "${setting}" takes ${wanted}, not "${text}"`);
}

function listIn(text: string): readonly string[] | undefined {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list : undefined;
  } catch {
    return undefined;
  }
}

/** Adds settings in front of what the file has, as behind it might be within a table. It has to be without them. */
export async function addToConfigFile(path: string, added: Readonly<Record<string, string>>): Promise<void> {
  const before = (await readTextFileIfPresent(path)) ?? '';
  await writeConfig(path, Object.entries(added).map(asLine).join('') + before);
}

/** Writes one setting, and leaves every other line as it is. @throws InvalidFileError */
export async function setInConfigFile(path: string, setting: string, value: SettingValue): Promise<void> {
  const before = (await readTextFileIfPresent(path)) ?? '';
  const wanted = { ...parseToml(path, before), [setting]: value };
  const line = lineOf(setting, before);
  const after =
    line === undefined ? asLine([setting, value]) + before : before.replace(line, () => asLine([setting, value]));
  await writeChecked(path, after, wanted);
}

/** Removes one setting; false if the file does not have it. @throws InvalidFileError */
export async function unsetInConfigFile(path: string, setting: string): Promise<boolean> {
  const before = (await readTextFileIfPresent(path)) ?? '';
  const { [setting]: value, ...wanted } = parseToml(path, before);
  if (value === undefined) return false;
  await writeChecked(path, before.replace(lineOf(setting, before) ?? '', ''), wanted);
  return true;
}

/** A string of JSON is one of TOML. */
function asLine([setting, value]: readonly [string, SettingValue]): string {
  return `${setting} = ${JSON.stringify(value)}\n`;
}

/** The line that sets it, before the first table. */
function lineOf(setting: string, text: string): string | undefined {
  const [settings = ''] = text.split(/^\s*\[/m);
  return new RegExp(`^[ \\t]*["']?${setting}["']?[ \\t]*=.*(?:\\n|$)`, 'm').exec(settings)?.[0];
}

/** A value that goes on over several lines, say, cannot be changed line by line: then nothing is. */
async function writeChecked(path: string, text: string, wanted: Record<string, unknown>): Promise<void> {
  if (!isDeepStrictEqual(parseTomlOrNothing(text), wanted))
    throw new InvalidFileError(path, 'it is written in a way that only an editor can change');
  await writeConfig(path, text);
}

async function writeConfig(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { mode: 0o600 });
  } catch (error) {
    throw withFile(error, path);
  }
}

function parseTomlOrNothing(text: string): unknown {
  try {
    return { ...parse(text) };
  } catch {
    return undefined;
  }
}

function parseToml(path: string, text: string): Record<string, unknown> {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // The rest of the message is a drawing of the place.
    const [what] = error.message.split('\n');
    throw new InvalidFileError(path, `line ${error.line}: ${what}`);
  }
}
