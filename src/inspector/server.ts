/**
 * The inspector's page over HTTP, for one person's browser on this machine. Whatever shows something of a run needs the token, which is
 * in the fragment of the link and comes in a header: no other page can send it, and it is in no log.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isSame, randomSecret } from '../runtime/secrets.ts';
import { makePage, type Page } from './page.ts';
import { readReference } from './reference.ts';

/** Writes the lines of a run, until it ends or nobody reads any more. @throws what the page is to say, before anything is written */
export type RunSource = (to: ServerResponse) => void | Promise<void>;

export interface InspectorOptions {
  readonly title: string;
  readonly runs: readonly RunSource[];
}

export interface Inspector extends AsyncDisposable {
  /** With the token in its fragment. */
  readonly url: string;
  /** A link with a code in the place of the token, which is good once, for half a minute: command lines can be read by others. */
  oneTimeUrl(): string;
}

const LOOPBACK = '127.0.0.1';
const CODE_MS = 30_000;
/** A page has one for each run, and asks for little else. Other users of this machine can open connections as well. */
const MAX_CONNECTIONS = 64;
const SLOW_CLIENT_MS = 10_000;

/** @throws what the system says */
export async function offerInspector({ title, runs }: InspectorOptions): Promise<Inspector> {
  const page = await makePage({ title, connects: true });
  const token = randomSecret();
  const codes = new Codes();
  const server = createServer({
    maxHeaderSize: 8 * 1024,
    headersTimeout: SLOW_CLIENT_MS,
    requestTimeout: SLOW_CLIENT_MS,
  });
  server.maxConnections = MAX_CONNECTIONS;
  const host = () => `${LOOPBACK}:${(server.address() as AddressInfo).port}`;
  server.on('request', (request, response) => {
    answer(request, response, { page, token, codes, runs, host: host() }).catch((error: Error) => {
      if (response.headersSent) response.destroy();
      else refuse(response, 503, error.message);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: LOOPBACK, port: 0 }, resolve);
  });
  return {
    url: `http://${host()}/#${token}`,
    oneTimeUrl: () => `http://${host()}/#code.${codes.make()}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Served {
  readonly page: Page;
  readonly token: string;
  readonly codes: Codes;
  readonly runs: readonly RunSource[];
  readonly host: string;
}

async function answer(request: IncomingMessage, response: ServerResponse, served: Served): Promise<void> {
  const { url = '', headers } = request;
  response.setHeader('cache-control', 'no-store');
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('cross-origin-resource-policy', 'same-origin');
  response.setHeader('referrer-policy', 'no-referrer');
  const refusal = whyRefused(request, served.host);
  if (refusal !== undefined) return refuse(response, ...refusal);
  if (url === '/') {
    response.setHeader('content-security-policy', `${served.page.policy}; frame-ancestors 'none'`);
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(served.page.html);
    return;
  }
  const { authorization = '' } = headers;
  if (url === '/v1/token') {
    if (!served.codes.take(authorization))
      return refuse(response, 401, 'the code is wrong, or was used, or is too old');
    return sendJson(response, { token: served.token });
  }
  if (!isSame(authorization, `Bearer ${served.token}`))
    return refuse(response, 401, 'the token is missing or wrong: open the link again');
  if (url === '/v1/page') return sendJson(response, { reference: await readReference(), runs: served.runs.length });
  const source = served.runs[Number(/^\/v1\/runs\/(\d{1,4})$/.exec(url)?.[1])];
  if (source === undefined) return refuse(response, 404, 'there is nothing here');
  response.setHeader('content-type', 'application/x-ndjson');
  await source(response);
}

/** A name that leads to this machine is not its address, and what comes from another page is not ours. */
function whyRefused({ method, headers }: IncomingMessage, host: string): [number, string] | undefined {
  if (method !== 'GET') return [405, 'this server only shows'];
  if (headers.host !== host) return [403, 'the Host header does not name this server'];
  const { origin, 'sec-fetch-site': site } = headers;
  if (origin !== undefined && origin !== `http://${host}`) return [403, 'other pages cannot use this server (Origin)'];
  if (site !== undefined && site !== 'none' && site !== 'same-origin') {
    return [403, 'other pages cannot use this server (Sec-Fetch-Site)'];
  }
  return undefined;
}

function refuse(response: ServerResponse, status: number, message: string): void {
  response.statusCode = status;
  response.setHeader('connection', 'close');
  sendJson(response, { error: { code: 'authentication', message } });
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(value));
}

class Codes {
  /** BOUNDED by one. */
  #code: { readonly text: string; readonly untilMs: number } | undefined;

  make(): string {
    const text = randomSecret();
    this.#code = { text, untilMs: performance.now() + CODE_MS };
    return text;
  }

  /** Whoever tries a wrong one does not use it up. */
  take(authorization: string): boolean {
    const code = this.#code;
    if (code === undefined || !isSame(authorization, `Code ${code.text}`)) return false;
    this.#code = undefined;
    return performance.now() <= code.untilMs;
  }
}
