/** The test vectors of the protocol: copies beside the tests, and the recorded session, which is read where it is kept. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export function loadVectors<T>(name: 'bulk' | 'datagrams' | 'nodes' | 'signatures' | 'trees'): T {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8'));
}

/** Protocol §10.1. Bytes are hexadecimal. */
export interface BulkVectors {
  readonly valid: readonly (
    | {
        readonly name: string;
        readonly bytes: string;
        readonly type: 'GetNodes';
        readonly id: number;
        readonly proof: number;
        readonly gap: number;
        readonly grant: number;
        readonly entries: readonly { readonly hash?: string; readonly parent?: string; readonly mask?: number }[];
      }
    | {
        readonly name: string;
        readonly bytes: string;
        readonly type: 'Nodes';
        readonly id: number;
        readonly sequence: number;
        readonly last: boolean;
        readonly items: readonly { readonly entry: number; readonly child: number; readonly value: string }[];
      }
  )[];
  readonly malformed: readonly { readonly name: string; readonly bytes: string; readonly what: 'Error' | 'dropped' }[];
  readonly exchanges: readonly BulkExchange[];
}

export interface BulkExchange {
  readonly name: string;
  /** Nodes that the responder holds. */
  readonly held: readonly string[];
  readonly request: string;
  /** An internal node that the requester knows, and the responder does not hold. */
  readonly known?: string;
  /** What it sends. */
  readonly answer: readonly string[];
  /** What comes to the requester, in this order, if that is something else: numbers are datagrams of the answer. */
  readonly arrives?: readonly (number | string)[];
  /** Hashes: what the requester has then, what it knows to be absent, and what it asks for by GetDatum. */
  readonly nodes: readonly string[];
  readonly absent: readonly string[];
  readonly single: readonly string[];
  /** What it asks for in another GetNodes. */
  readonly unserved: readonly { readonly parent: string; readonly mask: number }[];
  /** Items that are dropped and counted. */
  readonly unfit: number;
  /** All datagrams of the answer have come; if not, whether three later ones show at once that one is lost. */
  readonly isWhole: boolean;
  readonly showsLoss: boolean;
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
