/** Text files as users bring them: with a byte order mark, or in another encoding. */
import { readFile } from 'node:fs/promises';
import { InvalidFileError } from '../errors.ts';
import { systemReason } from '../output/system-failure.ts';

/** Without the byte order mark that editors on Windows put in front. @throws InvalidFileError also if it is not UTF-8 */
export async function readTextFile(path: string): Promise<string> {
  const text = await readTextFileIfPresent(path);
  if (text === undefined) throw new InvalidFileError(path, 'there is no such file');
  return text;
}

/** As above; undefined if there is no such file. @throws InvalidFileError */
export async function readTextFileIfPresent(path: string): Promise<string | undefined> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new InvalidFileError(path, systemReason(error));
  });
  try {
    return bytes && new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new InvalidFileError(path, 'it is not text in UTF-8');
  }
}

/** @throws InvalidFileError */
export async function readPem(path: string, label = ''): Promise<string> {
  const text = await readTextFile(path);
  if (!text.includes(`-----BEGIN ${label}`)) {
    throw new InvalidFileError(path, label === '' ? 'it is not in PEM format' : 'it holds no PEM certificate');
  }
  return text;
}
