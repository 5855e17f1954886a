/** Datagrams and tree nodes as plain values: what `decode` prints (docs/cli.md), and the inspector. */
import { bytesToHex } from '@noble/hashes/utils.js';
import type { NodesItem } from '../wire/bulk.ts';
import { type Datagram, decodeDatagram, typeCode } from '../wire/datagram.ts';
import { type Hash, hashOf } from '../wire/hash.ts';
import { decodeNode } from '../wire/node.ts';
import { formatAddress } from '../wire/socket-address.ts';
import { specifiedMs } from './message.ts';

export interface Malformed {
  readonly malformed: string;
}

export interface DescribedDatagram {
  readonly id: number;
  /** The name in protocol §4. */
  readonly type: Datagram['type'];
  /** The number on the wire. */
  readonly code: number;
  readonly flags?: number;
  readonly name?: string;
  readonly hash?: Hash;
  /** Whether the value has that hash (Datum only). */
  readonly hashMatches?: boolean;
  readonly node?: DescribedNode | Malformed;
  readonly text?: string;
  /** Of GetNodes (protocol §10.1). */
  readonly proof?: number;
  readonly gap?: number;
  readonly grant?: number;
  readonly entries?: readonly (
    | { readonly hash: Hash }
    | { readonly parent: Hash; readonly children: readonly number[] }
  )[];
  /** Of Nodes. */
  readonly sequence?: number;
  readonly last?: boolean;
  readonly items?: readonly DescribedItem[];
  /** `IP:PORT` */
  readonly address?: string;
  /** Hexadecimal, of a type that is not known. */
  readonly body?: string;
  readonly signed: boolean;
  /** Present if it is signed and there is a key to check it with. */
  readonly signatureValid?: boolean;
}

/** `node`, or why it has none. */
export interface DescribedItem {
  readonly entry: number;
  readonly child: number;
  readonly node?: DescribedNode | Malformed;
  readonly none?: 'absent' | 'large';
}

export type DescribedNode =
  /** `date` is as the specification reads the field, ISO 8601 UTC; `seconds` is the field itself. */
  | { kind: 'message'; hash: Hash; date: string; seconds: number; inReplyTo: Hash | null; body: string }
  | { kind: 'internal'; hash: Hash; children: readonly Hash[] }
  | { kind: 'unknown'; hash: Hash; type: number };

export type Description =
  | Malformed
  | (DescribedDatagram & { kind?: never })
  | (DescribedNode & { signatureValid?: never });

export type VerifySignature = (message: Uint8Array, signature: Uint8Array) => Promise<boolean>;

/** Explains a whole UDP payload (protocol §4); with `verify`, its signature too. */
export async function describeDatagram(
  bytes: Uint8Array,
  verify?: VerifySignature,
): Promise<DescribedDatagram | Malformed> {
  const decoded = decodeDatagram(bytes);
  if (!decoded.ok) return { malformed: decoded.why };
  const { datagram, signature, signed } = decoded.value;
  const valid = signature === undefined || verify === undefined ? undefined : await verify(signed, signature);
  return {
    id: datagram.id,
    type: datagram.type,
    code: typeCode(datagram),
    ...describeBody(datagram),
    signed: signature !== undefined,
    ...(valid !== undefined && { signatureValid: valid }),
  };
}

/** Explains a node of a message tree (protocol §2). */
export function describeNode(bytes: Uint8Array): DescribedNode | Malformed {
  const decoded = decodeNode(bytes);
  if (!decoded.ok) return { malformed: decoded.why };
  const node = decoded.value;
  const hash = hashOf(bytes);
  switch (node.kind) {
    case 'message': {
      const { kind, date, inReplyTo, body } = node;
      return { kind, hash, date: new Date(specifiedMs(date)).toISOString(), seconds: date, inReplyTo, body };
    }
    case 'internal':
      return { kind: node.kind, hash, children: node.children };
    case 'unknown':
      return { kind: node.kind, hash, type: node.type };
  }
}

function childrenIn(mask: number): number[] {
  return Array.from({ length: 32 }, (_, child) => child).filter((child) => (mask >>> child) & 1);
}

function describeItem({ entry, child, value }: NodesItem): DescribedItem {
  return typeof value === 'string' ? { entry, child, none: value } : { entry, child, node: describeNode(value) };
}

function describeBody(datagram: Datagram): Partial<DescribedDatagram> {
  switch (datagram.type) {
    case 'Hello':
    case 'HelloReply':
      return { flags: datagram.flags, name: datagram.name };
    case 'RootRequest':
      return {};
    case 'Root':
    case 'GetDatum':
    case 'NoDatum':
      return { hash: datagram.hash };
    case 'Datum':
      return {
        hash: datagram.hash,
        hashMatches: hashOf(datagram.value) === datagram.hash,
        node: describeNode(datagram.value),
      };
    case 'GetNodes': {
      const { proof, gap, grant } = datagram;
      const entries = datagram.entries.map((entry) =>
        entry.kind === 'node' ? { hash: entry.hash } : { parent: entry.parent, children: childrenIn(entry.mask) },
      );
      return { proof, gap, grant, entries };
    }
    case 'Nodes':
      return { sequence: datagram.sequence, last: datagram.isLast, items: datagram.items.map(describeItem) };
    case 'NatTraversalClient':
    case 'NatTraversalServer':
      return { address: formatAddress(datagram.address) };
    case 'Error':
      return { text: datagram.text };
    case 'Unknown':
      return { body: bytesToHex(datagram.body) };
  }
}
