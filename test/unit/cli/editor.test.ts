/** Which editor is opened, and what becomes of the text if it does not end well. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EditorFailedError, NoEditorError } from '../../../src/cli/errors.ts';
import { editText } from '../../../src/cli/input/editor.ts';
import { freshFolder } from './support.ts';

/** A folder with programs of these names, each of which appends its name and arguments before the file to the file. */
function programs(...names: readonly string[]): string {
  const folder = freshFolder();
  mkdirSync(folder, { recursive: true });
  for (const name of names) {
    const file = join(folder, name);
    writeFileSync(file, `#!/bin/sh\nfor file; do :; done\nprintf '%s' " ${name} $#" >> "$file"\n`);
    chmodSync(file, 0o755);
  }
  return folder;
}

test('VISUAL comes before EDITOR, and may have arguments', async () => {
  const folder = programs('one', 'two');
  const env = { PATH: folder, VISUAL: `${folder}/one --wait`, EDITOR: `${folder}/two` };
  expect(await editText('text', '.txt', { env })).toBe('text one 2');
  expect(await editText('text', '.txt', { env: { ...env, VISUAL: ' ' } })).toBe('text two 1');
});

test('without either, the first usual editor that is installed is opened', async () => {
  const PATH = programs('vi', 'nano');
  expect(await editText('text', '.txt', { env: { PATH } })).toBe('text nano 1');
  expect(await editText('text', '.txt', { env: { PATH: programs('editor', 'vi') } })).toBe('text editor 1');
});

test('what is missing is named', async () => {
  await expect(editText('', '.txt', { env: { PATH: programs() } })).rejects.toThrow(
    new NoEditorError('none of editor, nano, vi is installed'),
  );
  await expect(editText('', '.txt', { env: { VISUAL: 'no-such-editor --wait' } })).rejects.toThrow(
    /the editor "no-such-editor --wait" \(\$VISUAL\) was not found: set VISUAL or EDITOR/,
  );
});

test('an editor ends with the run that opened it', async () => {
  const ending = new AbortController();
  const edited = editText('text', '.txt', { env: { EDITOR: 'exec sleep 1000 #' }, signal: ending.signal });
  setImmediate(() => ending.abort());
  await expect(edited).rejects.toThrow('abort');
});

test('an editor that fails, or is killed, changes nothing', async () => {
  await expect(editText('text', '.txt', { env: { EDITOR: 'exit 3 #' } })).rejects.toThrow(EditorFailedError);
  await expect(editText('text', '.txt', { env: { EDITOR: 'exit 3 #' } })).rejects.toThrow('ended with exit code 3');
  await expect(editText('text', '.txt', { env: { EDITOR: 'kill -9 $$ #' } })).rejects.toThrow('ended with SIGKILL');
});
