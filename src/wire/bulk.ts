/**
 * Bulk (protocol §10.1): many nodes asked for in one request, several in each datagram of the answer. What stands in the bodies of
 * GetNodes and Nodes; pure.
 */
import { type Decoded, decodedAs, malformed, uint16At, uint32At } from './decoded.ts';
import { HASH_BYTES, type Hash, hashFromBytes, hashToBytes } from './hash.ts';

/** The bit of a Hello's flags that promises this extension. */
export const BULK_FLAG = 0x40000000;
/** Entries in one GetNodes. */
export const MAX_ENTRIES = 32;
/** Datagrams that one GetNodes may be answered with. */
export const MAX_GRANT = 255;
/** A Nodes datagram, header included: what passes through every network in one piece. */
export const NODES_BYTES = 1_232;
const HEADER_BYTES = 7;
/** Sequence, and whether it is the last. */
const NODES_HEAD_BYTES = 2;
/** Entry, child, length. */
const ITEM_HEAD_BYTES = 4;
/** What the items of one Nodes datagram may have in all. */
export const ITEMS_BYTES = NODES_BYTES - HEADER_BYTES - NODES_HEAD_BYTES;
/** The largest node that fits in a Nodes datagram; larger ones are to be had by GetDatum. */
export const MAX_ITEM_NODE = ITEMS_BYTES - ITEM_HEAD_BYTES;
/** Instead of a child's number: the responder does not hold the parent, or that is no internal node. */
export const NO_PARENT = 0xff;

const ABSENT = 0xffff;
const LARGE = 0xfffe;
const PROOF_BYTES = 4;
const GET_NODES_HEAD_BYTES = PROOF_BYTES + 2 + 1;

export interface GetNodesFields {
  /** The id of the Hello by which the responder last proved the address of whoever asks. */
  readonly proof: number;
  /** Microseconds between the datagrams of the answer, 0 to 65,535. */
  readonly gap: number;
  /** How many datagrams may answer: 1 to 255. */
  readonly grant: number;
  /** 1 to 32. */
  readonly entries: readonly NodesEntry[];
}

export type NodesEntry =
  | { readonly kind: 'node'; readonly hash: Hash }
  /** Those children whose bit is set; bit i, from the least significant on, is child i. Unsigned 32 bits, not 0. */
  | { readonly kind: 'children'; readonly parent: Hash; readonly mask: number };

export interface NodesFields {
  /** From 0 to 254. */
  readonly sequence: number;
  readonly isLast: boolean;
  readonly items: readonly NodesItem[];
}

export interface NodesItem {
  /** Which entry of the request it answers, from 0. */
  readonly entry: number;
  /** Which child; 0 for a node that was asked for by its own hash. */
  readonly child: number;
  /** `absent`: the responder does not hold it. `large`: it fits in no Nodes datagram. */
  readonly value: Uint8Array | 'absent' | 'large';
}

/** What an item takes of the `ITEMS_BYTES` of a datagram. */
export function itemSize(value: NodesItem['value']): number {
  return ITEM_HEAD_BYTES + (typeof value === 'string' ? 0 : value.length);
}

export function decodeGetNodes(body: Uint8Array): Decoded<GetNodesFields> {
  if (body.length < GET_NODES_HEAD_BYTES)
    return malformed(`GetNodes has at least 7 bytes, this one has ${body.length}`);
  const grant = body[PROOF_BYTES + 2] as number;
  if (grant === 0) return malformed('GetNodes grants at least one datagram, this one none');
  const entries: NodesEntry[] = [];
  let at = GET_NODES_HEAD_BYTES;
  while (at < body.length) {
    const entry = decodeEntry(body, at);
    if (!entry.ok) return entry;
    entries.push(entry.value);
    if (entries.length > MAX_ENTRIES) return malformed(`GetNodes has at most ${MAX_ENTRIES} entries, this one more`);
    at += entrySize(entry.value);
  }
  if (entries.length === 0) return malformed('GetNodes has at least one entry, this one none');
  return decodedAs({ proof: uint32At(body, 0), gap: uint16At(body, PROOF_BYTES), grant, entries });
}

function entrySize({ kind }: NodesEntry): number {
  return 1 + HASH_BYTES + (kind === 'children' ? 4 : 0);
}

function decodeEntry(body: Uint8Array, at: number): Decoded<NodesEntry> {
  const kind = body[at] as number;
  if (kind > 1) return malformed(`GetNodes has no entries of kind ${kind}`);
  const end = at + 1 + HASH_BYTES;
  if (end + 4 * kind > body.length) return malformed('an entry in GetNodes runs past its end');
  const hash = hashFromBytes(body, at + 1);
  if (kind === 0) return decodedAs({ kind: 'node', hash });
  const mask = uint32At(body, end);
  return mask === 0
    ? malformed('GetNodes asks for no children of a node')
    : decodedAs({ kind: 'children', parent: hash, mask });
}

/** @throws RangeError for fields that the wire cannot carry */
export function encodeGetNodes({ proof, gap, grant, entries }: GetNodesFields): Uint8Array {
  if (grant < 1 || grant > MAX_GRANT) throw new RangeError(`a grant is 1 to ${MAX_GRANT} datagrams, not ${grant}`);
  if (entries.length < 1 || entries.length > MAX_ENTRIES) {
    throw new RangeError(`GetNodes has 1 to ${MAX_ENTRIES} entries, not ${entries.length}`);
  }
  const body = new Uint8Array(entries.reduce((size, entry) => size + entrySize(entry), GET_NODES_HEAD_BYTES));
  const view = new DataView(body.buffer);
  view.setUint32(0, proof);
  view.setUint16(PROOF_BYTES, gap);
  view.setUint8(PROOF_BYTES + 2, grant);
  let at = GET_NODES_HEAD_BYTES;
  for (const entry of entries) {
    const isNode = entry.kind === 'node';
    body[at] = isNode ? 0 : 1;
    body.set(hashToBytes(isNode ? entry.hash : entry.parent), at + 1);
    if (!isNode) view.setUint32(at + 1 + HASH_BYTES, entry.mask);
    at += entrySize(entry);
  }
  return body;
}

/** Byte arrays in the result share the memory of `body`. */
export function decodeNodes(body: Uint8Array): Decoded<NodesFields> {
  if (body.length < NODES_HEAD_BYTES) return malformed(`Nodes has at least 2 bytes, this one has ${body.length}`);
  const [sequence, last] = body as unknown as [number, number];
  if (sequence >= MAX_GRANT) return malformed(`no grant reaches to a Nodes of sequence ${sequence}`);
  if (last > 1) return malformed(`Nodes is the last of its answer or not, this one is ${last}`);
  const items: NodesItem[] = [];
  let at = NODES_HEAD_BYTES;
  while (at < body.length) {
    const start = at + ITEM_HEAD_BYTES;
    if (start > body.length) return malformed('an item in Nodes runs past its end');
    const length = uint16At(body, at + 2);
    const isMark = length === ABSENT || length === LARGE;
    const end = isMark ? start : start + length;
    if (end > body.length) return malformed('an item in Nodes runs past its end');
    const value = length === ABSENT ? 'absent' : length === LARGE ? 'large' : body.subarray(start, end);
    items.push({ entry: body[at] as number, child: body[at + 1] as number, value });
    at = end;
  }
  return decodedAs({ sequence, isLast: last === 1, items });
}

/** @throws RangeError for fields that the wire cannot carry */
export function encodeNodes({ sequence, isLast, items }: NodesFields): Uint8Array {
  if (sequence < 0 || sequence >= MAX_GRANT)
    throw new RangeError(`a sequence is 0 to ${MAX_GRANT - 1}, not ${sequence}`);
  const size = items.reduce((sum, { value }) => sum + itemSize(value), 0);
  if (size > ITEMS_BYTES) throw new RangeError(`items of ${size} bytes fit in no Nodes`);
  const body = new Uint8Array(NODES_HEAD_BYTES + size);
  body[0] = sequence;
  body[1] = isLast ? 1 : 0;
  let at = NODES_HEAD_BYTES;
  for (const { entry, child, value } of items) {
    const isMark = typeof value === 'string';
    const length = isMark ? (value === 'absent' ? ABSENT : LARGE) : value.length;
    body[at] = entry;
    body[at + 1] = child;
    body[at + 2] = length >> 8;
    body[at + 3] = length & 0xff;
    if (!isMark) body.set(value, at + ITEM_HEAD_BYTES);
    at += itemSize(value);
  }
  return body;
}
