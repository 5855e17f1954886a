/** The person's own editor: `$VISUAL`, `$EDITOR`, or one that the system has. */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { EditorFailedError, NoEditorError } from '../errors.ts';
import type { Environment } from '../streams.ts';

/** Of these the first that is installed, as sensible-editor does it. */
const USUAL = ['editor', 'nano', 'vi'];
/** What a shell ends with if it does not find the command. */
const NOT_FOUND = 127;

export interface EditOptions {
  readonly env?: Environment;
  /** Ends the editor. */
  readonly signal?: AbortSignal;
}

/**
 * Opens a text in the editor, and resolves to what is in the file afterwards; `ending` is that of the file's name, for the editor to know
 * what it is. @throws NoEditorError, EditorFailedError
 */
export async function editText(text: string, ending: string, options: EditOptions = {}): Promise<string> {
  const { env = process.env, signal } = options;
  const { command, origin } = findEditor(env);
  const folder = await mkdtemp(join(tmpdir(), 'murmure-'));
  try {
    const file = join(folder, `text${ending}`);
    await writeFile(file, text, { mode: 0o600 });
    const end = await run(command, file, signal);
    if (end === NOT_FOUND) throw new NoEditorError(`the editor "${command}" (${origin}) was not found`);
    if (end !== 0) throw new EditorFailedError(command, end);
    return await readFile(file, 'utf8');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function findEditor(env: Environment): { readonly command: string; readonly origin: string } {
  for (const name of ['VISUAL', 'EDITOR']) {
    const command = env[name]?.trim();
    if (command) return { command, origin: `$${name}` };
  }
  if (process.platform === 'win32') return { command: 'notepad', origin: 'Windows' };
  for (const name of USUAL) {
    const command = pathOf(name, env.PATH ?? '');
    if (command !== undefined) return { command: `'${command.replaceAll("'", "'\\''")}'`, origin: 'PATH' };
  }
  throw new NoEditorError(`none of ${USUAL.join(', ')} is installed`);
}

function pathOf(name: string, path: string): string | undefined {
  const files = path.split(delimiter).map((folder) => join(folder || '.', name));
  return files.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Resolves to its exit code, or to the signal that ended it. The variables hold commands with arguments, for a shell to take apart. */
function run(command: string, file: string, signal: AbortSignal | undefined): Promise<number | NodeJS.Signals> {
  const options = { stdio: 'inherit', ...(signal && { signal }) } as const;
  const isWindows = process.platform === 'win32';
  const editor = isWindows
    ? spawn(`${command} "${file}"`, { ...options, shell: true })
    : spawn('/bin/sh', ['-c', `${command} "$1"`, command, file], options);
  const { promise, resolve, reject } = Promise.withResolvers<number | NodeJS.Signals>();
  editor.once('error', reject);
  editor.once('exit', (code, signal) => resolve(code ?? signal ?? 0));
  return promise;
}
