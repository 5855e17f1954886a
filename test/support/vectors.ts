/** The test vectors of the protocol: copies beside the tests, and the recorded session, which is read where it is kept. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export function loadVectors<T>(name: 'datagrams' | 'nodes' | 'signatures' | 'trees'): T {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8'));
}

export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

export interface RealSession {
  readonly server_key_hex: string;
  readonly jch_peer_key_b64: string;
  readonly hugoleonard_key_b64: string;
  readonly datagrams: readonly { readonly dir: 'SEND' | 'RECEIVE'; readonly addr: string; readonly hex: string }[];
}

/** A session with the 2022 reference programs. It is not part of this package: a copy is looked for beside the checkout. */
const realSessionFile =
  process.env.MURMURE_REAL_SESSION ??
  fileURLToPath(new URL('../../../shared/vectors/real-session.json', import.meta.url));

/** Undefined: not here, and what needs it is skipped. */
export const realSession: RealSession | undefined = existsSync(realSessionFile)
  ? JSON.parse(readFileSync(realSessionFile, 'utf8'))
  : undefined;

/** To be put behind the name of a test that needs it. */
export const whySkipped = realSession === undefined ? ` (skipped: no ${realSessionFile})` : '';
