import { randomUUID } from 'node:crypto';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { generate } from 'selfsigned';
import { afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { generateKeyPair } from '../../../src/identity/key-pair.ts';
import { type PublicKey, publicKeyBytes } from '../../../src/identity/public-key.ts';
import { readNames, readPeers } from '../../../src/peer/directory-answers.ts';
import { createDirectoryHttp, type DirectoryHttp, type DirectoryHttpClient } from '../../../src/peer/directory-http.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { MurmureError } from '../../../src/wire/murmure-error.ts';
import { eventually } from '../../support/eventually.ts';

interface Certificate {
  readonly cert: string;
  readonly key: string;
}

interface Asked {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly body: string;
}

const today = new Date().toISOString().slice(0, 10);
const closers: (() => Promise<unknown>)[] = [];
let trusted: Certificate;
let key: PublicKey;

beforeAll(async () => {
  trusted = await certify('localhost');
  key = (await generateKeyPair()).publicKey;
});

afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

/** A self-signed certificate, its subject its own, for `host`; for 127.0.0.1 as well if that is localhost. */
async function certify(host: string, dates: { notBeforeDate?: Date; notAfterDate?: Date } = {}): Promise<Certificate> {
  const names = host === 'localhost' ? [{ type: 7 as const, ip: '127.0.0.1' }] : [];
  const extensions = [{ name: 'subjectAltName' as const, altNames: [{ type: 2 as const, value: host }, ...names] }];
  const options = { keyType: 'ec' as const, algorithm: 'sha256', extensions, ...dates };
  const { cert, private: secret } = await generate([{ name: 'commonName', value: randomUUID() }], options);
  return { cert, key: secret };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

async function serve(listener: RequestListener, options: ServerOptions = trusted): Promise<string> {
  const server = createServer(options, listener);
  const port = await listen(server);
  closers.unshift(async () => server.closeAllConnections());
  return `https://127.0.0.1:${port}`;
}

type Reply = {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
};

/** A directory that gives one and the same answer, and what it was asked. */
async function answering(reply: Reply): Promise<{ http: DirectoryHttpClient; url: string; asked: Asked[] }> {
  const asked: Asked[] = [];
  const url = await serve(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    asked.push({ method: request.method, path: request.url, body });
    response.writeHead(reply.status ?? 200, reply.headers).end(reply.body);
  });
  return { http: createDirectoryHttp({ url, ca: trusted.cert, timeoutMs: 60_000 }), url, asked };
}

const json = (value: unknown): Reply => ({ body: JSON.stringify(value) });

async function failure(promise: Promise<unknown>): Promise<MurmureError> {
  const error = await promise.then(
    () => expect.unreachable('it did not fail'),
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(MurmureError);
  expect(error.message).not.toContain('\n');
  return error;
}

const createFailure = (url: string, ca?: string) => failure((async () => createDirectoryHttp({ url, ca }))());

describe('GET /udp-address', () => {
  test('gives the addresses in their order', async () => {
    const { http, asked } = await answering(
      json([
        { ip: '192.0.2.1', port: 8443 },
        { ip: '2001:db8::1', port: 8443 },
      ]),
    );
    expect(await http.udpAddresses()).toEqual([
      { ip: '192.0.2.1', port: 8443 },
      { ip: '2001:db8::1', port: 8443 },
    ]);
    expect(asked).toEqual([{ method: 'GET', path: '/udp-address', body: '' }]);
  });

  test('drops what is no usable address, and repeats', async () => {
    const entries = [
      ...[null, 1, 'x', [], {}, { ip: '192.0.2.1' }, { ip: 1, port: 1 }, { ip: 'nowhere', port: 1 }],
      ...[0, -1, 1.5, 65_536, '1', null].map((port) => ({ ip: '192.0.2.1', port })),
      ...['0.0.0.0', '::', '224.0.0.1', '239.1.1.1', '255.255.255.255', 'ff02::1'].map((ip) => ({ ip, port: 1 })),
      { ip: '::ffff:192.0.2.9', port: 9 },
      { IP: '192.0.2.9', Port: 9, zone: '' },
      { ip: '2001:DB8:0::1', port: 9 },
    ];
    const { http } = await answering(json(entries));
    expect(await http.udpAddresses()).toEqual([
      { ip: '192.0.2.9', port: 9 },
      { ip: '2001:db8::1', port: 9 },
    ]);
  });

  test('gives 32 addresses at most: each gets datagrams from us', async () => {
    const { http } = await answering(json(Array.from({ length: 500 }, (_, i) => ({ ip: '192.0.2.1', port: i + 1 }))));
    expect(await http.udpAddresses()).toHaveLength(32);
  });

  test.each([[[]], [null], [[{ ip: 'nowhere', port: 1 }]]])('%j: none is an error', async (entries) => {
    const { http, url } = await answering(json(entries));
    const error = await failure(http.udpAddresses());
    expect(error.code).toBe('invalid-data');
    expect(error.message).toContain(`${url}/udp-address: there is no usable UDP address in it;`);
  });

  test.each([
    ['a page', { body: '<!doctype html>' }],
    ['nothing', {}],
    ['an object', json({ ip: '192.0.2.1', port: 1 })],
    ['invalid UTF-8', { body: Uint8Array.of(0x22, 0xff, 0x22) }],
    ['deep nesting', { body: '['.repeat(60_000) }],
    ['404', { status: 404, body: 'not found' }],
    ['401', { status: 401 }],
  ])('%s: not a directory', async (_, reply) => {
    const { http, url } = await answering(reply);
    const error = await failure(http.udpAddresses());
    expect(error.code).toBe('directory-unreachable');
    expect(error.message).toContain(`what answers at ${url}/udp-address is not a murmure directory: it answered `);
  });
});

describe('GET /server-key', () => {
  test('gives the key', async () => {
    const { http } = await answering({ body: publicKeyBytes(key) });
    expect(await http.serverKey()).toBe(key);
  });

  test('404: the directory does not sign', async () => {
    const { http } = await answering({ status: 404, body: 'no key' });
    expect(await http.serverKey()).toBeUndefined();
  });

  test.each([
    ['too short', new Uint8Array(63)],
    ['too long', new Uint8Array(65)],
    ['empty', new Uint8Array(0)],
    ['not a point', new Uint8Array(64).fill(7)],
  ])('%s: invalid data, not "no key"', async (_, body) => {
    const { http, url } = await answering({ body });
    const error = await failure(http.serverKey());
    expect(error.code).toBe('invalid-data');
    expect(error.message).toContain(`invalid answer at ${url}/server-key: `);
  });
});

describe('POST /register', () => {
  test('sends name and key', async () => {
    const { http, asked } = await answering({ status: 204 });
    await http.register('Zoé "x"', key);
    await http.register('keyless', undefined);
    expect(asked.map(({ method, path, body }) => [method, path, JSON.parse(body)])).toEqual([
      ['POST', '/register', { name: 'Zoé "x"', key }],
      ['POST', '/register', { name: 'keyless' }],
    ]);
  });

  test('a name that has another key', async () => {
    const { http } = await answering({ status: 400, body: 'add peer:bad key\n' });
    const error = await failure(http.register('alice', key));
    expect(error.code).toBe('authentication');
    expect(error.message).toMatch(
      /^the name alice is taken by another key at https:\S+; use .*or choose another name$/,
    );
  });

  test('another refusal is quoted, made safe to show', async () => {
    const { http } = await answering({ status: 400, body: `no\u001b[31m such\u202e\nluck${'!'.repeat(5_000)}` });
    const error = await failure(http.register('alice', key));
    expect(error.code).toBe('invalid-data');
    expect(error.message).toContain('"no such luck!!');
    expect(error.message.length).toBeLessThan(400);
  });

  test.each(['', 'a/b', 'a\nb', '\ud800', 'x'.repeat(256)])('the name %j is not even sent', async (name) => {
    const { http, asked } = await answering({ status: 204 });
    expect((await failure(http.register(name, key))).code).toBe('usage');
    expect(asked).toEqual([]);
  });
});

describe('GET /peers?format=json', () => {
  const addresses = [{ ip: '192.0.2.1', port: 1 }];

  test('gives everybody, with addresses and keys, in one request', async () => {
    const names = Array.from({ length: 2_000 }, (_, i) => `peer${i}`);
    const { http, asked } = await answering(json({ peers: names.map((name) => ({ name, addresses, key })) }));
    expect(await http.peers()).toEqual(names.map((name) => ({ name, addresses, key })));
    expect(asked).toEqual([{ method: 'GET', path: '/peers?format=json', body: '' }]);
  });

  test.each([[{ peers: [] }], [{ peers: null }], [{ Peers: [], more: 1 }]])('%j: nobody', async (answer) => {
    const { http } = await answering(json(answer));
    expect(await http.peers()).toEqual([]);
  });

  test('leaves out names that are none, keys that are none and repeats', async () => {
    const { http } = await answering(
      json({
        peers: [
          { name: 'alice', addresses },
          { name: 'a/b', addresses },
          { name: 'x'.repeat(256), addresses },
          { addresses },
          { name: 'mallory', addresses, key: 'AAAA' },
          { username: 'bob', addresses: null },
          { name: 'alice', addresses: [] },
        ],
      }),
    );
    expect(await http.peers()).toEqual([
      { name: 'alice', addresses },
      { name: 'bob', addresses: [] },
    ]);
  });

  test('reads 100,000 peers at most', async () => {
    const { http } = await answering(
      json({ peers: Array.from({ length: 100_002 }, (_, i) => ({ name: `p${i}`, addresses: [] })) }),
    );
    expect(await http.peers()).toHaveLength(100_000);
  });

  test('an answer of any size is not taken', async () => {
    const { http } = await answering({ body: new Uint8Array(32 * 1024 * 1024 + 1).fill(10) });
    expect((await failure(http.peers())).code).toBe('invalid-data');
  });

  test.each([
    ['a web page', { headers: { 'content-type': 'text/html' }, body: '<html>\n<p>Welcome\n' }, 'a web page'],
    ['a page of unknown type', { body: '</p>\n</div>\n</body>\n</html>\nx' }, 'what is not a list of names'],
    ['bytes', { body: Uint8Array.of(1, 2, 0xff, 0xfe) }, 'what is not text'],
    ['control characters', { body: '\u0001\n\u0002\n' }, 'what is not a list of names'],
    ['another object', json({ error: 'none' }), 'JSON that is no list of peers'],
    ['peers that are none', json({ peers: [1, 2] }), 'JSON that is no list of peers'],
    ['an array', json([]), 'JSON that is no list of peers'],
  ])('%s: no directory, rather than nobody', async (_, reply, why) => {
    const { http } = await answering(reply);
    for (const question of [http.peers(), http.peer('alice'), http.peer('bob')].map(failure)) {
      const { code, message } = await question;
      expect(['directory-unreachable', 'invalid-data']).toContain(code);
      expect(message).not.toContain('\u0001');
    }
    const error = await failure(http.peers());
    expect(error.code).toBe('directory-unreachable');
    expect(error.message).toContain(`is not a murmure directory: it answered ${why}; check`);
  });
});

/** A directory as of 2022, which knows neither `format` nor `name`: `list` is what it says to `/peers?…`. */
async function foreign(names: readonly string[], list?: Reply): Promise<{ http: DirectoryHttp; asked: string[] }> {
  const asked: string[] = [];
  const url = await serve(({ url = '' }, response) => {
    asked.push(url);
    const text = names.map((name) => `${name}\n`).join('');
    const one = decodeURIComponent(url.slice('/peers/'.length));
    const lists = { status: 200, body: text, ...(url.includes('?') ? list : undefined) };
    if (url.startsWith('/peers?') || url === '/peers/') response.writeHead(lists.status).end(lists.body);
    else if (names.includes(one))
      response.end(JSON.stringify({ name: one, addresses: [{ ip: '192.0.2.1', port: 1 }] }));
    else response.writeHead(404).end();
  });
  return { http: createDirectoryHttp({ url, ca: trusted.cert }), asked };
}

const namesOf = (peers: readonly ({ name: string } | undefined)[]) => peers.map((peer) => peer?.name);

describe.each([
  ['gives its text list', undefined],
  ['answers 404', { status: 404, body: 'not found' }],
  ['answers 400', { status: 400, body: 'bad request' }],
])('a directory without those routes, which %s', (_, list) => {
  test('is asked for its list, and name by name', async () => {
    const { http, asked } = await foreign(['alice', 'Zoé'], list);
    expect(namesOf(await http.peers())).toEqual(['alice', 'Zoé']);
    expect(asked.filter((path) => !path.includes('?')).filter((path) => path !== '/peers/')).toEqual([
      '/peers/alice',
      '/peers/Zo%C3%A9',
    ]);
  });

  test('is remembered as one when several names are looked up', async () => {
    const { http, asked } = await foreign(['alice'], list);
    const look = async () => namesOf(await Promise.all(['alice', 'bob'].map((name) => http.peer(name))));
    expect(await look()).toEqual(['alice', undefined]);
    expect(await look()).toEqual(['alice', undefined]);
    expect(asked).toEqual([
      '/peers?format=json&name=alice&name=bob',
      ...['/peers/alice', '/peers/bob', '/peers/alice', '/peers/bob'],
    ]);
  });

  test('of 1,000 names, only those on its list are asked about', async () => {
    const { http, asked } = await foreign(['peer7', 'peer8'], list);
    const found = await Promise.all(Array.from({ length: 1_000 }, (_, i) => http.peer(`peer${i}`)));
    expect(namesOf(found.filter((peer) => peer !== undefined))).toEqual(['peer7', 'peer8']);
    expect(asked).toHaveLength(4);
  });
});

test.each(['[', '[],', '{"a":', '1,'])('a large answer made of %j is refused before it is parsed', (part) => {
  const parse = vi.spyOn(JSON, 'parse');
  onTestFinished(() => parse.mockRestore());
  const bytes = Buffer.from(`{"peers":[${part.repeat(2_000_000)}`);
  expect([readPeers(bytes).ok, readNames(bytes).ok]).toEqual([false, false]);
  expect(parse).not.toHaveBeenCalled();
});

describe('a text list', () => {
  test.each([
    ['nobody', '', []],
    ['no newline at the end, CRLF', 'alice\r\nbob', ['alice', 'bob']],
    ['invalid names and repeats', `\nalice\na/b\na\u0000b\n${'x'.repeat(256)}\nalice\nbob\n`, ['alice', 'bob']],
    ['names that look like JSON', '[\n{"a"}\nnull\n12', ['[', '{"a"}', 'null', '12']],
  ])('%s', (_, body, names) => {
    expect(readNames(Buffer.from(body))).toEqual({ ok: true, value: names });
  });

  test('is read up to 100,000 names', () => {
    const read = readNames(Buffer.from(Array.from({ length: 120_000 }, (_, i) => `peer${i}\n`).join('')));
    expect(read.ok && read.value).toHaveLength(100_000);
  });
});

describe('GET /peers?format=json&name=…', () => {
  const addresses = [{ ip: '192.0.2.1', port: 1 }];
  const odd = ['Zoé ?&#%', 'a=b+c', '日本'];

  test('look-ups made together are one request', async () => {
    const { http, asked } = await answering(
      json({
        peers: [
          { name: odd[0], addresses, key },
          { name: odd[2], addresses },
        ],
      }),
    );
    expect(await Promise.all(odd.map((name) => http.peer(name)))).toStrictEqual([
      { name: odd[0], addresses, key },
      undefined,
      { name: odd[2], addresses },
    ]);
    expect(asked).toHaveLength(1);
    const query = new URLSearchParams(asked[0]?.path?.split('?')[1]);
    expect([query.getAll('format'), query.getAll('name')]).toEqual([['json'], odd]);
  });

  test('names that nobody asked for are left aside; a key that is none concerns its name only', async () => {
    const peers = [
      { name: 'mallory', addresses },
      { name: 'alice', addresses, key: 'AAAA' },
      { name: 'bob', addresses },
    ];
    const { http } = await answering(json({ peers }));
    const [alice, bob, carol] = [failure(http.peer('alice')), http.peer('bob'), http.peer('carol')];
    expect((await alice).code).toBe('invalid-data');
    expect(await bob).toEqual({ name: 'bob', addresses });
    expect(await carol).toBeUndefined();
  });

  test('a thousand look-ups take no more than eight connections, and ten requests', async () => {
    const server = await counting(json({ peers: [] }));
    const found = await Promise.all(Array.from({ length: 1_000 }, (_, i) => server.http.peer(`peer${i}`)));
    expect(found.every((peer) => peer === undefined)).toBe(true);
    expect(server.requests()).toBe(10);
    expect(server.connections()).toBeLessThanOrEqual(8);
  });

  test('whatever is asked, there are at most eight connections', async () => {
    const server = await counting(json([{ ip: '192.0.2.1', port: 1 }]));
    await Promise.all(Array.from({ length: 100 }, () => server.http.udpAddresses()));
    expect(server.requests()).toBe(100);
    expect(server.connections()).toBeLessThanOrEqual(8);
  });
});

/** A directory that counts its connections and requests. */
async function counting(reply: Reply) {
  let connections = 0;
  let requests = 0;
  const server = createServer(trusted, (_, response) => {
    requests += 1;
    response.end(reply.body);
  });
  server.on('connection', () => {
    connections += 1;
  });
  const port = await listen(server);
  closers.unshift(async () => server.closeAllConnections());
  const http = createDirectoryHttp({ url: `https://127.0.0.1:${port}`, ca: trusted.cert });
  return { http, connections: () => connections, requests: () => requests };
}

describe('GET /peers?format=json&changes=only&since=…', () => {
  const address = { ip: '192.0.2.1', port: 1 };
  const changed = {
    cursor: 'run.2',
    complete: false,
    peers: [{ name: 'alice', addresses: [address] }],
    removed: ['bob'],
  };

  test('gives who changed, who left, and the next cursor', async () => {
    const { http, asked } = await answering(json(changed));
    expect(await http.changes('run 1')).toEqual({
      cursor: 'run.2',
      isExpired: false,
      peers: [{ name: 'alice', addresses: [address] }],
      removed: ['bob'],
    });
    expect(asked.map(({ path }) => path)).toEqual(['/peers?format=json&changes=only&since=run%201']);
  });

  test.each([
    ['says so', { expired: true }],
    ['is answered with all peers', { complete: true }],
  ])('a cursor that has expired %s: only the next one counts', async (_, change) => {
    const { http } = await answering(json({ ...changed, ...change }));
    expect(await http.changes('run.1')).toEqual({ cursor: 'run.2', isExpired: true, peers: [], removed: [] });
  });

  test('more changes than are worth reading are like an expired cursor', async () => {
    const asked: (string | undefined)[] = [];
    const url = await serve(({ url: path }, response) => {
      asked.push(path);
      const isFirst = path?.endsWith('since=run.1');
      response.end(isFirst ? ' '.repeat(256 * 1024 + 1) : JSON.stringify({ ...changed, expired: true }));
    });
    const http = createDirectoryHttp({ url, ca: trusted.cert });
    expect(await http.changes('run.1')).toMatchObject({ cursor: 'run.2', isExpired: true });
    expect(asked).toHaveLength(2);
  });

  test.each([
    ['gives its text list', { body: 'alice\nbob\n' }],
    ['gives a long one', { body: 'alice\n'.repeat(50_000) }],
    ['answers 404', { status: 404, body: 'not found' }],
    ['answers 400', { status: 400, body: 'bad request' }],
    ['gives no cursor', json({ ...changed, cursor: undefined })],
    ['gives an endless cursor', json({ ...changed, cursor: 'x'.repeat(201) })],
  ])('a directory that %s has no cursors, and is not asked again', async (_, reply) => {
    const { http, asked } = await answering(reply);
    for (let i = 0; i < 3; i++) expect(await http.changes('')).toBeUndefined();
    expect(asked).toHaveLength(1);
  });

  test.each([
    ['is out of order', { status: 500 }],
    ['is a web page just now', { headers: { 'content-type': 'text/html' }, body: '<html>' }],
  ])('a directory that %s is asked again', async (_, reply) => {
    const { http, asked } = await answering(reply);
    for (let i = 0; i < 2; i++) expect((await failure(http.changes(''))).code).toBe('directory-unreachable');
    expect(asked).toHaveLength(2);
  });
});

describe('GET /peers/NAME', () => {
  const addresses = [{ ip: '192.0.2.1', port: 1 }];

  test.each([
    ['as specified', { name: 'alice', addresses, key: 'KEY' }, true],
    ['`username`', { username: 'alice', addresses, key: 'KEY' }, true],
    ['any letter case', { Name: 'alice', ADDRESSES: [{ Ip: '192.0.2.1', PORT: 1 }], Key: 'KEY' }, true],
    ['a padded key', { name: 'alice', addresses, key: 'KEY==' }, true],
    ['no name', { addresses, key: 'KEY' }, true],
    ['unknown members', { name: 'alice', addresses, key: 'KEY', __proto__x: 1, more: {} }, true],
    ['no key', { name: 'alice', addresses }, false],
    ['an empty key', { name: 'alice', addresses, key: '' }, false],
    ['a null key', { name: 'alice', addresses, key: null }, false],
  ])('%s', async (_, answer, hasKey) => {
    const { http } = await answering({ body: JSON.stringify(answer).replace('KEY', key) });
    expect(await http.peer('alice')).toStrictEqual(
      hasKey ? { name: 'alice', addresses, key } : { name: 'alice', addresses },
    );
  });

  test.each([[[]], [null]])('addresses %j: a peer without any', async (none) => {
    const { http } = await answering(json({ name: 'alice', addresses: none }));
    expect(await http.peer('alice')).toStrictEqual({ name: 'alice', addresses: [] });
  });

  test('404: not listed', async () => {
    const { http } = await answering({ status: 404 });
    expect(await http.peer('alice')).toBeUndefined();
  });

  test.each([
    ['a key that is none', { name: 'alice', addresses, key: 'A'.repeat(86) }],
    ['a short key', { name: 'alice', addresses, key: 'AAAA' }],
    ['a key of another type', { name: 'alice', addresses, key: 1 }],
    ['another name', { name: 'mallory', addresses }],
    ['a list', []],
    ['a number', 1],
    ['no addresses', { name: 'alice' }],
  ])('%s: invalid data', async (_, answer) => {
    const { http } = await answering(json(answer));
    expect((await failure(http.peer('alice'))).code).toBe('invalid-data');
  });

  test.each(['Zoé ?&#%', '100%', 'a\\b', '日本', ' '])('percent-encodes the name %j', async (name) => {
    const { http, asked } = await answering(json({ name, addresses }));
    expect(await http.peer(name)).toEqual({ name, addresses });
    expect(decodeURIComponent(asked[0]?.path ?? '')).toBe(`/peers/${name}`);
  });

  test.each(['', '.', '..', 'a/b', '\ud800'])('does not ask for %j, which would be another path', async (name) => {
    const { http, asked } = await answering(json({ addresses }));
    expect(await http.peer(name)).toBeUndefined();
    expect(asked).toEqual([]);
  });
});

describe('limits', () => {
  test('an endless answer is cut off', async () => {
    let isCutOff = false;
    const url = await serve((_, response) => {
      const more = setInterval(() => response.write(new Uint8Array(8_192)), 1);
      response.on('close', () => {
        clearInterval(more);
        isCutOff = true;
      });
    });
    const error = await failure(createDirectoryHttp({ url, ca: trusted.cert }).udpAddresses());
    expect(error.code).toBe('invalid-data');
    expect(error.message).toContain('it is longer than 65536 bytes');
    await eventually(() => expect(isCutOff).toBe(true));
  });

  test('a compressed answer is measured unpacked', async () => {
    const headers = { 'content-encoding': 'gzip' };
    const { http } = await answering({ headers, body: gzipSync(new Uint8Array(50_000_000)) });
    expect((await failure(http.peer('alice'))).message).toContain('it is longer than 65536 bytes');
  });

  test.each([
    ['no answer at all', () => {}],
    ['an answer that never ends', (_: unknown, response: { write(text: string): void }) => response.write('[')],
  ])('%s: timed out', async (_, listener) => {
    const url = await serve(listener as RequestListener);
    const error = await failure(createDirectoryHttp({ url, ca: trusted.cert, timeoutMs: 100 }).udpAddresses());
    expect(error.code).toBe('directory-unreachable');
    expect(error.message).toContain(`${url}/udp-address: it timed out after 0.1 s; check`);
  });

  test.each([301, 302, 307, 308])('%d: redirects are refused, to the same origin and to others', async (status) => {
    for (const location of ['/elsewhere', 'http://127.0.0.1:1/', 'file:///', '']) {
      const { http, asked } = await answering({ status, headers: { location } });
      const error = await failure(http.udpAddresses());
      expect(error.code).toBe('directory-unreachable');
      expect(error.message).toMatch(/it redirects to \S+; redirects are not followed/);
      expect(asked).toHaveLength(1);
    }
  });
});

describe('giving up', () => {
  test('an abort ends the question, before and while it is answered', async () => {
    const controller = new AbortController();
    const url = await serve((_, response) => void response.write('[', () => controller.abort()));
    const http = createDirectoryHttp({ url, ca: trusted.cert });
    expect((await failure(http.udpAddresses(controller.signal))).code).toBe('interrupted');
    expect((await failure(http.peers(controller.signal))).code).toBe('interrupted');
  });

  test('a MurmureError as the reason is passed on', async () => {
    const reason = new MurmureError('peer-unreachable', 'it took too long');
    const http = createDirectoryHttp({ url: 'https://127.0.0.1:1' });
    expect(await failure(http.udpAddresses(AbortSignal.abort(reason)))).toBe(reason);
  });
});

describe('a directory that cannot be reached', () => {
  const ask = (url: string, ca?: string) => failure(createDirectoryHttp({ url, ca }).udpAddresses());

  test('nobody listens', async () => {
    const server = createTcpServer();
    const port = await listen(server);
    await Promise.all(closers.splice(0).map((close) => close()));
    const error = await ask(`https://127.0.0.1:${port}`);
    expect(error.code).toBe('directory-unreachable');
    expect(error.message).toBe(
      `the directory cannot be reached at https://127.0.0.1:${port}/udp-address: the connection was refused; check the URL, and that the directory runs`,
    );
    expect((await ask(`https://localhost:${port}`)).message).toContain('the connection was refused');
  });

  test('the name is not resolved', async () => {
    const error = await ask('https://directory.invalid');
    expect(error.code).toBe('directory-unreachable');
    expect(error.message).toContain('https://directory.invalid/udp-address: its host name cannot be resolved; check');
  });

  test('its certificate is not trusted, until it is given', async () => {
    const own = await certify('localhost');
    const url = await serve((_, response) => response.end('[{"ip":"192.0.2.1","port":1}]'), own);
    const error = await ask(url);
    expect(error.code).toBe('directory-unreachable');
    expect(error.message).toContain('its certificate is not trusted; if you trust it, pass its certificate with --ca');
    expect(await createDirectoryHttp({ url, ca: own.cert }).udpAddresses()).toHaveLength(1);
  });

  test('a PEM file with several certificates: all are trusted', async () => {
    const [one, other] = [await certify('localhost'), await certify('localhost')];
    const url = await serve((_, response) => response.end('[{"ip":"192.0.2.1","port":1}]'), other);
    const http = createDirectoryHttp({ url, ca: `# two of them\n${one.cert}\n${other.cert}` });
    expect(await http.udpAddresses()).toHaveLength(1);
  });

  test('its certificate is trusted by the client that it was given to, and by nobody else', async () => {
    const own = await certify('localhost');
    const url = await serve((_, response) => response.end('[{"ip":"192.0.2.1","port":1}]'), own);
    expect(await createDirectoryHttp({ url, ca: own.cert }).udpAddresses()).toHaveLength(1);
    expect((await ask(url)).message).toContain('its certificate is not trusted');
    expect((await ask(url, trusted.cert)).message).toContain('its certificate is not trusted');
    await expect(fetch(url)).rejects.toThrow();
  });

  test.each([
    [
      'for another host',
      'elsewhere.example',
      {},
      'is for another host name; use a host name that it was made for (elsewhere.example)',
    ],
    [
      'expired',
      'localhost',
      { notBeforeDate: new Date('2020-01-01'), notAfterDate: new Date('2021-01-01') },
      `has expired; check this computer's clock, which says ${today}, or ask`,
    ],
    [
      'not valid yet',
      'localhost',
      { notBeforeDate: new Date('2100-01-01'), notAfterDate: new Date('2101-01-01') },
      `is not valid yet; check this computer's clock, which says ${today}`,
    ],
  ])('its certificate is %s', async (_, host, dates, message) => {
    const own = await certify(host, dates);
    const error = await ask(await serve(() => {}, own), own.cert);
    expect(error.code).toBe('directory-unreachable');
    expect(error.message).toContain(`its certificate ${message}`);
  });

  test('it speaks HTTP without TLS', async () => {
    const port = await listen(createHttpServer((_, response) => response.end('hello')));
    const error = await ask(`https://127.0.0.1:${port}`);
    expect(error.code).toBe('directory-unreachable');
    expect(error.message).toContain('it does not speak TLS as expected; check');
  });

  test('it closes the connection, at once or amid its answer', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/udp-address') request.socket.destroy();
      else response.writeHead(200, { 'content-length': '100' }).write('alice\n', () => request.socket.destroy());
    });
    const http = createDirectoryHttp({ url, ca: trusted.cert });
    expect((await failure(http.udpAddresses())).message).toContain('it closed the connection; check');
    expect((await failure(http.peers())).message).toContain('it closed the connection; check');
  });

  test('it speaks something else over TLS', async () => {
    const url = await serve((request) => void request.socket.end('SSH-2.0-x\r\n\r\n'));
    const error = await ask(url, trusted.cert);
    expect(error.code).toBe('directory-unreachable');
    expect(error.message).toContain('it does not speak HTTP as expected; check');
  });

  test.each([
    [500, 'it answered 500; try again later'],
    [503, 'it answered 503; try again later'],
    [429, 'it was asked too often and answered 429; wait'],
  ])('it answers %d, to every question', async (status, message) => {
    const { http, asked } = await answering({ status, body: 'x' });
    const questions = [http.udpAddresses(), http.serverKey(), http.register('a', key), http.peers(), http.peer('a')];
    for (const question of questions.map(failure)) {
      expect(await question).toMatchObject({
        code: 'directory-unreachable',
        message: expect.stringContaining(message),
      });
    }
    expect(asked).toHaveLength(questions.length);
  });
});

describe('asking again', () => {
  const ADDRESSES = '[{"ip":"192.0.2.1","port":1}]';

  /** Gives one reply after the other, then addresses; how often it was asked. */
  async function replying(replies: readonly (Reply | 'hang up')[]) {
    let asked = 0;
    const url = await serve((request, response) => {
      const reply = replies[asked++] ?? { body: ADDRESSES };
      if (reply === 'hang up') request.socket.destroy();
      else response.writeHead(reply.status ?? 200, reply.headers).end(reply.body);
    });
    return { http: createDirectoryHttp({ url, ca: trusted.cert }), asked: () => asked };
  }

  test('a connection that turns out to be closed', async () => {
    const { http, asked } = await replying(['hang up']);
    expect(await http.udpAddresses()).toHaveLength(1);
    expect(asked()).toBe(2);
  });

  test.each([429, 503])('%d that says how few seconds to wait', async (status) => {
    const { http, asked } = await replying([{ status, headers: { 'retry-after': '0' } }]);
    expect(await http.udpAddresses()).toHaveLength(1);
    expect(asked()).toBe(2);
  });

  test('no more than twice', async () => {
    const busy = { status: 429, headers: { 'retry-after': '0' } };
    const { http, asked } = await replying(Array(9).fill(busy));
    expect((await failure(http.udpAddresses())).message).toContain('answered 429');
    expect(asked()).toBe(3);
  });

  test.each(['3600', '6', '-1', 'soon', 'Wed, 21 Oct 2099 07:28:00 GMT'])('not after %j', async (wait) => {
    const { http, asked } = await replying([{ status: 429, headers: { 'retry-after': wait } }]);
    expect((await failure(http.udpAddresses())).message).toContain('answered 429');
    expect(asked()).toBe(1);
  });
});

describe('what else is seen of the directory', () => {
  test('how far its clock is ahead', async () => {
    const clock = { ...systemClock, now: () => Date.UTC(1970, 0, 1) };
    const url = await serve((_, response) =>
      response.setHeader('date', 'Fri, 02 Jan 1970 00:00:00 GMT').end('[{"ip":"192.0.2.1","port":1}]'),
    );
    const http = createDirectoryHttp({ url, ca: trusted.cert, clock });
    expect(http.clockOffsetMs).toBeUndefined();
    await http.udpAddresses();
    expect(http.clockOffsetMs).toBe(24 * 60 * 60 * 1000);
  });

  test('nothing, where its date is none', async () => {
    const { http } = await answering({ headers: { date: 'yesterday' }, body: '[{"ip":"192.0.2.1","port":1}]' });
    await http.udpAddresses();
    expect(http.clockOffsetMs).toBeUndefined();
  });

  test('when its certificate expires, but not of one that is not trusted', async () => {
    const own = await certify('localhost', { notAfterDate: new Date('2099-01-02T03:04:05Z') });
    const url = await serve((_, response) => response.writeHead(404).end(), own);
    const [trusting, other] = [own, trusted].map(({ cert }) => createDirectoryHttp({ url, ca: cert }));
    await Promise.allSettled([trusting?.udpAddresses(), other?.udpAddresses()]);
    expect(trusting?.certificateExpiresMs).toBe(Date.parse('2099-01-02T03:04:05Z'));
    expect(other?.certificateExpiresMs).toBeUndefined();
  });
});

describe('HTTPS_PROXY', () => {
  const names = ['HTTPS_PROXY', 'https_proxy', 'NO_PROXY', 'no_proxy', 'HTTP_PROXY', 'http_proxy'];
  const kept = names.map((name) => process.env[name]);
  const setProxy = (proxy: Record<string, string>) => {
    for (const name of names) delete process.env[name];
    Object.assign(process.env, proxy);
  };
  afterEach(() => {
    setProxy(Object.fromEntries(names.flatMap((name, i) => (kept[i] === undefined ? [] : [[name, kept[i]]]))));
  });

  /** A proxy that leads every name to the server at `port`, and what it was asked for. */
  async function proxyTo(port: number): Promise<{ url: string; asked: string[] }> {
    const asked: string[] = [];
    const proxy = createHttpServer();
    const sockets = new Set<Duplex>();
    proxy.on('connect', ({ url = '' }, socket) => {
      asked.push(url);
      const onward = connect(port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        onward.pipe(socket).pipe(onward);
      });
      for (const one of [socket, onward]) sockets.add(one.on('error', () => {}));
    });
    const url = `http://127.0.0.1:${await listen(proxy)}`;
    closers.unshift(async () => {
      for (const socket of sockets) socket.destroy();
    });
    return { url, asked };
  }

  async function directoryNamed(host: string) {
    const own = await certify(host);
    const url = await serve((_, response) => response.end('[{"ip":"192.0.2.1","port":1}]'), own);
    return { own, port: Number(new URL(url).port) };
  }

  test.each(['HTTPS_PROXY', 'https_proxy'])(
    '%s: the directory is asked through it, and its certificate checked',
    async (name) => {
      const { own, port } = await directoryNamed('directory.example');
      const proxy = await proxyTo(port);
      setProxy({ [name]: proxy.url });
      const url = 'https://directory.example:8443';
      const http = createDirectoryHttp({ url, ca: own.cert });
      expect(await http.udpAddresses()).toHaveLength(1);
      expect(http.certificateExpiresMs).toBeGreaterThan(Date.now());
      expect(proxy.asked).toEqual(['directory.example:8443']);
      const error = await failure(createDirectoryHttp({ url, ca: trusted.cert }).udpAddresses());
      expect(error.message).toContain('its certificate is not trusted');
    },
  );

  test('a thousand look-ups take no more than eight connections through it', async () => {
    const { own, port } = await directoryNamed('directory.example');
    const proxy = await proxyTo(port);
    setProxy({ HTTPS_PROXY: proxy.url });
    const http = createDirectoryHttp({ url: 'https://directory.example', ca: own.cert });
    await Promise.all(Array.from({ length: 100 }, () => http.udpAddresses()));
    expect(proxy.asked.length).toBeLessThanOrEqual(8);
  });

  test.each([
    ['NO_PROXY names the directory', 'https://directory.invalid', { NO_PROXY: 'x.example,directory.invalid' }],
    ['it is on this machine', 'https://localhost:1', {}],
    ['it is on this machine', 'https://127.0.0.2:1', {}],
    ['it is on this machine', 'https://[::1]:1', {}],
  ])('not used where %s: %s', async (_, url, more) => {
    const proxy = await proxyTo(1);
    setProxy({ HTTPS_PROXY: proxy.url, ...more });
    await failure(createDirectoryHttp({ url }).udpAddresses());
    expect(proxy.asked).toEqual([]);
  });

  test('a proxy for http: is not one for https:', async () => {
    const proxy = await proxyTo(1);
    setProxy({ HTTP_PROXY: proxy.url, http_proxy: proxy.url });
    await failure(createDirectoryHttp({ url: 'https://directory.invalid' }).udpAddresses());
    expect(proxy.asked).toEqual([]);
  });

  test('a proxy that is not there is named, without its password', async () => {
    setProxy({ HTTPS_PROXY: 'http://user:secret@127.0.0.1:1' });
    const { code, message } = await failure(createDirectoryHttp({ url: 'https://directory.example' }).udpAddresses());
    expect(code).toBe('directory-unreachable');
    expect(message).toContain('(HTTPS_PROXY names the proxy http://127.0.0.1:1; ');
    expect(message).not.toContain('secret');
  });

  test.each(['nonsense', 'ftp://proxy.example', 'proxy.example:3128'])('%j is no proxy', async (text) => {
    setProxy({ HTTPS_PROXY: text });
    const error = await createFailure('https://directory.example');
    expect(error).toMatchObject({ code: 'usage', message: expect.stringContaining('HTTPS_PROXY is not the URL') });
  });
});

describe('wrong usage', () => {
  test.each([
    ['nonsense', /^"nonsense" is not a URL; write for example https:/],
    ['', /is not a URL/],
    ['http://127.0.0.1:8080', /over https:, not http: as in http:\/\/127\.0\.0\.1:8080\/; write https:/],
    ['localhost:8443', /over https:, not localhost:/],
    ['https://user:secret@localhost', /^(?!.*secret).*neither user nor password/],
  ])('the URL %j', async (url, message) => {
    expect(await createFailure(url)).toMatchObject({ code: 'usage', message: expect.stringMatching(message) });
  });

  test.each([
    '',
    'nonsense',
    '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
  ])('the certificate %j', async (ca) => {
    const error = await createFailure('https://localhost', ca);
    expect(error).toMatchObject({ code: 'usage', message: expect.stringContaining('--ca') });
  });
});

test.each(['', '/', '/base', '/base/', '/base/?x=1#y'])('a URL that ends in %j', async (suffix) => {
  const { url, asked } = await answering(json(null));
  await failure(createDirectoryHttp({ url: new URL(url + suffix), ca: trusted.cert }).udpAddresses());
  expect(asked[0]?.path).toBe(suffix.startsWith('/base') ? '/base/udp-address' : '/udp-address');
});
