/** What a decoder gives: a value, or why there is none. Decoders never throw: malformed input is the normal case. */
export type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string };

export function malformed(why: string): { readonly ok: false; readonly why: string } {
  return { ok: false, why };
}

export function decodedAs<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}
