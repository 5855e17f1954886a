/** Peer names (protocol §3): 1 to 255 bytes of UTF-8 without control characters, "/", line breaks or unpaired surrogates. */

export const MAX_NAME_BYTES = 255;

/** Why this cannot be a peer's name; undefined if it can. */
export function whyInvalidName(name: string): string | undefined {
  if (name === '') return 'a name has at least one character';
  if (!name.isWellFormed()) return 'a name must not contain unpaired surrogates';
  const bytes = new TextEncoder().encode(name).length;
  if (bytes > MAX_NAME_BYTES) return `a name has at most ${MAX_NAME_BYTES} bytes of UTF-8, this one has ${bytes}`;
  if (name.includes('/')) return 'a name must not contain "/"';
  if (/[\p{Cc}\u2028\u2029]/u.test(name)) return 'a name must not contain control characters or line breaks';
  return undefined;
}

/**
 * Why a directory of ours gives this name to nobody new (protocol §3): it would look like another one. Undefined if it does. Names
 * that are bound already, and those at other directories, are valid all the same; no name is ever normalised.
 */
export function whyRefusedName(name: string): string | undefined {
  const invalid = whyInvalidName(name);
  if (invalid !== undefined) return invalid;
  if (name !== name.normalize('NFC')) return 'a name must be in Unicode normalization form C (NFC)';
  if (/^\p{White_Space}|\p{White_Space}$/u.test(name)) return 'a name must not begin or end with white space';
  if (/[\p{Default_Ignorable_Code_Point}\p{Bidi_Control}]/u.test(name)) {
    return 'a name must not contain characters that are invisible or change the direction of text';
  }
  return undefined;
}

export function isValidName(name: string): boolean {
  return whyInvalidName(name) === undefined;
}
