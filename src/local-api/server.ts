/**
 * The local API of a running peer (docs/local-api.md): other processes of the same user ask the peer what the command line asks it, and
 * hear what it tells. A thin transport: wishes, facts and snapshots are the peer's own.
 */
import type { AddressInfo, Socket } from 'node:net';
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify';
import * as v from 'valibot';
import type { StoreWish, WishAnswer } from '../../machines/wishes.ts';
import { parsePublicKey } from '../identity/public-key.ts';
import type { Peer } from '../peer/peer.ts';
import { randomSecret } from '../runtime/secrets.ts';
import { packageVersion } from '../runtime/version.ts';
import { type ErrorCode, failureFrom, MurmureError } from '../wire/murmure-error.ts';
import { whyInvalidName } from '../wire/name.ts';
import { keepAddressFile } from './address-file.ts';
import { EventStreams } from './event-streams.ts';
import { guardRequests } from './guard.ts';
import { Inspections } from './inspections.ts';
import { proofOf } from './proof.ts';
import {
  API_VERSION,
  Challenge,
  type LocalDealings,
  type LocalStatus,
  type RunBy,
  type Sent,
  WishSchema,
} from './schemas.ts';

export interface LocalApiOptions {
  readonly peer: Peer;
  /** Where others find it, in the home. */
  readonly file: string;
  readonly runBy: RunBy;
  /** URL, as the peer was given it. */
  readonly directoryUrl: string;
}

const LOOPBACK = '127.0.0.1';
/** Room for the longest text that is published, and for `MAX_HASHES` hashes. */
const BODY_LIMIT = 128 * 1024;
const MAX_HEADER_BYTES = 8 * 1024;
/** Other users of this machine can open connections as well. */
const MAX_CONNECTIONS = 128;
const SLOW_CLIENT_MS = 10_000;

/** Disposing of it ends all connections and takes the file away; the peer goes on. @throws what the system says */
export async function offerLocalApi(options: LocalApiOptions): Promise<AsyncDisposable> {
  const { peer, file } = options;
  const token = randomSecret();
  const streams = new EventStreams(peer);
  const inspections = new Inspections(peer);
  const app = fastify({
    logger: false,
    bodyLimit: BODY_LIMIT,
    requestTimeout: SLOW_CLIENT_MS,
    keepAliveTimeout: SLOW_CLIENT_MS,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: MAX_HEADER_BYTES },
    // What fails before a route is found is told like everything else.
    frameworkErrors: (error, _request, reply) => void refuse(reply, error.statusCode ?? 400, error.message),
    clientErrorHandler: refuseUnreadable,
    http: {
      // The guard asks for it.
      requireHostHeader: false,
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: SLOW_CLIENT_MS,
      connectionsCheckingInterval: SLOW_CLIENT_MS / 4,
    },
  }) as unknown as FastifyInstance;
  app.server.maxConnections = MAX_CONNECTIONS;
  const url = () => `http://${LOOPBACK}:${(app.server.address() as AddressInfo).port}`;
  guardRequests(app, { token, host: () => url().slice('http://'.length) });
  takeStrictJson(app);
  sayWhatWentWrong(app);
  addRoutes(app, {
    ...options,
    streams,
    inspections,
    startedMs: Date.now(),
    prove: (nonce) => proofOf(token, nonce, url()),
  });
  await app.listen({ host: LOOPBACK, port: 0 });
  try {
    const kept = keepAddressFile(file, { api: API_VERSION, url: url(), token, process: process.pid });
    return {
      async [Symbol.asyncDispose]() {
        kept[Symbol.dispose]();
        streams.close();
        inspections.close();
        await app.close();
      },
    };
  } catch (error) {
    await app.close();
    throw error;
  }
}

interface Routes extends LocalApiOptions {
  readonly streams: EventStreams;
  readonly inspections: Inspections;
  readonly startedMs: number;
  prove(nonce: string): string;
}

function addRoutes(
  app: FastifyInstance,
  { peer, runBy, directoryUrl, streams, inspections, startedMs, prove }: Routes,
): void {
  app.post('/v1/proof', async ({ body }) => ({ proof: prove(parsed(Challenge, body).nonce) }));

  app.get('/v1/status', async (): Promise<Sent<LocalStatus>> => {
    const { name, publicKey, addresses, root, directory } = peer;
    const run = { version: packageVersion(), runBy, process: process.pid, startedMs, directoryUrl };
    return { name, publicKey, ...run, addresses, root, directory, ...peer.status() };
  });

  app.post('/v1/wishes', async ({ body }, reply) => {
    const wish = parsed(WishSchema, body);
    if (wish.type === 'trust.wanted') requirePoint(wish.key);
    if ('ticket' in wish && wish.ticket !== '') return answerTo(peer, wish);
    peer.ask(wish);
    return reply.code(202).send({});
  });

  app.get('/v1/events', (_request, reply) => streams.open(reply));

  app.get('/v1/inspection', (_request, reply) => inspections.open(reply));

  app.get<{ Params: { name: string } }>(
    '/v1/peers/:name',
    async ({ params: { name } }): Promise<Sent<LocalDealings>> => {
      const invalid = whyInvalidName(name);
      if (invalid !== undefined) throw new MurmureError('usage', `this is not a valid peer name: ${invalid}`);
      return {
        contact: peer.contactWith(name),
        underWay: peer.syncUnderWay(name) ?? null,
        explanations: peer.explain(name),
      };
    },
  );

  app.get('/v1/directory/peers', async () => ({ peers: await peer.directoryPeers() }));
}

/** What comes of a wish. The ticket tells the answer from those to others who ask the same peer. */
function answerTo(peer: Peer, wish: StoreWish): Promise<WishAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<WishAnswer>();
  const stop = peer.on('*', (fact) => {
    if ('ticket' in fact && fact.ticket === wish.ticket) resolve(fact);
  });
  try {
    peer.ask(wish);
  } catch (error) {
    reject(error);
  }
  return promise.finally(stop);
}

/** @throws MurmureError `usage` */
function parsed<T extends v.GenericSchema>(schema: T, body: unknown): v.InferOutput<T> {
  const result = v.safeParse(schema, body);
  if (result.success) return result.output;
  throw new MurmureError(
    'usage',
    `this does not have the form that docs/local-api.md describes: ${v.summarize(result.issues)}`,
  );
}

/** The form alone does not make it a key. @throws MurmureError `usage` */
function requirePoint(key: string): void {
  const point = parsePublicKey(key);
  if (!point.ok) throw new MurmureError('usage', point.why);
}

/** Nothing but JSON, in UTF-8 that is none but that: a text must not become another one. */
function takeStrictJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) => {
    try {
      return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    } catch {
      throw new MurmureError('usage', 'the body is not JSON in UTF-8');
    }
  });
}

const STATUS: Partial<Record<ErrorCode, number>> = { usage: 400, 'in-use': 503, interrupted: 503, unexpected: 500 };

function sayWhatWentWrong(app: FastifyInstance): void {
  app.setNotFoundHandler((_request, reply) => refuse(reply, 404, 'this route does not exist: see docs/local-api.md'));
  app.setErrorHandler((error: FastifyError | MurmureError, _request, reply) => {
    if (error instanceof MurmureError) {
      return reply.code(STATUS[error.code] ?? 502).send({ error: failureFrom(error) });
    }
    return refuse(reply, error.statusCode ?? 500, error.message);
  });
}

function refuse(reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply.code(status).send({ error: { code: status >= 500 ? 'unexpected' : 'usage', message } });
}

const UNREADABLE: Readonly<Record<string, readonly [line: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', `the headers have more than ${MAX_HEADER_BYTES} bytes`],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', `the request was not complete after ${SLOW_CLIENT_MS / 1_000} s`],
};

/** Node has not made a request of it, so there is nothing but the connection to answer on. */
function refuseUnreadable(error: Error & { readonly code?: string }, socket: Socket): void {
  const [line, message] = UNREADABLE[error.code ?? ''] ?? ['400 Bad Request', 'this is not a request of HTTP/1.1'];
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
  const body = JSON.stringify({ error: { code: 'usage', message } });
  const head = [
    `HTTP/1.1 ${line}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
