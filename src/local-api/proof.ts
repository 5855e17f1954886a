/**
 * How the two sides of the local API know each other. The secret is in a file that only the user of the home can read. The server proves
 * first that it has it: whoever took over the port of a process that was killed cannot.
 */
import { createHmac } from 'node:crypto';

/** That whoever answers at `url` has the token. The URL is in it, so that an answer cannot be had from another server. */
export function proofOf(token: string, nonce: string, url: string): string {
  return createHmac('sha256', token).update(`murmure local api\n${url}\n${nonce}`).digest('base64url');
}
