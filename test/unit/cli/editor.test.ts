/** Which editor is opened, and what becomes of the text if it does not end well. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { editText } from '../../../src/cli/editor.ts';
import { EditorFailedError, NoEditorError } from '../../../src/cli/errors.ts';
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
  expect(await editText('text', '.txt', env)).toBe('text one 2');
  expect(await editText('text', '.txt', { ...env, VISUAL: ' ' })).toBe('text two 1');
});

test('without either, the first usual editor that is installed is opened', async () => {
  const PATH = programs('vi', 'nano');
  expect(await editText('text', '.txt', { PATH })).toBe('text nano 1');
  expect(await editText('text', '.txt', { PATH: programs('editor', 'vi') })).toBe('text editor 1');
});

test('what is missing is named', async () => {
  await expect(editText('', '.txt', { PATH: programs() })).rejects.toThrow(
    new NoEditorError('none of editor, nano, vi is installed'),
  );
  await expect(editText('', '.txt', { VISUAL: 'no-such-editor --wait' })).rejects.toThrow(
    /the editor "no-such-editor --wait" \(\$VISUAL\) was not found: set VISUAL or EDITOR/,
  );
});

test('an editor that fails, or is killed, changes nothing', async () => {
  await expect(editText('text', '.txt', { EDITOR: 'exit 3 #' })).rejects.toThrow(EditorFailedError);
  await expect(editText('text', '.txt', { EDITOR: 'exit 3 #' })).rejects.toThrow('ended with exit code 3');
  await expect(editText('text', '.txt', { EDITOR: 'kill -9 $$ #' })).rejects.toThrow('ended with SIGKILL');
});
