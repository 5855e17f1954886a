/** Who may ask: programs of the same user that have read the token. No web page may, wherever it comes from. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isSame } from '../runtime/secrets.ts';

export interface GuardOptions {
  readonly token: string;
  /** HOST:PORT, exactly as a client of ours writes it: a name that leads to this machine is none. */
  readonly host: () => string;
}

/** The only route without a token: by it the server proves that it has the token. */
const OPEN_ROUTE = '/v1/proof';

export function guardRequests(app: FastifyInstance, options: GuardOptions): void {
  app.addHook('onRequest', async (request, reply) => {
    const refusal = whyRefused(request, options);
    if (refusal === undefined) return undefined;
    const [status, message] = refusal;
    return refuseAt(reply, status, message);
  });
}

function whyRefused(
  { headers, url, raw }: FastifyRequest,
  { token, host }: GuardOptions,
): [number, string] | undefined {
  // A whole URL as the target would stand for another Host header (RFC 9112, 3.2.2), and Node keeps the first of several.
  const isNamed = headers.host === host() && url.startsWith('/') && countHosts(raw.rawHeaders) === 1;
  if (!isNamed) return [403, 'the Host header does not name this server'];
  // Browsers send these, and programs of ours do not.
  if (headers.origin !== undefined) return [403, 'web pages cannot use this server (Origin)'];
  if (headers['sec-fetch-site'] !== undefined) return [403, 'web pages cannot use this server (Sec-Fetch-Site)'];
  if (url === OPEN_ROUTE) return undefined;
  const given = /^Bearer ([\w-]+)$/.exec(headers.authorization ?? '')?.[1];
  return given !== undefined && isSame(given, token) ? undefined : [401, 'the token is missing or wrong'];
}

function countHosts(rawHeaders: readonly string[]): number {
  return rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;
}

/** The connection ends: what was refused has nothing more to say. */
function refuseAt(reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply
    .code(status)
    .header('connection', 'close')
    .send({ error: { code: 'authentication', message } });
}
