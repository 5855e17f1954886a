/** Directories on ports of their own, and what they say over HTTPS. */
import { onTestFinished } from 'vitest';
import { createDirectory } from '../../../src/directory/create-directory.ts';
import type { Directory, DirectoryOptions } from '../../../src/directory/directory.ts';
import { ask } from './speaker.ts';

/** Until the test ends. */
export async function start(options: DirectoryOptions = {}): Promise<Directory> {
  const directory = await createDirectory(options);
  onTestFinished(() => directory.close());
  return directory;
}

export const textOf = async (directory: Directory, path: string) => String((await ask(directory, path)).body);
