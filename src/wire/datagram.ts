/** Datagrams (protocol §4): id, type, length, body, and perhaps a signature. */
import {
  decodeGetNodes,
  decodeNodes,
  encodeGetNodes,
  encodeNodes,
  type GetNodesFields,
  type NodesFields,
} from './bulk.ts';
import { type Decoded, decodedAs, malformed, uint16At, uint32At } from './decoded.ts';
import { HASH_BYTES, type Hash, hashFromBytes, hashToBytes } from './hash.ts';
import { decodeSocketAddress, encodeSocketAddress, type SocketAddress } from './socket-address.ts';

export type Datagram =
  | { readonly type: 'Hello' | 'HelloReply'; readonly id: number; readonly flags: number; readonly name: string }
  | { readonly type: 'RootRequest'; readonly id: number }
  | { readonly type: 'Root'; readonly id: number; readonly hash: Hash }
  | { readonly type: 'GetDatum'; readonly id: number; readonly hash: Hash }
  | { readonly type: 'NoDatum'; readonly id: number; readonly hash: Hash }
  | { readonly type: 'Datum'; readonly id: number; readonly hash: Hash; readonly value: Uint8Array }
  | ({ readonly type: 'GetNodes'; readonly id: number } & GetNodesFields)
  | ({ readonly type: 'Nodes'; readonly id: number } & NodesFields)
  | { readonly type: 'NatTraversalClient' | 'NatTraversalServer'; readonly id: number; readonly address: SocketAddress }
  | { readonly type: 'Error'; readonly id: number; readonly text: string }
  | { readonly type: 'Unknown'; readonly id: number; readonly code: number; readonly body: Uint8Array };

/** A datagram as it came in. */
export interface Arrival {
  readonly bytes: Uint8Array;
  readonly from: SocketAddress;
}

export interface ReceivedDatagram {
  readonly datagram: Datagram;
  /** 64 bytes, r‖s; undefined: unsigned. */
  readonly signature?: Uint8Array;
  /** What a signature covers: header and body. */
  readonly signed: Uint8Array;
}

const CODES = {
  Hello: 0,
  RootRequest: 1,
  GetDatum: 2,
  GetNodes: 16,
  HelloReply: 128,
  Root: 129,
  Datum: 130,
  NoDatum: 131,
  NatTraversalClient: 132,
  NatTraversalServer: 133,
  Nodes: 144,
  Error: 254,
} as const satisfies Record<Exclude<Datagram['type'], 'Unknown'>, number>;

const TYPES = new Map(Object.entries(CODES).map(([type, code]) => [code as number, type as keyof typeof CODES]));

const HEADER_BYTES = 7;
const FLAGS_BYTES = 4;
export const SIGNATURE_BYTES = 64;

/**
 * In a HelloReply to another program under our own name and key: this one has stopped publishing. It still hands over what it has
 * (docs/adr/0030).
 */
export const RETIRED_FLAG = 0x20000000;
/** The largest UDP payload over IPv4. */
export const MAX_DATAGRAM = 65_507;

const NO_BYTES = new Uint8Array(0);
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const lenientUtf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const utf8 = new TextEncoder();

/** The type byte. */
export function typeCode(datagram: Datagram): number {
  return datagram.type === 'Unknown' ? datagram.code : CODES[datagram.type];
}

/** The type byte of datagrams of a known type. */
export function codeOf(type: keyof typeof CODES): number {
  return CODES[type];
}

/** A GetNodes that cannot be read: its sender is told so, and so it is no malformed datagram, but an unknown one. */
export function isBrokenGetNodes(datagram: Datagram): boolean {
  return datagram.type === 'Unknown' && datagram.code === CODES.GetNodes;
}

/** Types 0 to 127 are requests; the others are answers or unsolicited. */
export function isRequest(code: number): boolean {
  return code < 128;
}

/** The type byte of a datagram, before anything else of it is read; undefined: it is too short to have one. */
export function codeIn(bytes: Uint8Array): number | undefined {
  return bytes.length < HEADER_BYTES ? undefined : bytes[4];
}

/** Byte arrays in the result share the memory of `bytes`. */
export function decodeDatagram(bytes: Uint8Array): Decoded<ReceivedDatagram> {
  if (bytes.length < HEADER_BYTES) return malformed(`a datagram has at least 7 bytes, this one has ${bytes.length}`);
  const end = HEADER_BYTES + uint16At(bytes, 5);
  if (end > bytes.length) {
    return malformed(
      `the body is said to have ${end - HEADER_BYTES} bytes, but only ${bytes.length - HEADER_BYTES} follow`,
    );
  }
  const datagram = decodeBody(uint32At(bytes, 0), bytes[4] as number, bytes.subarray(HEADER_BYTES, end));
  if (!datagram.ok) return datagram;
  const signed = end === bytes.length ? bytes : bytes.subarray(0, end);
  const signature = signatureIn(bytes, end);
  return decodedAs(
    signature === undefined ? { datagram: datagram.value, signed } : { datagram: datagram.value, signature, signed },
  );
}

/** Zeros behind the body are padding, not a signature; so are fewer than 64 bytes of anything (known peers do both). */
function signatureIn(bytes: Uint8Array, end: number): Uint8Array | undefined {
  if (bytes.length < end + SIGNATURE_BYTES) return undefined;
  const trailer = bytes.subarray(end);
  return trailer.every((byte) => byte === 0) ? undefined : trailer.subarray(0, SIGNATURE_BYTES);
}

function decodeBody(id: number, code: number, body: Uint8Array): Decoded<Datagram> {
  const type = TYPES.get(code);
  switch (type) {
    case undefined:
      return decodedAs({ type: 'Unknown', id, code, body });
    case 'RootRequest':
      return decodedAs({ type, id });
    case 'Hello':
    case 'HelloReply':
      return decodeHello(type, id, body);
    case 'Root':
    case 'GetDatum':
    case 'NoDatum':
      if (body.length !== HASH_BYTES) return malformed(`${type} has a body of 32 bytes, this one has ${body.length}`);
      return decodedAs({ type, id, hash: hashFromBytes(body) });
    case 'Datum':
      if (body.length < HASH_BYTES) return malformed(`Datum has at least 32 bytes, this one has ${body.length}`);
      return decodedAs({ type, id, hash: hashFromBytes(body), value: body.subarray(HASH_BYTES) });
    case 'GetNodes': {
      const fields = decodeGetNodes(body);
      // Whoever sent it is told so (protocol §10.1); nothing else that is malformed gets an answer.
      return decodedAs(fields.ok ? { type, id, ...fields.value } : { type: 'Unknown', id, code, body });
    }
    case 'Nodes': {
      const fields = decodeNodes(body);
      return fields.ok ? decodedAs({ type, id, ...fields.value }) : fields;
    }
    case 'NatTraversalClient':
    case 'NatTraversalServer': {
      const address = decodeSocketAddress(body);
      return address.ok ? decodedAs({ type, id, address: address.value }) : address;
    }
    case 'Error':
      return decodedAs({ type, id, text: lenientUtf8.decode(body) });
  }
}

function decodeHello(type: 'Hello' | 'HelloReply', id: number, body: Uint8Array): Decoded<Datagram> {
  const length = body[FLAGS_BYTES];
  if (length === undefined) return malformed(`${type} has at least 5 bytes, this one has ${body.length}`);
  const start = FLAGS_BYTES + 1;
  if (body.length < start + length) return malformed(`the name in ${type} runs past its end`);
  const flags = uint32At(body, 0);
  try {
    return decodedAs({ type, id, flags, name: strictUtf8.decode(body.subarray(start, start + length)) });
  } catch {
    return malformed(`the name in ${type} is not UTF-8`);
  }
}

/** Header and body, unsigned. @throws RangeError if the body does not fit, or a name has more than 255 bytes */
export function encodeDatagram(datagram: Datagram): Uint8Array {
  const body = encodeBody(datagram);
  if (HEADER_BYTES + body.length > MAX_DATAGRAM)
    throw new RangeError(`a body of ${body.length} bytes fits no datagram`);
  const bytes = new Uint8Array(HEADER_BYTES + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, datagram.id);
  view.setUint8(4, typeCode(datagram));
  view.setUint16(5, body.length);
  bytes.set(body, HEADER_BYTES);
  return bytes;
}

function encodeBody(datagram: Datagram): Uint8Array {
  switch (datagram.type) {
    case 'RootRequest':
      return NO_BYTES;
    case 'Hello':
    case 'HelloReply':
      return encodeHello(datagram.flags, utf8.encode(datagram.name));
    case 'Root':
    case 'GetDatum':
    case 'NoDatum':
      return hashToBytes(datagram.hash);
    case 'Datum': {
      const body = new Uint8Array(HASH_BYTES + datagram.value.length);
      body.set(hashToBytes(datagram.hash));
      body.set(datagram.value, HASH_BYTES);
      return body;
    }
    case 'GetNodes':
      return encodeGetNodes(datagram);
    case 'Nodes':
      return encodeNodes(datagram);
    case 'NatTraversalClient':
    case 'NatTraversalServer':
      return encodeSocketAddress(datagram.address);
    case 'Error':
      return utf8.encode(datagram.text);
    case 'Unknown':
      return datagram.body;
  }
}

function encodeHello(flags: number, name: Uint8Array): Uint8Array {
  if (name.length > 255) throw new RangeError(`a name has at most 255 bytes, this one has ${name.length}`);
  const body = new Uint8Array(FLAGS_BYTES + 1 + name.length);
  new DataView(body.buffer).setUint32(0, flags);
  body[FLAGS_BYTES] = name.length;
  body.set(name, FLAGS_BYTES + 1);
  return body;
}

/** @throws RangeError if `signature` is not 64 bytes */
export function appendSignature(bytes: Uint8Array, signature: Uint8Array): Uint8Array {
  if (signature.length !== SIGNATURE_BYTES)
    throw new RangeError(`a signature has 64 bytes, this one has ${signature.length}`);
  const signed = new Uint8Array(bytes.length + SIGNATURE_BYTES);
  signed.set(bytes);
  signed.set(signature, bytes.length);
  return signed;
}
