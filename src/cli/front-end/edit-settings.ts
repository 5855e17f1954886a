/** The settings file in the person's own editor. */
import { existsSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { readConfigFile } from '../settings/config-file.ts';
import type { Dialogue } from './dialogue.ts';

const TEMPLATE = `# Settings of murmure: defaults for the flags of the same names.
# directory = "https://HOST:PORT"
# ca = "directory.pem"
`;

/** @throws InvalidFileError for what the file holds afterwards, which is left as the person wrote it */
export async function editSettings(file: string, edit: Dialogue['edit']): Promise<void> {
  if (!existsSync(file)) writeFileSync(file, TEMPLATE, { mode: 0o600 });
  const before = await readFile(file, 'utf8');
  const after = await edit(before, '.toml');
  if (after !== before) writeFileSync(file, after, { mode: 0o600 });
  await readConfigFile(file);
}
