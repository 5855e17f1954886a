/** The directory's HTTPS side (protocol §3). */
import type { AddressInfo } from 'node:net';
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify';
import type { Logger } from 'pino';
import * as v from 'valibot';
import { type PublicKey, parsePublicKey, publicKeyBytes } from '../identity/public-key.ts';
import { MurmureError } from '../wire/murmure-error.ts';
import { whyInvalidName } from '../wire/name.ts';
import { formatAddress, type SocketAddress } from '../wire/socket-address.ts';
import type { Certificate } from './certificate.ts';
import type { DirectoryMetrics } from './directory-metrics.ts';
import { type RateLimit, sourceOf, TokenBuckets } from './rate-limit.ts';
import type { Registry } from './registry.ts';

export interface HttpServerOptions {
  readonly registry: Registry;
  /** What `/udp-address` tells, IPv4 first. */
  readonly udpAddresses: () => readonly SocketAddress[];
  /** Undefined: this directory does not sign. */
  readonly serverKey: () => PublicKey | undefined;
  /** Unix ms. */
  readonly now: () => number;
  readonly certificate: Certificate;
  readonly metrics: DirectoryMetrics;
  readonly rate: RateLimit;
  readonly logger?: Logger;
}

export interface HttpServer {
  /** Binds, and resolves to the URL. @throws MurmureError */
  listen(address: SocketAddress): Promise<string>;
  close(): Promise<void>;
}

const BODY_LIMIT = 4 * 1024;
const SLOW_CLIENT_MS = 10_000;
/** What the 2022 directory says when a name is bound to another key. */
const BAD_KEY = 'add peer:bad key';

const Registration = v.object({ name: v.string(), key: v.optional(v.nullable(v.string())) });

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { certificate, logger } = options;
  const app: FastifyInstance = fastify({
    https: { cert: certificate.cert, key: certificate.key, minVersion: 'TLSv1.2', handshakeTimeout: SLOW_CLIENT_MS },
    bodyLimit: BODY_LIMIT,
    requestTimeout: SLOW_CLIENT_MS,
    connectionTimeout: SLOW_CLIENT_MS,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 1024, ignoreTrailingSlash: false },
    ...(logger === undefined ? { logger: false } : { loggerInstance: logger }),
  }) as unknown as FastifyInstance;
  limitRate(app, options);
  takeAnyBody(app);
  addRoutes(app, options);
  sayWhatWentWrong(app);
  return {
    listen: (address) => listen(app, address),
    close: () => app.close(),
  };
}

function limitRate(app: FastifyInstance, { rate, now, metrics }: HttpServerOptions): void {
  const buckets = new TokenBuckets(rate);
  app.addHook('onRequest', async (request, reply) => {
    const waitS = buckets.take(sourceOf(request.ip), now());
    if (waitS === 0) return;
    reply.header('Retry-After', Math.ceil(waitS));
    return text(reply, 429, `too many requests: try again in ${Math.ceil(waitS)} s\n`);
  });
  app.addHook('onResponse', async (request, reply) => {
    metrics.countRequest(request.routeOptions.url ?? 'unknown', reply.statusCode);
  });
}

/** The Content-Type may be missing or wrong (protocol §3): the body is JSON or it is an error. */
function takeAnyBody(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
}

function addRoutes(app: FastifyInstance, options: HttpServerOptions): void {
  const { registry, udpAddresses, serverKey, now, metrics } = options;

  app.get('/udp-address', async () => udpAddresses());

  app.get('/server-key', async (_request, reply) => {
    const key = serverKey();
    if (key === undefined) return text(reply, 404, 'this directory does not sign\n');
    return reply.type('application/octet-stream').send(Buffer.from(publicKeyBytes(key)));
  });

  app.post('/register', async (request, reply) => {
    const result = register(registry, request.body, now());
    metrics.countRegistration(result.kind);
    return result.kind === 'accepted' ? reply.code(204).send() : text(reply, 400, result.why);
  });

  const listPeers = async (_request: unknown, reply: FastifyReply) =>
    text(
      reply,
      200,
      registry
        .peers(now())
        .map((name) => `${name}\n`)
        .join(''),
    );
  app.get('/peers', listPeers);
  app.get('/peers/', listPeers);

  app.get<{ Params: { name: string } }>('/peers/:name', async ({ params: { name } }, reply) => {
    const invalid = whyInvalidName(name);
    if (invalid !== undefined) return text(reply, 400, `${invalid}\n`);
    return registry.lookup(name, now()) ?? text(reply, 404, 'no such peer is online\n');
  });

  app.get('/healthz', async (_request, reply) => text(reply, 200, 'ok\n'));
  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.render(registry.peers(now()).length)),
  );
}

type RegistrationResult = { kind: 'accepted' } | { kind: 'bad-key' | 'malformed'; why: string };

function register(registry: Registry, body: unknown, nowMs: number): RegistrationResult {
  const parsed = v.safeParse(Registration, lowerCaseMembers(parseJson(body)));
  if (!parsed.success) return { kind: 'malformed', why: 'a registration is JSON: {"name":"…","key":"…"}\n' };
  const { name, key: keyText } = parsed.output;
  const invalid = whyInvalidName(name);
  if (invalid !== undefined) return { kind: 'malformed', why: `${invalid}\n` };
  const key = keyText ? parsePublicKey(keyText) : undefined;
  if (key !== undefined && !key.ok) return { kind: 'bad-key', why: BAD_KEY };
  return registry.register(name, key?.value, nowMs) === 'accepted'
    ? { kind: 'accepted' }
    : { kind: 'bad-key', why: BAD_KEY };
}

function parseJson(body: unknown): unknown {
  try {
    return JSON.parse(String(body));
  } catch {
    return undefined;
  }
}

/** Any letter case, and `username` for `name` (protocol §3). */
function lowerCaseMembers(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const { username, ...members } = Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key.toLowerCase(), member]),
  );
  return username === undefined ? members : { name: username, ...members };
}

function sayWhatWentWrong(app: FastifyInstance): void {
  app.setNotFoundHandler((request, reply) =>
    // A name with an encoded slash, or none at all, matches no route.
    request.url.startsWith('/peers/') ? text(reply, 400, 'not a name\n') : text(reply, 404, 'no such thing here\n'),
  );
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) request.log.error(error);
    return text(reply, status, status >= 500 ? 'something broke here; it was logged\n' : `${error.message}\n`);
  });
}

function text(reply: FastifyReply, status: number, body: string): FastifyReply {
  return reply.code(status).type('text/plain; charset=utf-8').send(body);
}

async function listen(app: FastifyInstance, { ip, port }: SocketAddress): Promise<string> {
  const wanted = formatAddress({ ip, port });
  try {
    await app.listen({ host: ip, port });
  } catch (error) {
    throw cannotListen(wanted, error as NodeJS.ErrnoException);
  }
  const bound = app.server.address() as AddressInfo;
  const host = { '0.0.0.0': '127.0.0.1', '::': '::1' }[ip] ?? ip;
  return `https://${formatAddress({ ip: host, port: bound.port })}/`;
}

function cannotListen(address: string, error: NodeJS.ErrnoException): MurmureError {
  const why: Record<string, string> = {
    EADDRINUSE: `${address} is in use by another program: choose another port with --listen, or 0 for any free one`,
    EACCES: `no permission to listen on ${address}: choose a port above 1023 with --listen`,
    EADDRNOTAVAIL: `${address} is not an address of this machine: choose one that is, or 0.0.0.0 for all`,
  };
  return new MurmureError('unexpected', why[error.code ?? ''] ?? `cannot listen on ${address}: ${error.message}`);
}
