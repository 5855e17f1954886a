/** Tree nodes (protocol §2): messages, internal nodes, and whatever else peers put into leaves. */
import { type Decoded, decodedAs, malformed } from './decoded.ts';
import { HASH_BYTES, type Hash, hashFromBytes, hashToBytes, ZERO_HASH } from './hash.ts';
import { MurmureError } from './murmure-error.ts';

export type TreeNode =
  | {
      readonly kind: 'message';
      /** Seconds since 2022-01-01T00:00:00Z as written; some peers write other things there. */
      readonly date: number;
      readonly inReplyTo: Hash | null;
      readonly body: string;
    }
  | { readonly kind: 'internal'; readonly children: readonly Hash[] }
  | { readonly kind: 'unknown'; readonly type: number };

export interface MessageFields {
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

/** The kind by the first byte alone; the node may still be invalid. */
export function nodeKind(bytes: Uint8Array): TreeNode['kind'] {
  if (bytes[0] === MESSAGE_TYPE) return 'message';
  return bytes[0] === INTERNAL_TYPE ? 'internal' : 'unknown';
}

export function decodeNode(bytes: Uint8Array): Decoded<TreeNode> {
  const type = bytes[0];
  if (type === undefined) return malformed('a node has at least one byte');
  if (type === MESSAGE_TYPE) return decodeMessage(bytes);
  if (type === INTERNAL_TYPE) return decodeInternal(bytes);
  return decodedAs({ kind: 'unknown', type });
}

function decodeMessage(bytes: Uint8Array): Decoded<TreeNode> {
  if (bytes.length < MESSAGE_HEADER_BYTES) {
    return malformed(`a message has at least ${MESSAGE_HEADER_BYTES} bytes, this one has ${bytes.length}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = MESSAGE_HEADER_BYTES + view.getUint16(37);
  if (end > bytes.length) return malformed('the body of the message runs past the end of the node');
  const inReplyTo = hashFromBytes(bytes, 5);
  return decodedAs({
    kind: 'message',
    date: view.getUint32(1),
    inReplyTo: inReplyTo === ZERO_HASH ? null : inReplyTo,
    body: lenientUtf8.decode(bytes.subarray(MESSAGE_HEADER_BYTES, end)),
  });
}

function decodeInternal(bytes: Uint8Array): Decoded<TreeNode> {
  const count = (bytes.length - 1) / HASH_BYTES;
  if (!Number.isInteger(count)) return malformed(`an internal node has 1 + 32·n bytes, this one has ${bytes.length}`);
  if (count < MIN_CHILDREN || count > MAX_CHILDREN) {
    return malformed(`an internal node has 2 to 32 children, this one has ${count}`);
  }
  const children = Array.from({ length: count }, (_, i) => hashFromBytes(bytes, 1 + i * HASH_BYTES));
  return decodedAs({ kind: 'internal', children });
}

/** @throws MessageTooLongError for more than 985 bytes of UTF-8 @throws RangeError if `date` is not an unsigned 32-bit number */
export function encodeMessage({ date, inReplyTo, body }: MessageFields): Uint8Array {
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
