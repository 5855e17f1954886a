/** What a decoder gives: a value, or why there is none. Decoders never throw: malformed input is the normal case. */
export type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string };

export function malformed(why: string): { readonly ok: false; readonly why: string } {
  return { ok: false, why };
}

export function decodedAs<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

/** Two bytes, big-endian; they are there. A DataView would cost an object for each datagram. */
export function uint16At(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

/** Four of them. */
export function uint32At(bytes: Uint8Array, at: number): number {
  return uint16At(bytes, at) * 0x10000 + uint16At(bytes, at + 2);
}
