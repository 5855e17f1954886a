/** The HTTPS side of a directory, on a port of its own, and a client that asks it. */
import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request } from 'node:https';
import { onTestFinished } from 'vitest';
import { selfSignedCertificate } from '../../../src/directory/certificate.ts';
import { createDirectoryMetrics } from '../../../src/directory/directory-metrics.ts';
import { createHttpServer, type HttpServerOptions } from '../../../src/directory/http-server.ts';
import type { Registry } from '../../../src/directory/registry.ts';
import { openSqliteRegistry } from '../../../src/directory/sqlite-registry.ts';
import { generateKeyPair } from '../../../src/identity/key-pair.ts';

export const T0 = 1_800_000_000_000;
export const HOUR = 3_600_000;
export const HOME = { ip: '192.0.2.1', port: 4242 };
export const HOME_IPV6 = { ip: '2001:db8::1', port: 4242 };
const PLENTY = { perSecond: 1_000_000, burst: 1_000_000 };

export const certificate = await selfSignedCertificate([]);
export const key = (await generateKeyPair()).publicKey;
export const otherKey = (await generateKeyPair()).publicKey;

export interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
}

interface Question {
  readonly method?: string;
  readonly body?: string | Buffer;
  readonly headers?: Record<string, string>;
}

export interface Served {
  readonly registry: Registry;
  readonly port: number;
  /** The time it is for the server. */
  nowMs: number;
  /** The path goes out as it is. */
  ask(path: string, question?: Question): Promise<Answer>;
  register(body: unknown, headers?: Record<string, string>): Promise<Answer>;
  close(): Promise<void>;
}

/** Until the test ends. */
export async function serve(
  options: Partial<HttpServerOptions> = {},
  bind = { ip: '127.0.0.1', port: 0 },
): Promise<Served> {
  const registry = options.registry ?? openSqliteRegistry(':memory:');
  const server = createHttpServer({
    registry,
    udpAddresses: () => [HOME, HOME_IPV6],
    serverKey: () => key,
    now: () => served.nowMs,
    certificate,
    metrics: createDirectoryMetrics(),
    rate: PLENTY,
    ...options,
  });
  // One connection for all that is asked: handshakes are most of what a request costs.
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => {
    agent.destroy();
    return server.close();
  });
  const { port } = await server.listen(bind);
  const served: Served = {
    registry,
    port,
    nowMs: T0,
    ask: (path, question) => ask(port, agent, path, question),
    register: (body, headers) =>
      ask(port, agent, '/register', {
        method: 'POST',
        body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
        headers: headers ?? { 'content-type': 'application/json' },
      }),
    close: () => server.close(),
  };
  return served;
}

async function ask(
  port: number,
  agent: Agent,
  path: string,
  { method = 'GET', body, headers }: Question = {},
): Promise<Answer> {
  const sent = request({
    host: '127.0.0.1',
    port,
    path,
    method,
    ca: certificate.cert,
    agent,
    headers: headers ?? {},
  });
  sent.end(body);
  const [response] = await once(sent, 'response');
  const bytes = Buffer.concat(await response.toArray());
  return { status: response.statusCode, headers: response.headers, body: bytes, text: bytes.toString() };
}

export const isPlainText = ({ headers }: Answer) => headers['content-type'] === 'text/plain; charset=utf-8';
