/**
 * Addresses from which something was dropped a moment ago: whoever is there asks again, the source of a flood that forges its addresses does
 * not. Each address has one place, where the latest to come replaces whoever was there. Persistent, and pure.
 */
import { formatAddress, type SocketAddress } from '../src/wire/socket-address.ts';
import { SECOND } from './timing.ts';

/**
 * Places, each with a mark of an address and the second in which it was noted; in a tree, so that noting one copies little. BOUNDED: 2^18
 * places, 2 MB. At 8,000 addresses a second, one of them is still there after two seconds with a probability of 94 %, after four with 88 %.
 */
export type DroppedAddresses = readonly (readonly (readonly number[] | undefined)[] | undefined)[];

const WIDTH = 64;
const WIDTH_BITS = Math.log2(WIDTH);
const MARK_BITS = 32 - 3 * WIDTH_BITS;
/** Programs repeat a Hello after two seconds, and after four (protocol §6). What comes sooner may be a burst. */
const [SOONEST, LATEST] = [1, 20];
const SECONDS = 256;

export const NOBODY_DROPPED: DroppedAddresses = [];

/** It asks again, and not at once. */
export function isWaiting(dropped: DroppedAddresses, from: SocketAddress, atMs: number): boolean {
  // Before anything was dropped, which is nearly always, there is nothing to be worked out.
  if (dropped.length === 0) return false;
  const { first, second, third, mark } = placeOf(from);
  const age = ageOf(dropped[first]?.[second]?.[third], mark, atMs);
  return age !== undefined && age >= SOONEST;
}

/** Whoever is there already keeps its time. */
export function withDropped(dropped: DroppedAddresses, from: SocketAddress, atMs: number): DroppedAddresses {
  const { first, second, third, mark } = placeOf(from);
  const branch = dropped[first];
  const places = branch?.[second];
  if (ageOf(places?.[third], mark, atMs) !== undefined) return dropped;
  const noted = mark * SECONDS + secondOf(atMs);
  return changed(dropped, first, undefined, changed(branch, second, undefined, changed(places, third, -1, noted)));
}

function changed<T>(values: readonly T[] | undefined, at: number, absent: T, value: T): readonly T[] {
  const copy = values === undefined || values.length === 0 ? new Array<T>(WIDTH).fill(absent) : values.slice();
  copy[at] = value;
  return copy;
}

/** In seconds; undefined if another address is noted there, or it was too long ago. */
function ageOf(noted: number | undefined, mark: number, atMs: number): number | undefined {
  if (noted === undefined || noted < 0 || Math.floor(noted / SECONDS) !== mark) return undefined;
  const age = (secondOf(atMs) - (noted % SECONDS) + SECONDS) % SECONDS;
  return age <= LATEST ? age : undefined;
}

function secondOf(atMs: number): number {
  return Math.floor(atMs / SECOND) % SECONDS;
}

/** FNV-1a, and the last mixing step of MurmurHash3. Whoever takes the place of an address on purpose might as well forge that address. */
function placeOf(from: SocketAddress) {
  const text = formatAddress(from);
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  hash = (hash ^ (hash >>> 16)) >>> 0;
  const digit = (level: number) => (hash >>> (32 - WIDTH_BITS * level)) & (WIDTH - 1);
  return { first: digit(1), second: digit(2), third: digit(3), mark: hash & ((1 << MARK_BITS) - 1) };
}
