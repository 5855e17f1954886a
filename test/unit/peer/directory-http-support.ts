/** A directory that answers over HTTPS as a test wants it to. */
import { randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { generate } from 'selfsigned';
import { expect, onTestFinished } from 'vitest';
import { generateKeyPair } from '../../../src/identity/key-pair.ts';
import { createDirectoryHttp, type DirectoryHttpClient } from '../../../src/peer/directory-http.ts';
import { MurmureError } from '../../../src/wire/murmure-error.ts';

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface Asked {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly body: string;
}

export const today = new Date().toISOString().slice(0, 10);
export const trusted = await certify('localhost');
export const key = (await generateKeyPair()).publicKey;

/** A self-signed certificate, its subject its own, for `host`; for 127.0.0.1 as well if that is localhost. */
export async function certify(
  host: string,
  dates: { notBeforeDate?: Date; notAfterDate?: Date } = {},
): Promise<Certificate> {
  const names = host === 'localhost' ? [{ type: 7 as const, ip: '127.0.0.1' }] : [];
  const extensions = [{ name: 'subjectAltName' as const, altNames: [{ type: 2 as const, value: host }, ...names] }];
  const options = { keyType: 'ec' as const, algorithm: 'sha256', extensions, ...dates };
  const { cert, private: secret } = await generate([{ name: 'commonName', value: randomUUID() }], options);
  return { cert, key: secret };
}

export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())));
  return (server.address() as AddressInfo).port;
}

export async function serve(listener: RequestListener, options: ServerOptions = trusted): Promise<string> {
  const server = createServer(options, listener);
  const port = await listen(server);
  // Before it is closed: what is registered last comes first.
  onTestFinished(() => server.closeAllConnections());
  return `https://127.0.0.1:${port}`;
}

export type Reply = {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
};

/** A directory that gives one and the same answer, and what it was asked. */
export async function answering(reply: Reply): Promise<{ http: DirectoryHttpClient; url: string; asked: Asked[] }> {
  const asked: Asked[] = [];
  const url = await serve(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    asked.push({ method: request.method, path: request.url, body });
    response.writeHead(reply.status ?? 200, reply.headers).end(reply.body);
  });
  return { http: createDirectoryHttp({ url, ca: trusted.cert, timeoutMs: 60_000 }), url, asked };
}

export const json = (value: unknown): Reply => ({ body: JSON.stringify(value) });

export async function failure(promise: Promise<unknown>): Promise<MurmureError> {
  const error = await promise.then(
    () => expect.unreachable('it did not fail'),
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(MurmureError);
  expect(error.message).not.toContain('\n');
  return error;
}

export const createFailure = (url: string, ca?: string) => failure((async () => createDirectoryHttp({ url, ca }))());
