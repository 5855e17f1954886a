/** Tree nodes (protocol §2): messages, internal nodes, and whatever else peers put into leaves. */
import { type Decoded, decodedAs, malformed, uint16At, uint32At } from './decoded.ts';
import { HASH_BYTES, type Hash, hashFromBytes, hashToBytes, ZERO_HASH } from './hash.ts';
import { MurmureError } from './murmure-error.ts';

export type TreeNode =
  | ({ readonly kind: 'message' } & MessageFields)
  | { readonly kind: 'internal'; readonly children: readonly Hash[] }
  | { readonly kind: 'unknown'; readonly type: number };

export interface MessageFields {
  /** Seconds since 2022-01-01T00:00:00Z, unsigned 32 bits; some peers write other things there (protocol §11). */
  readonly date: number;
  readonly inReplyTo: Hash | null;
  readonly body: string;
}

const MESSAGE_TYPE = 0;
const INTERNAL_TYPE = 1;
const MESSAGE_HEADER_BYTES = 39;
/** Bytes of UTF-8 in the body of a message that we publish: 1024 less the header. */
export const MAX_BODY_BYTES = 985;
export const MIN_CHILDREN = 2;
export const MAX_CHILDREN = 32;

const lenientUtf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const utf8 = new TextEncoder();

/** A body that fits no message node. */
export class MessageTooLongError extends MurmureError {
  override readonly name = 'MessageTooLongError';
  /** Bytes too many. */
  readonly over: number;

  constructor(bytes: number) {
    const over = bytes - MAX_BODY_BYTES;
    super(
      'usage',
      `the message has ${bytes} bytes, ${over} more than the ${MAX_BODY_BYTES} that fit: shorten it or post it in parts`,
    );
    this.over = over;
  }
}

/** The kind by the first byte alone; the node may still be invalid or broken. */
export function nodeKind(bytes: Uint8Array): TreeNode['kind'] {
  if (bytes[0] === MESSAGE_TYPE) return 'message';
  return bytes[0] === INTERNAL_TYPE ? 'internal' : 'unknown';
}

/**
 * Why no tree may contain this node (protocol §9); undefined if it may. Only internal nodes can be invalid: whatever else cannot be
 * read, a truncated message or no bytes at all, is a leaf that shows nothing.
 */
export function nodeFault(bytes: Uint8Array): string | undefined {
  return nodeKind(bytes) === 'internal' ? internalFault(bytes) : undefined;
}

/** Why these bytes cannot be read as a node (protocol §2); undefined if they can. */
function readingFault(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return 'a node has at least one byte';
  return nodeKind(bytes) === 'message' ? messageFault(bytes) : nodeFault(bytes);
}

function messageFault(bytes: Uint8Array): string | undefined {
  if (bytes.length < MESSAGE_HEADER_BYTES) {
    return `a message has at least ${MESSAGE_HEADER_BYTES} bytes, this one has ${bytes.length}`;
  }
  return bodyEnd(bytes) > bytes.length ? 'the body of the message runs past the end of the node' : undefined;
}

function internalFault(bytes: Uint8Array): string | undefined {
  const count = (bytes.length - 1) / HASH_BYTES;
  if (!Number.isInteger(count)) return `an internal node has 1 + 32·n bytes, this one has ${bytes.length}`;
  if (count < MIN_CHILDREN || count > MAX_CHILDREN) {
    return `an internal node has 2 to 32 children, this one has ${count}`;
  }
  return undefined;
}

/** A node as it can be read. `ok` is false for invalid internal nodes and for broken leaves; `nodeFault` tells them apart. */
export function decodeNode(bytes: Uint8Array): Decoded<TreeNode> {
  const fault = readingFault(bytes);
  if (fault !== undefined) return malformed(fault);
  switch (nodeKind(bytes)) {
    case 'message':
      return decodedAs(decodeMessage(bytes));
    case 'internal':
      return decodedAs(decodeInternal(bytes));
    case 'unknown':
      return decodedAs({ kind: 'unknown', type: bytes[0] as number });
  }
}

function bodyEnd(bytes: Uint8Array): number {
  return MESSAGE_HEADER_BYTES + uint16At(bytes, 37);
}

/** False for a node of another kind, and for a broken one. */
export function isMessage(bytes: Uint8Array): boolean {
  return nodeKind(bytes) === 'message' && readingFault(bytes) === undefined;
}

/** What a message says beside its text; undefined if it is none. */
export function messageHead(bytes: Uint8Array): Omit<MessageFields, 'body'> | undefined {
  if (!isMessage(bytes)) return undefined;
  return { date: uint32At(bytes, 1), inReplyTo: inReplyToOf(bytes) };
}

/** The bytes of a message's text, as they are: a view; undefined if it is none. */
export function messageBody(bytes: Uint8Array): Uint8Array | undefined {
  if (!isMessage(bytes)) return undefined;
  return bytes.subarray(MESSAGE_HEADER_BYTES, bodyEnd(bytes));
}

function inReplyToOf(bytes: Uint8Array): Hash | null {
  // Most messages answer none.
  for (let at = 5; at < 5 + HASH_BYTES; at++) if (bytes[at] !== 0) return hashFromBytes(bytes, 5);
  return null;
}

function decodeMessage(bytes: Uint8Array): TreeNode {
  return {
    kind: 'message',
    date: uint32At(bytes, 1),
    inReplyTo: inReplyToOf(bytes),
    body: lenientUtf8.decode(bytes.subarray(MESSAGE_HEADER_BYTES, bodyEnd(bytes))),
  };
}

function decodeInternal(bytes: Uint8Array): TreeNode {
  const count = (bytes.length - 1) / HASH_BYTES;
  const children = Array.from({ length: count }, (_, i) => hashFromBytes(bytes, 1 + i * HASH_BYTES));
  return { kind: 'internal', children };
}

/** @throws MessageTooLongError for more than 985 bytes of UTF-8 @throws MurmureError for a text that is none @throws RangeError if `date` is not an unsigned 32-bit number */
export function encodeMessage({ date, inReplyTo, body }: MessageFields): Uint8Array {
  // UTF-8 has no bytes for half a surrogate pair: others would read U+FFFD.
  if (!body.isWellFormed()) throw new MurmureError('usage', 'the message has half a character in it: write that anew');
  const text = utf8.encode(body);
  if (text.length > MAX_BODY_BYTES) throw new MessageTooLongError(text.length);
  if (!Number.isInteger(date) || date < 0 || date > 0xffffffff) throw new RangeError(`not a date: ${date}`);
  const bytes = new Uint8Array(MESSAGE_HEADER_BYTES + text.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(1, date);
  bytes.set(hashToBytes(inReplyTo ?? ZERO_HASH), 5);
  view.setUint16(37, text.length);
  bytes.set(text, MESSAGE_HEADER_BYTES);
  return bytes;
}

/** @throws RangeError unless there are 2 to 32 children */
export function encodeInternal(children: readonly Hash[]): Uint8Array {
  if (children.length < MIN_CHILDREN || children.length > MAX_CHILDREN) {
    throw new RangeError(`an internal node has 2 to 32 children, not ${children.length}`);
  }
  const bytes = new Uint8Array(1 + HASH_BYTES * children.length);
  bytes[0] = INTERNAL_TYPE;
  for (const [i, child] of children.entries()) bytes.set(hashToBytes(child), 1 + i * HASH_BYTES);
  return bytes;
}
