/** `config.toml` in the home folder: defaults for the global flags, under the same names. */
import { writeFile } from 'node:fs/promises';
import { parse, TomlError } from 'smol-toml';
import * as v from 'valibot';
import { InvalidFileError } from '../errors.ts';
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
  }),
);

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
    throw new InvalidFileError(path, `"${v.getDotPath(issue)}" must be a ${issue.expected}`);
  }
  const unknownKeys = Object.keys(table).filter((key) => !(key in configSchema.entries));
  return { config: result.output, unknownKeys };
}

/** Adds settings in front of what the file has, as behind it might be within a table. It has to be without them. */
export async function addToConfigFile(path: string, added: Readonly<Record<string, string>>): Promise<void> {
  const before = (await readTextFileIfPresent(path)) ?? '';
  // A string of JSON is one of TOML.
  const lines = Object.entries(added).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`);
  await writeFile(path, lines.join('') + before, { mode: 0o600 });
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
