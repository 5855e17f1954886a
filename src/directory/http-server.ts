/** The directory's HTTPS side (protocol §3). */
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import * as v from 'valibot';
import { type PublicKey, parsePublicKey, publicKeyBytes } from '../identity/public-key.ts';
import { type RateLimit, sourceOf, TokenBuckets } from '../runtime/token-buckets.ts';
import { MurmureError } from '../wire/murmure-error.ts';
import { MAX_NAME_BYTES, whyInvalidName, whyRefusedName } from '../wire/name.ts';
import { formatAddress, type SocketAddress } from '../wire/socket-address.ts';
import type { Certificate } from './certificate.ts';
import { ChangesAnswers } from './changes-answers.ts';
import type { DirectoryMetrics } from './directory-metrics.ts';
import { changedNames, isKnownAlready, knownPeers, type PeersQuery, sendNames, sendPeers } from './peer-list.ts';
import type { Registry, RegistryStatus } from './registry.ts';

export interface HttpServerOptions {
  readonly registry: Registry;
  /** What `/udp-address` tells, IPv4 first. */
  readonly udpAddresses: () => readonly SocketAddress[];
  /** Undefined: this directory does not sign. */
  readonly serverKey: () => PublicKey | undefined;
  /** Unix ms. */
  readonly now: () => number;
  /** Somebody at this IP address has registered. */
  readonly onRegistered?: (ip: string) => void;
  readonly status?: RegistryStatus | undefined;
  readonly certificate: Certificate;
  readonly metrics: DirectoryMetrics;
  readonly rate: RateLimit;
  /** For names that are neither bound nor pending, per source. Default 1,000 at once, and 1,000 an hour. */
  readonly newNames?: RateLimit;
  /** How long a client may take for its handshake, and for its request. Default 10 s. */
  readonly slowClientMs?: number;
  readonly logger?: Logger;
}

export interface HttpServer {
  /** Binds, and resolves to the URL. @throws MurmureError */
  listen(address: SocketAddress): Promise<SocketAddress>;
  /** From the next connection on. */
  useCertificate(certificate: Certificate): void;
  close(): Promise<void>;
}

const BODY_LIMIT = 4 * 1024;
/** Names that may be asked for at once (protocol §3). */
const MAX_NAMES_AT_ONCE = 100;
/** Room for that many of the longest names, percent-encoded, and 4 KiB for everything else. BOUNDED per connection, by this. */
const MAX_HEADER_BYTES = MAX_NAMES_AT_ONCE * ('&name='.length + 3 * MAX_NAME_BYTES) + 4 * 1024;
const SLOW_CLIENT_MS = 10_000;
/** Many peers may share an address, and each name that is bound is kept for months. */
const NEW_NAMES: RateLimit = { perSecond: 1_000 / 3_600, burst: 1_000 };
/** All peers with their addresses, per source: thousands of look-ups each, so fewer than of other requests. */
const FULL_LISTS: RateLimit = { perSecond: 1, burst: 100 };
/** After so many seconds somebody whose name could not be taken down may try again. */
const AWAY_S = 5;
const JSON_TYPE = 'application/json; charset=utf-8';
const TEXT_TYPE = 'text/plain; charset=utf-8';
/** What the 2022 directory says when a name is bound to another key. */
const BAD_KEY = { kind: 'bad-key', why: 'add peer:bad key' } as const;

const Registration = v.object({ name: v.string(), key: v.optional(v.nullable(v.string())) });

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { certificate, logger, slowClientMs = SLOW_CLIENT_MS } = options;
  const limiter = createLimiter(options);
  const app: FastifyInstance = fastify({
    https: {
      cert: certificate.cert,
      key: certificate.key,
      minVersion: 'TLSv1.2',
      handshakeTimeout: slowClientMs,
      // Of two timeouts Node takes the longer one for the whole request: left at its default this would be a minute.
      headersTimeout: slowClientMs,
      // Node looks for requests that take too long only every 30 s, unless told otherwise.
      connectionsCheckingInterval: Math.ceil(slowClientMs / 4),
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    bodyLimit: BODY_LIMIT,
    requestTimeout: slowClientMs,
    connectionTimeout: slowClientMs,
    forceCloseConnections: true,
    // A name of any length gets to its route, and is told what is wrong with it; Node bounds the headers.
    routerOptions: { maxParamLength: MAX_HEADER_BYTES, ignoreTrailingSlash: false },
    frameworkErrors: limiter.refuseBadPath,
    ...(logger === undefined ? { logger: false } : { loggerInstance: logger }),
  }) as unknown as FastifyInstance;
  app.addHook('onRequest', limiter.limit);
  countResponses(app, options);
  takeAnyBody(app);
  addRoutes(app, options);
  sayWhatWentWrong(app);
  return {
    listen: (address) => listen(app, address),
    useCertificate: ({ cert, key }) => (app.server as unknown as Server).setSecureContext({ cert, key }),
    close: () => app.close(),
  };
}

interface Limiter {
  limit(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined>;
  /** Percent-encoding that cannot be decoded: Fastify asks here before any hook. */
  refuseBadPath(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void;
}

function createLimiter({ rate, now, metrics }: HttpServerOptions): Limiter {
  const buckets = new TokenBuckets(rate);
  const isRefused = (request: FastifyRequest, reply: FastifyReply): boolean => {
    const waitS = buckets.take(sourceOf(request.ip), now());
    if (waitS === 0) return false;
    tooMany(reply, 'requests', waitS);
    return true;
  };
  return {
    limit: async (request, reply) => (isRefused(request, reply) ? reply : undefined),
    refuseBadPath(_error, request, reply) {
      if (!isRefused(request, reply)) text(reply, 400, 'the path is not percent-encoded UTF-8\n');
      metrics.countRequest('unknown', reply.statusCode);
    },
  };
}

function tooMany(reply: FastifyReply, what: string, waitS: number): FastifyReply {
  const seconds = Math.ceil(waitS);
  return text(reply.header('Retry-After', seconds), 429, `too many ${what}: try again in ${seconds} s\n`);
}

function comeBack(reply: FastifyReply): FastifyReply {
  return text(
    reply.header('Retry-After', AWAY_S),
    503,
    `no new name can be taken down now: try again in ${AWAY_S} s\n`,
  );
}

function countResponses(app: FastifyInstance, { metrics }: HttpServerOptions): void {
  app.addHook('onResponse', async (request, reply) => {
    metrics.countRequest(request.routeOptions.url ?? 'unknown', reply.statusCode);
  });
}

/** The Content-Type may be missing or wrong (protocol §3): the body is JSON or it is an error. */
function takeAnyBody(app: FastifyInstance): void {
  // Fastify refuses what is no media type at all.
  app.addHook('onRequest', async ({ raw }) => {
    delete raw.headers['content-type'];
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
}

function addRoutes(app: FastifyInstance, options: HttpServerOptions): void {
  const { registry, udpAddresses, serverKey, now, metrics } = options;
  const newNames = new TokenBuckets(options.newNames ?? NEW_NAMES);
  const fullLists = new TokenBuckets(FULL_LISTS);
  const answers = new ChangesAnswers(registry, now);

  app.get('/udp-address', async () => udpAddresses());

  app.get('/server-key', async (_request, reply) => {
    const key = serverKey();
    if (key === undefined) return text(reply, 404, 'this directory does not sign\n');
    return reply.type('application/octet-stream').send(Buffer.from(publicKeyBytes(key)));
  });

  app.post('/register', async (request, reply) => {
    const source = sourceOf(request.ip);
    const result = await register(request.body, async (name, key) => {
      const isNew = registry.candidateKeys(name, now()).length === 0;
      const refused = isNew ? whyRefusedName(name) : undefined;
      if (refused !== undefined) return { kind: 'malformed', why: `${refused}\n` };
      const waitS = isNew ? newNames.take(source, now()) : 0;
      if (waitS > 0) return { kind: 'too-many', waitS };
      const registered = await registry.register(name, key, now(), source);
      return registered === 'bad-key' ? BAD_KEY : { kind: registered };
    });
    metrics.countRegistration(result.kind);
    if (result.kind === 'accepted') options.onRegistered?.(request.ip);
    if (result.kind === 'too-many') return tooMany(reply, 'new names from your address', result.waitS);
    if (result.kind === 'away') return comeBack(reply);
    return result.kind === 'accepted' ? reply.code(204).send() : text(reply, 400, result.why);
  });

  const listPeers = async (request: FastifyRequest<{ Querystring: PeersQuery }>, reply: FastifyReply) => {
    const { query } = request;
    if (query.format === undefined) {
      if (isKnownAlready(registry, request, reply)) return reply.code(304).send();
      return sendNames(registry.peers(now()), request, reply.type(TEXT_TYPE));
    }
    if (query.format !== 'json') return text(reply, 400, 'the only other format is format=json\n');
    const names = [query.name ?? []].flat();
    const among = query.of === undefined ? undefined : [query.of].flat();
    if (Math.max(names.length, among?.length ?? 0) > MAX_NAMES_AT_ONCE)
      return text(reply, 400, `at most ${MAX_NAMES_AT_ONCE} names can be asked for at once\n`);
    if (names.length > 0) return { peers: knownPeers(registry, names, now()) };
    if (isKnownAlready(registry, request, reply)) return reply.code(304).send();
    const isOnly = query.changes === 'only';
    const changes = typeof query.since === 'string' ? answers.since(query.since, isOnly, among) : undefined;
    if (changes !== undefined) return reply.type(JSON_TYPE).send(changes);
    const changed = changedNames(registry, query);
    const waitS = changed === undefined ? fullLists.take(sourceOf(request.ip), now()) : 0;
    if (waitS > 0) return tooMany(reply, 'requests for all peers', waitS);
    return sendPeers(registry, changed, request, reply.type(JSON_TYPE), now);
  };
  app.get<{ Querystring: PeersQuery }>('/peers', listPeers);
  app.get<{ Querystring: PeersQuery }>('/peers/', listPeers);

  app.get<{ Params: { name: string } }>('/peers/:name', async ({ params: { name } }, reply) => {
    const invalid = whyInvalidName(name);
    if (invalid !== undefined) return text(reply, 400, `${invalid}\n`);
    return registry.lookup(name, now()) ?? text(reply, 404, 'no such peer is online\n');
  });

  // It runs; is everything there that it needs?
  app.get('/healthz', async (_request, reply) => text(reply, 200, 'ok\n'));
  app.get('/readyz', async (_request, reply) => {
    const why = options.status?.whyAway;
    return why === undefined
      ? text(reply, 200, 'ready\n')
      : text(reply, 503, `no new name can be taken down, look-ups go on: ${why}\n`);
  });
  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.contentType).send(
      await metrics.render({
        murmure_peers_listed: registry.peers(now()).length,
        murmure_engine_away: Number(options.status?.whyAway !== undefined),
        murmure_renewals_waiting: options.status?.waiting ?? 0,
      }),
    ),
  );
}

type RegistrationResult =
  | { kind: 'accepted' }
  | { kind: 'away' }
  | { kind: 'bad-key' | 'malformed'; why: string }
  | { kind: 'too-many'; waitS: number };

type Accept = (name: string, key: PublicKey | undefined) => Promise<RegistrationResult>;

async function register(body: unknown, accept: Accept): Promise<RegistrationResult> {
  const parsed = v.safeParse(Registration, lowerCaseMembers(parseJson(body)));
  if (!parsed.success) return { kind: 'malformed', why: 'a registration is JSON: {"name":"…","key":"…"}\n' };
  const { name, key: keyText } = parsed.output;
  const invalid = whyInvalidName(name);
  if (invalid !== undefined) return { kind: 'malformed', why: `${invalid}\n` };
  const key = keyText ? parsePublicKey(keyText) : undefined;
  if (key !== undefined && !key.ok) return BAD_KEY;
  return accept(name, key?.value);
}

function parseJson(body: unknown): unknown {
  try {
    // Strictly: a name that is not UTF-8 must not become another one.
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body as Buffer));
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
    // A name with a slash in it matches no route.
    request.method === 'GET' && request.url.startsWith('/peers/')
      ? text(reply, 400, 'not a name\n')
      : text(reply, 404, 'no such thing here\n'),
  );
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) request.log.error(error);
    return text(reply, status, status >= 500 ? 'internal error; see the log of the directory\n' : `${error.message}\n`);
  });
}

function text(reply: FastifyReply, status: number, body: string): FastifyReply {
  return reply.code(status).type(TEXT_TYPE).send(body);
}

async function listen(app: FastifyInstance, { ip, port }: SocketAddress): Promise<SocketAddress> {
  const wanted = formatAddress({ ip, port });
  try {
    await app.listen({ host: ip, port });
  } catch (error) {
    throw cannotListen(wanted, error as NodeJS.ErrnoException);
  }
  const bound = app.server.address() as AddressInfo;
  return { ip, port: bound.port };
}

function cannotListen(address: string, error: NodeJS.ErrnoException): MurmureError {
  const why: Record<string, string> = {
    EADDRINUSE: `${address} is in use by another program: choose another port with --listen, or 0 for any free one`,
    EACCES: `no permission to listen on ${address}: choose a port above 1023 with --listen`,
    EADDRNOTAVAIL: `${address} is not an address of this machine: choose one that is, or 0.0.0.0 for all`,
  };
  return new MurmureError('unexpected', why[error.code ?? ''] ?? `cannot listen on ${address}: ${error.message}`);
}
