/**
 * How the two sides of the local API know each other. The secret is in a file that only the user of the home can read. The server proves
 * first that it has it: whoever took over the port of a process that was killed cannot.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const SECRET_BYTES = 32;

/** 256 bits in base64url, for a token or a nonce. */
export function randomSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

/** That whoever answers at `url` has the token. The URL is in it, so that an answer cannot be had from another server. */
export function proofOf(token: string, nonce: string, url: string): string {
  return createHmac('sha256', token).update(`murmure local api\n${url}\n${nonce}`).digest('base64url');
}

/** In a time that tells nothing about where they differ. */
export function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
