/**
 * The words of some messages, and which messages have each: built in memory word by word, then written as rows of bytes. Words come by
 * the dozen with every message of a download: they are bytes here, found by their hashes, and not strings. Its loops take no lists apart:
 * until V8 has compiled them well, that makes three objects each time.
 */
import { searchWords } from './search-words.ts';

/** Words that begin alike are in one bucket, so that those that begin with two given bytes or more are in one. */
export const BUCKETS = 128;

const utf8 = new TextEncoder();
const lenientUtf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** What each byte of plain ASCII text is to a word: itself in lower case, 0 for what is of no word; -1 where the text is not plain. */
const LETTERS = Int16Array.from({ length: 256 }, (_, byte) => {
  if (byte === 10) return 0;
  if (byte < 32 || byte > 126) return -1;
  const letter = String.fromCharCode(byte).toLowerCase();
  return /[a-z0-9]/.test(letter) ? letter.charCodeAt(0) : 0;
});

/** What of a message is looked for: `isCutShort` if other words may begin so. */
export interface WantedWord {
  readonly word: string;
  readonly isCutShort: boolean;
}

export class WordTable {
  /** The bytes of all words, one after another; where each ends; and its hash. */
  #bytes = new Uint8Array(1 << 16);
  #ends = new Int32Array(1 << 12);
  #hashes = new Int32Array(1 << 12);
  #words = 0;
  /** Open addressing: the number of the word, plus one. */
  #slots = new Int32Array(1 << 14);
  /** Which word which message has, in the order of messages. */
  #pairs = new Int32Array(1 << 14);
  #pairCount = 0;
  /** By word: the message that had it last. */
  #lastOf = new Int32Array(1 << 12);
  /** The text that is looked at, in lower case. */
  #lower = new Uint8Array(1 << 10);

  /** Forgets all, and keeps the room: the next run is about as large. */
  clear(): void {
    this.#words = 0;
    this.#pairCount = 0;
    this.#slots.fill(0);
  }

  /** Takes the words of a body; `message` is not less than that before, and less than 2³¹. */
  add(message: number, body: Uint8Array): void {
    if (!this.#addPlain(message, body)) {
      for (const word of searchWords(lenientUtf8.decode(body))) {
        const bytes = utf8.encode(word);
        this.#addWord(message, bytes, 0, bytes.length, hashOf(bytes));
      }
    }
  }

  /** Messages that have the word, in order. */
  find({ word, isCutShort }: WantedWord): number[] {
    const bytes = utf8.encode(word);
    const isWanted = new Uint8Array(this.#words);
    let found = false;
    for (let id = 0; id < this.#words; id++) {
      const [from, to] = [this.#startOf(id), this.#ends[id] ?? 0];
      if (!fits(this.#bytes, from, to, bytes, isCutShort)) continue;
      isWanted[id] = 1;
      found = true;
    }
    const messages: number[] = [];
    for (let at = 0; found && at < this.#pairCount; at += 2) {
      if (isWanted[this.#pairs[at] ?? 0] === 1) messages.push(this.#pairs[at + 1] ?? 0);
    }
    return messages;
  }

  /**
   * Each bucket that has words, as bytes: for each word its length (2 bytes), the length of its list (2), the word, and the list: how far
   * each message is after the one before, seven bits a byte, the lowest first, all but the last with the top bit set.
   */
  rows(): { readonly bucket: number; readonly bytes: Uint8Array }[] {
    const sizes = this.#listSizes();
    const buckets = new Uint8Array(this.#words);
    const rowSizes = new Int32Array(BUCKETS);
    for (let id = 0; id < this.#words; id++) {
      const from = this.#startOf(id);
      const to = this.#ends[id] ?? 0;
      const bucket = bucketOf(this.#bytes, from, to);
      buckets[id] = bucket;
      rowSizes[bucket] = (rowSizes[bucket] ?? 0) + 4 + to - from + (sizes[id] ?? 0);
    }
    const rows = Array.from(rowSizes, (size) => Buffer.allocUnsafeSlow(size));
    this.#writeLists(rows, buckets, this.#writeWords(rows, buckets, sizes));
    return rows.flatMap((bytes, bucket) => (bytes.length === 0 ? [] : [{ bucket, bytes }]));
  }

  /** By word: bytes of its list. */
  #listSizes(): Int32Array {
    const sizes = new Int32Array(this.#words);
    const last = new Int32Array(this.#words);
    for (let at = 0; at < this.#pairCount; at += 2) {
      const id = this.#pairs[at] ?? 0;
      const message = this.#pairs[at + 1] ?? 0;
      let size = 1;
      for (let left = (message - (last[id] ?? 0)) >>> 7; left > 0; left >>>= 7) size += 1;
      sizes[id] = (sizes[id] ?? 0) + size;
      last[id] = message;
    }
    return sizes;
  }

  /** Writes words, and the lengths of their lists; gives where each list begins in its row. */
  #writeWords(rows: readonly Uint8Array[], buckets: Uint8Array, sizes: Int32Array): Int32Array {
    const ends = new Int32Array(rows.length);
    const starts = new Int32Array(this.#words);
    for (let id = 0; id < this.#words; id++) {
      const from = this.#startOf(id);
      const to = this.#ends[id] ?? 0;
      const bucket = buckets[id] ?? 0;
      const size = sizes[id] ?? 0;
      const row = rows[bucket] as Uint8Array;
      let at = ends[bucket] ?? 0;
      row[at++] = (to - from) >>> 8;
      row[at++] = to - from;
      row[at++] = size >>> 8;
      row[at++] = size;
      for (let i = from; i < to; i++) row[at++] = this.#bytes[i] ?? 0;
      starts[id] = at;
      ends[bucket] = at + size;
    }
    return starts;
  }

  #writeLists(rows: readonly Uint8Array[], buckets: Uint8Array, starts: Int32Array): void {
    const last = new Int32Array(this.#words);
    for (let at = 0; at < this.#pairCount; at += 2) {
      const id = this.#pairs[at] ?? 0;
      const message = this.#pairs[at + 1] ?? 0;
      const row = rows[buckets[id] ?? 0] as Uint8Array;
      let left = message - (last[id] ?? 0);
      let next = starts[id] ?? 0;
      last[id] = message;
      for (; left >= 0x80; left >>>= 7) row[next++] = (left & 0x7f) | 0x80;
      row[next++] = left;
      starts[id] = next;
    }
  }

  /** False if the text is not plain ASCII; words before what is not may have been added then. */
  #addPlain(message: number, body: Uint8Array): boolean {
    if (this.#lower.length < body.length) this.#lower = new Uint8Array(body.length);
    const lower = this.#lower;
    let start = 0;
    let hash = FNV_OFFSET;
    for (let at = 0; at < body.length; at++) {
      const letter = LETTERS[body[at] ?? 0] ?? 0;
      if (letter > 0) {
        lower[at] = letter;
        hash = Math.imul(hash ^ letter, FNV_PRIME);
        continue;
      }
      if (letter < 0) return false;
      if (at > start) this.#addWord(message, lower, start, at, hash);
      start = at + 1;
      hash = FNV_OFFSET;
    }
    if (body.length > start) this.#addWord(message, lower, start, body.length, hash);
    return true;
  }

  #addWord(message: number, source: Uint8Array, from: number, to: number, hash: number): void {
    const mask = this.#slots.length - 1;
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (let there = this.#slots[slot] ?? 0; there > 0; there = this.#slots[slot] ?? 0) {
      if (this.#hashes[there - 1] === hash && this.#isWord(there - 1, source, from, to)) {
        this.#note(there - 1, message);
        return;
      }
      slot = (slot + 1) & mask;
    }
    this.#slots[slot] = this.#newWord(source, from, to, hash) + 1;
    this.#note(this.#words - 1, message);
    if (this.#words * 2 > this.#slots.length) this.#spread();
  }

  #isWord(id: number, source: Uint8Array, from: number, to: number): boolean {
    const start = this.#startOf(id);
    const end = this.#ends[id] ?? 0;
    if (end - start !== to - from) return false;
    for (let i = 0; i < end - start; i++) if (this.#bytes[start + i] !== source[from + i]) return false;
    return true;
  }

  #newWord(source: Uint8Array, from: number, to: number, hash: number): number {
    const id = this.#words;
    const start = this.#startOf(id);
    this.#bytes = withRoom(this.#bytes, start + to - from);
    this.#ends = withRoom(this.#ends, id + 1);
    this.#hashes = withRoom(this.#hashes, id + 1);
    this.#lastOf = withRoom(this.#lastOf, id + 1);
    for (let i = from; i < to; i++) this.#bytes[start + i - from] = source[i] ?? 0;
    this.#ends[id] = start + to - from;
    this.#hashes[id] = hash;
    this.#lastOf[id] = -1;
    this.#words += 1;
    return id;
  }

  #note(id: number, message: number): void {
    if (this.#lastOf[id] === message) return;
    this.#lastOf[id] = message;
    this.#pairs = withRoom(this.#pairs, this.#pairCount + 2);
    this.#pairs[this.#pairCount] = id;
    this.#pairs[this.#pairCount + 1] = message;
    this.#pairCount += 2;
  }

  #spread(): void {
    this.#slots = new Int32Array(this.#slots.length * 2);
    const mask = this.#slots.length - 1;
    for (let id = 0; id < this.#words; id++) {
      const hash = this.#hashes[id] ?? 0;
      let slot = (hash ^ (hash >>> 15)) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = id + 1;
    }
  }

  #startOf(id: number): number {
    return id === 0 ? 0 : (this.#ends[id - 1] ?? 0);
  }
}

/** Messages that have the word, in no order, in a row that a table has made. */
export function findInRow(row: Uint8Array, { word, isCutShort }: WantedWord): number[] {
  const bytes = utf8.encode(word);
  const found: number[] = [];
  for (let at = 0; at + 4 <= row.length; ) {
    const from = at + 4;
    const to = from + (((row[at] ?? 0) << 8) | (row[at + 1] ?? 0));
    const end = to + (((row[at + 2] ?? 0) << 8) | (row[at + 3] ?? 0));
    at = end;
    if (!fits(row, from, to, bytes, isCutShort)) continue;
    let message = 0;
    for (let [next, shift, distance] = [to, 0, 0]; next < end; next++) {
      const byte = row[next] ?? 0;
      distance |= (byte & 0x7f) << shift;
      shift += 7;
      if (byte >= 0x80) continue;
      message += distance;
      found.push(message);
      [shift, distance] = [0, 0];
    }
  }
  return found;
}

/** Where a word is, or what begins with it if that is two bytes or more. */
export function bucketOfWord(word: string): number {
  const bytes = utf8.encode(word);
  return bucketOf(bytes, 0, bytes.length);
}

function bucketOf(bytes: Uint8Array, from: number, to: number): number {
  return ((bytes[from] ?? 0) * 31 + (from + 1 < to ? (bytes[from + 1] ?? 0) : 0)) % BUCKETS;
}

function fits(bytes: Uint8Array, from: number, to: number, wanted: Uint8Array, isCutShort: boolean): boolean {
  const length = to - from;
  if (isCutShort ? length < wanted.length : length !== wanted.length) return false;
  for (let i = 0; i < wanted.length; i++) if (bytes[from + i] !== wanted[i]) return false;
  return true;
}

function hashOf(bytes: Uint8Array): number {
  let hash = FNV_OFFSET;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, FNV_PRIME);
  return hash;
}

/** The same array, or one twice as long with the same in it. */
function withRoom<T extends Uint8Array | Int32Array>(array: T, length: number): T {
  if (length <= array.length) return array;
  const longer = new (array.constructor as new (length: number) => T)(Math.max(length, 2 * array.length));
  longer.set(array);
  return longer;
}
