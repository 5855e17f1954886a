/** Whom the local API refuses, and what it gives nobody. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type LocalAddress, readAddressFile } from '../../../src/local-api/address-file.ts';
import { findLocalApi, LocalApi } from '../../../src/local-api/client.ts';
import { proofOf } from '../../../src/local-api/proof.ts';
import { offerLocalApi } from '../../../src/local-api/server.ts';
import { randomSecret } from '../../../src/runtime/secrets.ts';
import { fakeRunningPeer } from './support.ts';

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: NodeJS.Dict<string | string[]>;
}

let folder: string;
let file: string;
let address: LocalAddress;
let offered: AsyncDisposable;
const { peer, asked } = fakeRunningPeer();

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'murmure-api-'));
  file = join(folder, 'local-api.json');
  offered = await offerLocalApi({ peer, file, runBy: 'serve', directoryUrl: 'https://directory.example' });
  address = readAddressFile(file) as LocalAddress;
  asked.length = 0;
});
afterEach(async () => {
  await offered[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const bearer = () => ({ authorization: `Bearer ${address.token}` });
const json = { 'content-type': 'application/json' };

/** A request as it is, without what a client adds to be right. */
function send(
  method: string,
  path: string,
  headers: Record<string, string> = bearer(),
  body?: string | Uint8Array,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const { port } = new URL(address.url);
  const sent = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
    let text = '';
    response.on('data', (some) => {
      text += some;
    });
    const { statusCode: status = 0 } = response;
    // A stream that should not have been opened has no end.
    if (response.headers['content-type'] === 'application/x-ndjson') response.destroy();
    response.on('error', () => {});
    response.on('close', () => resolve({ status, body: text, headers: response.headers }));
  });
  sent.on('error', reject);
  sent.end(body);
  return promise;
}

const hostOf = () => new URL(address.url).host;

/** What Node's client would not send. */
function sendRaw(line: string, hosts: readonly string[]): Promise<Omit<Answer, 'headers'>> {
  const { promise, resolve, reject } = Promise.withResolvers<Omit<Answer, 'headers'>>();
  const socket = connect(Number(new URL(address.url).port), '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8');
  socket.on('data', (some) => {
    text += some;
  });
  socket.on('error', reject);
  socket.on('end', () => {
    const [head = '', body = ''] = text.split('\r\n\r\n');
    resolve({ status: Number(head.split(' ')[1]), body });
  });
  const headers = [`authorization: Bearer ${address.token}`, ...hosts.map((host) => `host: ${host}`)];
  socket.write(`${[line, ...headers].join('\r\n')}\r\n\r\n`);
  return promise;
}

const ROUTES = [
  ['GET', '/v1/status'],
  ['GET', '/v1/events'],
  ['GET', '/v1/peers/bob'],
  ['GET', '/v1/directory/peers'],
  ['POST', '/v1/wishes'],
  ['GET', '/v1/nothing'],
] as const;

describe.each(ROUTES)('%s %s is refused', (method, path) => {
  test.each([
    ['without a token', () => ({})],
    ['with another token', () => ({ authorization: `Bearer ${randomSecret()}` })],
    ['with a token that only begins like it', () => ({ authorization: `Bearer ${address.token.slice(0, -1)}` })],
    ['with the token in another scheme', () => ({ authorization: `Basic ${address.token}` })],
  ])('%s', async (_how, headers) => {
    const { status, body } = await send(method, path, headers());
    expect({ status, code: JSON.parse(body).error.code }).toEqual({ status: 401, code: 'authentication' });
    expect(asked).toEqual([]);
  });

  test.each([
    ['a name that leads here', { host: 'localhost' }],
    ['this address at another port', { host: '127.0.0.1:1' }],
    ['this address without a port', { host: '127.0.0.1' }],
    ['a name that an attacker has lead here', { host: 'rebound.example' }],
  ])('for a Host that is %s', async (_what, headers) => {
    const { status, body } = await send(method, path, { ...bearer(), ...headers });
    expect(status).toBe(403);
    expect(body).toContain('Host');
  });

  test('for two Host headers, and for a whole URL as the target', async () => {
    for (const [target, hosts] of [
      [path, [hostOf(), 'evil.example']],
      [path, ['evil.example', hostOf()]],
      [path, []],
      [`http://evil.example${path}`, [hostOf()]],
    ] as const) {
      const { status, body } = await sendRaw(`${method} ${target} HTTP/1.1`, hosts);
      expect({ target, hosts, status, code: JSON.parse(body).error.code }).toMatchObject({
        status: 403,
        code: 'authentication',
      });
    }
  });

  test.each([
    ['an Origin, its own as well', () => ({ origin: address.url })],
    ['an Origin of nowhere', () => ({ origin: 'null' })],
    ['Sec-Fetch-Site of another site', () => ({ 'sec-fetch-site': 'cross-site' })],
    ['Sec-Fetch-Site of an address that was typed', () => ({ 'sec-fetch-site': 'none' })],
  ])('with %s', async (_what, headers) => {
    const { status, body } = await send(method, path, { ...bearer(), ...headers() });
    expect(status).toBe(403);
    expect(body).toContain('web pages cannot use this server');
  });
});

test('a page elsewhere is told in no answer that it may read this one', async () => {
  const asking = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };
  for (const answer of [await send('OPTIONS', '/v1/wishes', asking), await send('GET', '/v1/status')]) {
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  }
});

test('what is no route, with the token: 404', async () => {
  expect(await send('GET', '/v1/nothing')).toMatchObject({ status: 404 });
  expect(await send('DELETE', '/v1/status')).toMatchObject({ status: 404 });
});

describe('a wish is refused', () => {
  const wish = { type: 'post.wanted', text: 'x', inReplyTo: null, ticket: 't' };
  test.each([
    ['that is larger than 128 KiB', JSON.stringify({ ...wish, text: 'x'.repeat(128 * 1024) }), json, 413],
    ['with a text longer than anybody could publish', JSON.stringify({ ...wish, text: 'x'.repeat(10_001) }), json, 400],
    ['with a text that is not well-formed', JSON.stringify({ ...wish, text: 'half \ud800' }), json, 400],
    [
      'with a text for later that is not well-formed',
      JSON.stringify({ ...wish, type: 'schedule.wanted', dueMs: 0, text: '\udc00' }),
      json,
      400,
    ],
    [
      'with a word that is not well-formed',
      JSON.stringify({ type: 'mark.wanted', kind: 'word', subject: '\ud800', marked: true, ticket: 't' }),
      json,
      400,
    ],
    [
      'with a name that is not well-formed',
      JSON.stringify({ type: 'follow.wanted', name: '\ud800', following: true, ticket: 't' }),
      json,
      400,
    ],
    ['that is no JSON', '{"type":', json, 400],
    ['that is not UTF-8', Buffer.from('{"type":"post.wanted","text":"\xff"}', 'latin1'), json, 400],
    ['of an unknown type', JSON.stringify({ type: 'peer.stop' }), json, 400],
    ['of the machines alone', JSON.stringify({ type: 'trust.changed', name: 'bob', atMs: 0 }), json, 400],
    ['with members that it has not', JSON.stringify({ ...wish, atMs: 0 }), json, 400],
    ['with a hash that is none', JSON.stringify({ ...wish, inReplyTo: 'ab' }), json, 400],
    [
      'with a key that is no point of the curve',
      JSON.stringify({ type: 'trust.wanted', name: 'bob', key: 'A'.repeat(86), ticket: 't' }),
      json,
      400,
    ],
    ...[-5, 1e300].map((dueMs): [string, string, Record<string, string>, number] => [
      `with a date that is none: ${dueMs}`,
      JSON.stringify({ ...wish, type: 'schedule.wanted', dueMs }),
      json,
      400,
    ]),
    [
      'to mute a word that is empty',
      JSON.stringify({ type: 'mark.wanted', kind: 'word', subject: ' ', marked: true, ticket: 't' }),
      json,
      400,
    ],
    ['as a form of a page could send it', JSON.stringify(wish), { 'content-type': 'text/plain' }, 415],
    ['without a type', JSON.stringify(wish), {}, 415],
    [
      'with more hashes than a thousand',
      JSON.stringify({ type: 'read.wanted', hashes: Array(1_001).fill('ab'.repeat(32)), ticket: '' }),
      json,
      400,
    ],
  ])('%s', async (_what, body, headers, status) => {
    expect((await send('POST', '/v1/wishes', { ...bearer(), ...headers }, body)).status).toBe(status);
    expect(asked).toEqual([]);
  });
});

test('a name that nobody can have: 400', async () => {
  expect(await send('GET', `/v1/peers/${encodeURIComponent('a\nb')}`)).toMatchObject({ status: 400 });
});

test.each([
  ['a path that is not in UTF-8', 'GET /v1/peers/%ff HTTP/1.1'],
  ['what is not HTTP', 'GET'],
])('%s: 400, told like everything else', async (_what, line) => {
  const { status, body } = await sendRaw(line, [hostOf()]);
  expect({ status, error: JSON.parse(body).error }).toMatchObject({ status: 400, error: { code: 'usage' } });
});

test('headers without end are cut off', async () => {
  const { status, body } = await send('GET', '/v1/status', { ...bearer(), 'x-long': 'x'.repeat(9_000) });
  expect({ status, error: JSON.parse(body).error }).toMatchObject({ status: 431, error: { code: 'usage' } });
});

test('of those who listen to events, the 33rd is refused, until one leaves', async () => {
  const api = new LocalApi(address);
  const listening = await Promise.all(
    Array.from({ length: 32 }, async () => {
      const stop = new AbortController();
      const one = new LocalApi(address);
      await one.events(stop.signal);
      return { one, stop };
    }),
  );
  await expect(api.events(new AbortController().signal)).rejects.toMatchObject({
    code: 'in-use',
    message: expect.stringContaining('32 programs are already listening'),
  });
  for (const { one, stop } of listening) {
    stop.abort();
    await one.close();
  }
  await api.close();
});

describe('the proof', () => {
  test('is given to whoever asks, for a nonce of 256 bits and nothing else', async () => {
    const nonce = randomSecret();
    const { status, body } = await send('POST', '/v1/proof', json, JSON.stringify({ nonce }));
    expect(status).toBe(200);
    expect(JSON.parse(body)).toEqual({ proof: proofOf(address.token, nonce, address.url) });
    for (const wrong of ['', 'short', `${nonce}x`, randomBytes(64).toString('base64url')]) {
      expect((await send('POST', '/v1/proof', json, JSON.stringify({ nonce: wrong }))).status).toBe(400);
    }
  });

  test('of another address is another: it cannot be had from one server for another', () => {
    expect(proofOf('token', 'nonce', 'http://127.0.0.1:1')).not.toBe(proofOf('token', 'nonce', 'http://127.0.0.1:2'));
  });
});

describe('a client', () => {
  /** Somebody who has taken the port of a process that was killed: what it hears, and answers. */
  async function impostor(answer: string) {
    const heard: string[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (some) => {
        body += some;
      });
      request.on('end', () => {
        heard.push(`${request.url} ${JSON.stringify(request.headers)} ${body}`);
        response.setHeader('content-type', 'application/json');
        response.end(answer);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const taken = { ...address, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
    writeFileSync(file, JSON.stringify(taken));
    return { heard, taken };
  }

  test.each([
    ['that answers with a proof by another secret', JSON.stringify({ proof: randomSecret() })],
    ['that answers with something else', '{"proof":"yes"}'],
    ['that speaks no JSON', '<html>'],
  ])('sends its token to nobody %s, and takes the peer for gone', async (_who, answer) => {
    const { heard, taken } = await impostor(answer);
    expect(await findLocalApi(file)).toBeUndefined();
    expect(heard).toHaveLength(1);
    expect(heard[0]).toContain('/v1/proof');
    expect(heard.join()).not.toContain(taken.token);
  });

  test('notices that nobody is there any more: the process was killed, and its file is left', async () => {
    const kept = readFileSync(file);
    await offered[Symbol.asyncDispose]();
    writeFileSync(file, kept);
    expect(await findLocalApi(file)).toBeUndefined();
  });

  test('takes the peer for gone if its process is, though somebody silent has its port', async () => {
    const silent = createTcpServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void silent.close());
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const { pid: gone } = spawnSync(process.execPath, ['--version']);
    writeFileSync(file, JSON.stringify({ ...address, url, process: gone }));
    expect(await findLocalApi(file)).toBeUndefined();
  }, 20_000);

  test.each([
    ['empty', ''],
    ['no JSON', '{'],
    ['of another version', '{"api":2}'],
    [
      'with an address elsewhere',
      JSON.stringify({ api: 1, url: 'http://192.0.2.1:80', token: randomSecret(), process: 1 }),
    ],
    [
      'with an address that only begins with ours',
      JSON.stringify({ api: 1, url: 'http://127.0.0.1:80@evil.example', token: randomSecret(), process: 1 }),
    ],
  ])('follows no file that is %s', async (_what, text) => {
    writeFileSync(file, text);
    expect(await findLocalApi(file)).toBeUndefined();
  });
});

describe('the file', () => {
  test('is for its owner only, whatever was there before, and goes with the API', async () => {
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await offered[Symbol.asyncDispose]();
    expect(() => statSync(file)).toThrow('ENOENT');
    writeFileSync(file, 'left', { mode: 0o666 });
    writeFileSync(`${file}.part`, 'left', { mode: 0o666 });
    await using again = await offerLocalApi({ peer, file, runBy: 'serve', directoryUrl: '' });
    expect(again).toBeDefined();
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('has another token at each start, of 256 bits', async () => {
    expect(Buffer.from(address.token, 'base64url')).toHaveLength(32);
    await using _again = await offerLocalApi({ peer, file, runBy: 'serve', directoryUrl: '' });
    const other = readAddressFile(file);
    expect(other?.token).not.toBe(address.token);
    // Who ends first leaves the other's file alone.
    await offered[Symbol.asyncDispose]();
    expect(readAddressFile(file)).toEqual(other);
  });
});

test('it listens on the loopback address alone', async () => {
  const { port } = new URL(address.url);
  const refused = await new Promise<string>((resolve) => {
    const socket = connect(Number(port), '127.0.0.2');
    socket.on('error', ({ message }) => resolve(message));
    socket.on('connect', () => resolve('connected'));
  });
  expect(refused).toContain('ECONNREFUSED');
});

test('no route returns key material, or the token', async () => {
  const paths = ['/v1/status', '/v1/peers/bob', '/v1/directory/peers'];
  const texts = await Promise.all(paths.map(async (path) => (await send('GET', path)).body));
  for (const text of texts) {
    expect(text).not.toContain(address.token);
    expect(text).not.toMatch(/PRIVATE|keyPair|secret|token|passphrase/i);
  }
  expect(texts[0]).toContain('"publicKey"');
});
