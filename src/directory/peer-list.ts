/** The JSON answers of `GET /peers?format=json` (protocol §3): all peers, what changed since a cursor, or those of some names. */
import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RegisteredPeer, Registry } from './registry.ts';

export interface PeersQuery {
  readonly format?: string | string[];
  readonly name?: string | string[];
  readonly since?: string | string[];
  /** With `since`: nobody else is asked about. */
  readonly of?: string | string[];
  /** `only`: all peers are not wanted, even if the cursor has expired. */
  readonly changes?: string | string[];
}

/** Peers that are looked up at once; between two batches other requests have their turn. */
const BATCH = 256;
/** Names alone, which cost less. */
const NAMES_AT_ONCE = 1_024;

/** Those of these names that are listed, each once. */
export function knownPeers(registry: Registry, names: readonly string[], nowMs: number): RegisteredPeer[] {
  return [...new Set(names)].flatMap((name) => registry.lookup(name, nowMs) ?? []);
}

/** Those whose addresses or key changed since the cursor that is asked for; undefined: all peers are to be told. */
export function changedNames(registry: Registry, { since }: PeersQuery): readonly string[] | undefined {
  return typeof since === 'string' ? registry.changesSince(since) : undefined;
}

/** Gives the list an ETag. Has nothing changed since the answer that the reader has? */
export function isKnownAlready(registry: Registry, { headers }: FastifyRequest, reply: FastifyReply): boolean {
  // Weak: compressed or not, it is the same list.
  const etag = `W/"${registry.cursor()}"`;
  reply.header('ETag', etag).header('Vary', 'Accept-Encoding');
  return headers['if-none-match'] === etag;
}

/**
 * Tells of all peers, or of those that changed. A peer that changes while the answer is under way is told again to whoever asks with
 * the cursor of that answer.
 */
export function sendPeers(
  registry: Registry,
  changed: readonly string[] | undefined,
  request: FastifyRequest,
  reply: FastifyReply,
  now: () => number,
): FastifyReply {
  return sendBitByBit(listOf(registry, registry.cursor(), changed, now), request, reply);
}

/** One name per line. A short list is sent with its length, as clients of 2022 expect. */
export function sendNames(names: readonly string[], request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (names.length <= NAMES_AT_ONCE) return reply.send(lines(names));
  return sendBitByBit(linesOf(names), request, reply);
}

function* linesOf(names: readonly string[]): Generator<string> {
  for (let start = 0; start < names.length; start += NAMES_AT_ONCE)
    yield lines(names.slice(start, start + NAMES_AT_ONCE));
}

function lines(names: readonly string[]): string {
  return names.map((name) => `${name}\n`).join('');
}

/** Written only as fast as the client reads, so that little of a long list is in memory as text. */
function sendBitByBit(texts: Iterable<string>, { headers }: FastifyRequest, reply: FastifyReply): FastifyReply {
  const body = Readable.from(texts, { objectMode: false });
  if (!takesGzip(headers['accept-encoding'])) return reply.send(body);
  // An error ends both streams, and the connection with them: the reader sees that the answer is cut short.
  const compressed = pipeline(body, createGzip(), () => {});
  return reply.header('Content-Encoding', 'gzip').send(compressed);
}

function* listOf(
  registry: Registry,
  cursor: string,
  changed: readonly string[] | undefined,
  now: () => number,
): Generator<string> {
  const names = changed ?? registry.peers(now());
  const removed: string[] = [];
  let separator = '';
  yield `{"cursor":${JSON.stringify(cursor)},"complete":${changed === undefined},"peers":[`;
  for (let start = 0; start < names.length; start += BATCH) {
    let text = '';
    for (const name of names.slice(start, start + BATCH)) {
      const peer = registry.lookup(name, now());
      if (peer === undefined) removed.push(name);
      else {
        text += `${separator}${JSON.stringify(peer)}`;
        separator = ',';
      }
    }
    yield text;
  }
  yield `],"removed":${JSON.stringify(changed === undefined ? [] : removed)}}`;
}

function takesGzip(accepted: string | string[] | undefined): boolean {
  return /(^|[, ])gzip(?! *; *q=0(\.0*)? *(,|$))/i.test(String(accepted ?? ''));
}
