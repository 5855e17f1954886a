/** The person's own editor: $VISUAL, $EDITOR, or what the system has. */

/** `ending` is that of the file's name, for the editor to know what it is. */
export async function editInEditor(text: string, ending: string): Promise<string> {
  const { editAsync } = await import('@inquirer/external-editor');
  return editAsync(text, { postfix: ending, mode: 0o600 });
}
