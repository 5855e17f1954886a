import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { gunzipSync } from 'node:zlib';
import { pino } from 'pino';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Certificate, selfSignedCertificate } from '../../../src/directory/certificate.ts';
import { createDirectoryMetrics } from '../../../src/directory/directory-metrics.ts';
import { createHttpServer, type HttpServerOptions } from '../../../src/directory/http-server.ts';
import type { Registry } from '../../../src/directory/registry.ts';
import { openSqliteRegistry } from '../../../src/directory/sqlite-registry.ts';
import { generateKeyPair } from '../../../src/identity/key-pair.ts';
import { type PublicKey, publicKeyBytes } from '../../../src/identity/public-key.ts';
import type { SocketAddress } from '../../../src/wire/socket-address.ts';
import { failureOf } from './support.ts';

const T0 = 1_800_000_000_000;
const HOUR = 3_600_000;
const HOME = { ip: '192.0.2.1', port: 4242 };
const HOME_IPV6 = { ip: '2001:db8::1', port: 4242 };
const INVISIBLE = 'a name must not contain characters that are invisible or change the direction of text';
const PLENTY = { perSecond: 1_000_000, burst: 1_000_000 };

const closers: (() => Promise<unknown> | unknown)[] = [];
let certificate: Certificate;
let key: PublicKey;
let otherKey: PublicKey;

beforeAll(async () => {
  certificate = await selfSignedCertificate([]);
  key = (await generateKeyPair()).publicKey;
  otherKey = (await generateKeyPair()).publicKey;
});

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

interface Answer {
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

interface Served {
  readonly registry: Registry;
  readonly port: number;
  readonly url: string;
  /** The time it is for the server. */
  nowMs: number;
  /** The path goes out as it is. */
  ask(path: string, question?: Question): Promise<Answer>;
  register(body: unknown, headers?: Record<string, string>): Promise<Answer>;
}

async function serve(options: Partial<HttpServerOptions> = {}, bind = { ip: '127.0.0.1', port: 0 }): Promise<Served> {
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
  closers.push(() => server.close());
  const url = await server.listen(bind);
  const port = Number(new URL(url).port);
  const served: Served = {
    registry,
    port,
    url,
    nowMs: T0,
    ask: (path, question) => ask(port, path, question),
    register: (body, headers) =>
      ask(port, '/register', {
        method: 'POST',
        body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
        headers: headers ?? { 'content-type': 'application/json' },
      }),
  };
  return served;
}

async function ask(port: number, path: string, { method = 'GET', body, headers }: Question = {}): Promise<Answer> {
  const sent = request({
    host: '127.0.0.1',
    port,
    path,
    method,
    ca: certificate.cert,
    agent: false,
    headers: headers ?? {},
  });
  sent.end(body);
  const [response] = await once(sent, 'response');
  const bytes = Buffer.concat(await response.toArray());
  return { status: response.statusCode, headers: response.headers, body: bytes, text: bytes.toString() };
}

const isPlainText = ({ headers }: Answer) => headers['content-type'] === 'text/plain; charset=utf-8';

describe('GET /udp-address', () => {
  test('200, JSON, IPv4 first', async () => {
    const { ask } = await serve();
    const answer = await ask('/udp-address');
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toContain('application/json');
    expect(answer.text).toBe('[{"ip":"192.0.2.1","port":4242},{"ip":"2001:db8::1","port":4242}]');
  });

  test('tells the addresses of now', async () => {
    let addresses: SocketAddress[] = [];
    const { ask } = await serve({ udpAddresses: () => addresses });
    expect(JSON.parse((await ask('/udp-address')).text)).toEqual([]);
    addresses = [HOME_IPV6];
    expect(JSON.parse((await ask('/udp-address')).text)).toEqual([HOME_IPV6]);
  });
});

describe('GET /server-key', () => {
  test('200, 64 raw bytes (X‖Y)', async () => {
    const { ask } = await serve();
    const { status, body, headers } = await ask('/server-key');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/octet-stream');
    expect(body).toHaveLength(64);
    expect(new Uint8Array(body)).toEqual(publicKeyBytes(key));
  });

  test('404 if the directory does not sign', async () => {
    const { ask } = await serve({ serverKey: () => undefined });
    expect((await ask('/server-key')).status).toBe(404);
  });
});

describe('POST /register', () => {
  test('204, empty', async () => {
    const { register, registry } = await serve();
    const answer = await register({ name: 'alice', key });
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect(registry.candidateKeys('alice', T0)).toEqual([key]);
  });

  test('registering alone makes nobody visible', async () => {
    const { register, ask } = await serve();
    await register({ name: 'alice', key });
    expect((await ask('/peers/')).text).toBe('');
    expect((await ask('/peers/alice')).status).toBe(404);
  });

  describe('accepts', () => {
    test.each([
      ['no key', { name: 'alice' }, false],
      ['an empty key', { name: 'alice', key: '' }, false],
      ['a null key', { name: 'alice', key: null }, false],
      ['a key without padding', { name: 'alice', key: 'KEY' }, true],
      ['a padded key', { name: 'alice', key: 'KEY==' }, true],
      ['any letter case in the member names', { NAME: 'alice', Key: 'KEY' }, true],
      ['`username` for `name`', { username: 'alice', key: 'KEY' }, true],
      ['`UserName` for `name`', { UserName: 'alice', key: 'KEY' }, true],
      ['members it does not know', { name: 'alice', key: 'KEY', flags: [1], constructor: {} }, true],
    ])('%s', async (_, registration, hasKey) => {
      const { register, registry } = await serve();
      const answer = await register(JSON.stringify(registration).replace('KEY', key));
      expect([answer.status, answer.text]).toEqual([204, '']);
      expect(registry.candidateKeys('alice', T0)).toEqual([hasKey ? key : undefined]);
    });

    test.each([
      ['no Content-Type', {}],
      ['an empty Content-Type', { 'content-type': '' }],
      ['a charset', { 'content-type': 'application/json; charset=utf-8' }],
      ['a form, which it is not', { 'content-type': 'application/x-www-form-urlencoded' }],
      ['plain text', { 'content-type': 'text/plain' }],
      ['a Content-Type that is none', { 'content-type': 'nonsense' }],
      ['a malformed Content-Type', { 'content-type': '/;;=' }],
    ])('%s', async (_, headers) => {
      const { register, registry } = await serve();
      const answer = await register({ name: 'alice', key }, headers as Record<string, string>);
      expect([answer.status, answer.text]).toEqual([204, '']);
      expect(registry.candidateKeys('alice', T0)).toEqual([key]);
    });

    test('a body in chunks, without a length', async () => {
      const { register, registry } = await serve();
      const answer = await register({ name: 'Zoé', key }, { 'transfer-encoding': 'chunked' });
      expect(answer.status).toBe(204);
      expect(registry.candidateKeys('Zoé', T0)).toEqual([key]);
    });

    test.each(['Zoé', '日本', '\u{1f980}', '.', '..', '%2F', '__proto__', 'x'.repeat(255), 'é'.repeat(127)])(
      'the name %j',
      async (name) => {
        const { register, registry } = await serve();
        expect((await register({ name })).status).toBe(204);
        expect(registry.candidateKeys(name, T0)).toEqual([undefined]);
      },
    );

    test('the longest name, with every byte of it escaped', async () => {
      const { register, registry } = await serve();
      const body = `{"name":"${'\\u0078'.repeat(255)}","key":"${key}"}`;
      expect((await register(body)).status).toBe(204);
      expect(registry.candidateKeys('x'.repeat(255), T0)).toEqual([key]);
    });
  });

  test.each([
    ['', 'a name has at least one character'],
    ['x'.repeat(256), 'a name has at most 255 bytes of UTF-8, this one has 256'],
    ['é'.repeat(128), 'a name has at most 255 bytes of UTF-8, this one has 256'],
    ['a/b', 'a name must not contain "/"'],
    ['a\nb', 'a name must not contain control characters or line breaks'],
    ['a\u0000b', 'a name must not contain control characters or line breaks'],
    ['a\u0085b', 'a name must not contain control characters or line breaks'],
    ['a\u2028b', 'a name must not contain control characters or line breaks'],
    ['\ud800', 'a name must not contain unpaired surrogates'],
  ])('anything else is 400: the name %j', async (name, why) => {
    const { register, registry } = await serve();
    const answer = await register({ name, key });
    expect([answer.status, answer.text, isPlainText(answer)]).toEqual([400, `${why}\n`, true]);
    expect(registry.candidateKeys(name, T0)).toEqual([]);
  });

  test.each([
    ['alice ', 'a name must not begin or end with white space'],
    ['\u3000alice', 'a name must not begin or end with white space'],
    ['Zoe\u0301', 'a name must be in Unicode normalization form C (NFC)'],
    ['\u212b', 'a name must be in Unicode normalization form C (NFC)'],
    ['alice\u200b', INVISIBLE],
    ['a\u00adlice', INVISIBLE],
    ['a\ufe0flice', INVISIBLE],
    ['a\u{e0041}lice', INVISIBLE],
    ['\u202ealice', INVISIBLE],
    ['a\u061clice', INVISIBLE],
  ])('a name that looks like another one is refused with 400: %j', async (name, why) => {
    const { register, registry } = await serve();
    const answer = await register({ name, key });
    expect([answer.status, answer.text]).toEqual([400, `${why}\n`]);
    expect(registry.candidateKeys(name, T0)).toEqual([]);
  });

  test('a name like that goes on if it is bound already, byte for byte', async () => {
    const { ask, register, registry } = await serve();
    for (const name of ['alice ', 'Zoe\u0301', 'alice\u200b']) {
      registry.prove(name, key, HOME, T0);
      expect((await register({ name, key })).status).toBe(204);
      expect((await register({ name, key: otherKey })).text).toBe('add peer:bad key');
      expect(JSON.parse((await ask(`/peers/${encodeURIComponent(name)}`)).text).name).toBe(name);
    }
  });

  test.each(['Zo\u00e9', 'a b', '日本', '\u{1f980}', 'a-b_c.d'])('%j looks like no other name', async (name) => {
    const { register } = await serve();
    expect((await register({ name, key })).status).toBe(204);
  });

  test.each([
    ['nothing', ''],
    ['no JSON', 'name=alice'],
    ['half of it', '{"name":"alice"'],
    ['a string', '"alice"'],
    ['null', 'null'],
    ['a list', '["alice"]'],
    ['no name', '{}'],
    ['a name that is a number', '{"name":1}'],
    ['a key that is a number', '{"name":"alice","key":1}'],
    ['a key that is a list', '{"name":"alice","key":[]}'],
    ['a name in bytes that are not UTF-8', Buffer.from([...Buffer.from('{"name":"'), 0xff, ...Buffer.from('"}')])],
    ['deep nesting', '['.repeat(4_000)],
  ])('%s is no registration: 400', async (_, body) => {
    const { register, registry } = await serve();
    const answer = await register(body);
    expect([answer.status, answer.text]).toEqual([400, 'a registration is JSON: {"name":"…","key":"…"}\n']);
    expect(registry.candidateKeys('alice', T0)).toEqual([]);
    expect(registry.candidateKeys('\ufffd', T0)).toEqual([]);
  });

  test('no body at all is no registration: 400', async () => {
    const { ask } = await serve();
    expect((await ask('/register', { method: 'POST' })).status).toBe(400);
  });

  test('a body that is too large: 413', async () => {
    const { register, registry } = await serve();
    const body = (size: number) =>
      JSON.stringify({ name: 'alice', key, more: '' }).replace('""', `"${'x'.repeat(size)}"`);
    const overhead = Buffer.byteLength(body(0));
    const answer = await register(body(4_097 - overhead));
    expect([answer.status, isPlainText(answer)]).toEqual([413, true]);
    expect(registry.candidateKeys('alice', T0)).toEqual([]);
    expect((await register(body(4_096 - overhead))).status).toBe(204);
  });

  test('a name that is bound to another key: 400 with the text `add peer:bad key`', async () => {
    const { register, registry, ask } = await serve();
    registry.prove('alice', key, HOME, T0);
    for (const registration of [{ name: 'alice', key: otherKey }, { name: 'alice' }]) {
      const answer = await register(registration);
      expect([answer.status, answer.text, isPlainText(answer)]).toEqual([400, 'add peer:bad key', true]);
    }
    expect((await register({ name: 'alice', key })).status).toBe(204);
    expect(JSON.parse((await ask('/peers/alice')).text).key).toBe(key);
  });

  test('a binding is kept, by default, for 90 days after the last proof', async () => {
    const served = await serve();
    served.registry.prove('alice', key, HOME, T0);
    served.nowMs = T0 + 90 * 24 * HOUR - 1;
    expect((await served.register({ name: 'alice', key: otherKey })).text).toBe('add peer:bad key');
    served.nowMs += 1;
    expect((await served.register({ name: 'alice', key: otherKey })).status).toBe(204);
  });

  test.each([
    ['too short', 'AAAA'],
    ['no point of the curve', 'A'.repeat(86)],
    ['no base64', '!'.repeat(86)],
    ['base64url', '-'.repeat(86)],
    ['too long', 'A'.repeat(88)],
    ['a space', ' '],
  ])('so is a malformed key: %s', async (_, malformed) => {
    const { register, registry } = await serve();
    const answer = await register({ name: 'alice', key: malformed });
    expect([answer.status, answer.text]).toEqual([400, 'add peer:bad key']);
    expect(registry.candidateKeys('alice', T0)).toEqual([]);
  });
});

describe('GET /peers/ and GET /peers', () => {
  test.each(['/peers/', '/peers'])(
    '%s: 200, text, one name a line in byte order, a newline after the last',
    async (path) => {
      const { ask, registry } = await serve();
      for (const name of ['\u{1f980}', 'bob', '\uff5e', 'alice', 'Zoé']) registry.prove(name, key, HOME, T0);
      const answer = await ask(path);
      expect([answer.status, isPlainText(answer)]).toEqual([200, true]);
      expect(answer.text).toBe('Zoé\nalice\nbob\n\uff5e\n\u{1f980}\n');
    },
  );

  test('nobody: 200, empty', async () => {
    const { ask } = await serve();
    const { status, text } = await ask('/peers/');
    expect([status, text]).toEqual([200, '']);
  });

  test('a peer is listed for one hour after its proof', async () => {
    const served = await serve();
    served.registry.prove('alice', key, HOME, T0);
    served.nowMs = T0 + HOUR - 1;
    expect((await served.ask('/peers')).text).toBe('alice\n');
    served.nowMs += 1;
    expect((await served.ask('/peers')).text).toBe('');
    expect((await served.ask('/peers/alice')).status).toBe(404);
  });
});

describe('GET /peers?format=json', () => {
  const alice = { name: 'alice', addresses: [HOME] };
  const bob = { name: 'bob', addresses: [HOME_IPV6] };
  const all = '/peers?format=json';
  const listOf = ({ text }: Answer) => JSON.parse(text);

  async function served(): Promise<Served & { since(cursor: string): Promise<Answer> }> {
    const server = await serve();
    server.registry.prove('alice', undefined, HOME, T0);
    server.registry.prove('bob', undefined, HOME_IPV6, T0);
    return { ...server, since: (cursor) => server.ask(`${all}&since=${encodeURIComponent(cursor)}`) };
  }

  test('tells of all peers with addresses and keys, and names a cursor', async () => {
    const { ask, registry } = await served();
    registry.prove('carol', key, HOME, T0);
    const answer = await ask(all);
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
    expect(listOf(answer)).toEqual({
      cursor: registry.cursor(),
      complete: true,
      peers: [alice, bob, { name: 'carol', addresses: [HOME], key }],
      removed: [],
    });
  });

  test('is valid JSON for nobody, and for thousands, each once and in byte order', async () => {
    const { ask, registry } = await serve();
    expect(listOf(await ask(all))).toMatchObject({ complete: true, peers: [], removed: [] });
    const names = Array.from({ length: 1_000 }, (_, i) => `peer "${String(i).padStart(4, '0')}"`);
    for (const name of names) registry.prove(name, key, HOME, T0);
    expect(listOf(await ask(all)).peers.map(({ name }: { name: string }) => name)).toEqual(names);
  });

  test('since a cursor tells of what changed, removals included', async () => {
    const { ask, since, registry } = await served();
    const { cursor } = listOf(await ask(all));
    expect(listOf(await since(cursor))).toEqual({ cursor, complete: false, peers: [], removed: [] });
    registry.prove('carol', key, HOME, T0 + 1);
    registry.drop('alice', HOME, T0 + 2);
    const changed = listOf(await since(cursor));
    expect(changed).toEqual({
      cursor: registry.cursor(),
      complete: false,
      peers: [{ name: 'carol', addresses: [HOME], key }],
      removed: ['alice'],
    });
    registry.prove('alice', undefined, HOME, T0 + 3);
    expect(listOf(await since(changed.cursor))).toMatchObject({ peers: [alice], removed: [] });
  });

  test('since a cursor that has expired tells of all peers', async () => {
    const { since, registry } = await served();
    const answers = [await since('of another run.3'), await since('')];
    for (const answer of answers) {
      expect(listOf(answer)).toEqual({ cursor: registry.cursor(), complete: true, peers: [alice, bob], removed: [] });
    }
  });

  test('since a cursor that has expired gives whoever wants only changes a cursor to go on from, and nobody', async () => {
    const { ask, registry } = await served();
    const only = async (cursor: string) => listOf(await ask(`${all}&changes=only&since=${encodeURIComponent(cursor)}`));
    const nothing = { cursor: registry.cursor(), complete: false, peers: [], removed: [] };
    for (const cursor of ['of another run.3', '']) expect(await only(cursor)).toEqual({ ...nothing, expired: true });
    expect(await only(registry.cursor())).toEqual(nothing);
    const { cursor } = nothing;
    registry.prove('alice', undefined, HOME, T0 + 1);
    expect(await only(cursor)).toMatchObject({ complete: false, peers: [alice] });
  });

  test('since a cursor is put together once for all who ask the same, until something changes', async () => {
    const { since, registry } = await served();
    const cursor = registry.cursor();
    registry.prove('carol', key, HOME, T0);
    const lookUp = vi.spyOn(registry, 'lookup');
    const answers = [];
    for (let i = 0; i < 5; i++) answers.push(listOf(await since(cursor)));
    expect(lookUp).toHaveBeenCalledTimes(1);
    expect(new Set(answers.map(({ peers }) => peers.length))).toEqual(new Set([1]));
    registry.drop('alice', HOME, T0);
    expect(listOf(await since(cursor))).toMatchObject({ peers: [{ name: 'carol' }], removed: ['alice'] });
  });

  test('since a cursor from before very many changes tells of all of them', async () => {
    const { since, registry } = await served();
    const cursor = registry.cursor();
    for (let i = 0; i < 300; i++) registry.prove(`peer ${i}`, key, HOME, T0);
    expect(listOf(await since(cursor)).peers).toHaveLength(300);
  });

  test('has an ETag: 304 as long as nothing has changed', async () => {
    const { ask, registry } = await served();
    const { etag = '' } = (await ask(all)).headers;
    const again = () => ask(all, { headers: { 'if-none-match': etag } });
    const same = await again();
    expect([same.status, same.text]).toEqual([304, '']);
    registry.drop('alice', HOME, T0);
    const other = await again();
    expect([other.status, listOf(other).peers]).toEqual([200, [bob]]);
    expect(other.headers.etag).not.toBe(etag);
  });

  test.each([
    ['gzip', 'gzip'],
    ['deflate, gzip;q=0.5, br', 'gzip'],
    ['br', undefined],
    ['gzip;q=0', undefined],
  ])('is compressed for whoever accepts that: %s', async (accepted, encoding) => {
    const { ask } = await served();
    const answer = await ask(all, { headers: { 'accept-encoding': accepted } });
    expect(answer.headers['content-encoding']).toBe(encoding);
    const body = encoding === undefined ? answer.body : gunzipSync(answer.body);
    expect(JSON.parse(body.toString()).peers).toEqual([alice, bob]);
  });

  test('is given to a source a hundred times at once, and once a second; what changed, as often as anything else', async () => {
    const { ask, since, registry } = await served();
    const statuses = [];
    for (let i = 0; i <= 100; i++) statuses.push((await ask(all)).status);
    expect(statuses).toEqual([...Array.from({ length: 100 }, () => 200), 429]);
    expect((await since(registry.cursor())).status).toBe(200);
  });
});

test('a long list of names comes bit by bit, compressed for whoever accepts that, and with an ETag; a short one whole', async () => {
  const { ask, registry } = await serve();
  const names = Array.from({ length: 1_500 }, (_, i) => `peer${String(i).padStart(4, '0')}`);
  for (const name of names.slice(0, 2)) registry.prove(name, key, HOME, T0);
  expect((await ask('/peers', { headers: { 'accept-encoding': 'gzip' } })).headers['content-length']).toBe('18');
  for (const name of names.slice(2)) registry.prove(name, key, HOME, T0);
  const compressed = await ask('/peers', { headers: { 'accept-encoding': 'gzip' } });
  expect(compressed.headers['content-encoding']).toBe('gzip');
  const plain = await ask('/peers');
  expect(plain.headers['content-length']).toBeUndefined();
  for (const text of [plain.text, gunzipSync(compressed.body).toString()])
    expect(text.split('\n')).toEqual([...names, '']);
  const { etag = '' } = plain.headers;
  expect((await ask('/peers', { headers: { 'if-none-match': etag } })).status).toBe(304);
});

describe('GET /peers?format=json&name=A&name=B', () => {
  const query = (names: readonly string[]) => names.map((name) => `&name=${encodeURIComponent(name)}`).join('');

  test('gives addresses and keys of those that are listed, each once; the others are absent', async () => {
    const { ask, registry } = await serve();
    registry.prove('alice', key, HOME, T0);
    registry.prove('a&b=c', undefined, HOME_IPV6, T0);
    registry.register('bob', key, T0);
    for (const path of ['/peers', '/peers/']) {
      const answer = await ask(`${path}?format=json${query(['a&b=c', 'bob', 'nobody', 'alice', 'alice', ''])}`);
      expect([answer.status, answer.headers['content-type']]).toEqual([
        200,
        expect.stringContaining('application/json'),
      ]);
      expect(JSON.parse(answer.text)).toEqual({
        peers: [
          { name: 'a&b=c', addresses: [HOME_IPV6] },
          { name: 'alice', addresses: [HOME], key },
        ],
      });
    }
    expect(JSON.parse((await ask('/peers?format=json&name=bob')).text)).toEqual({ peers: [] });
  });

  test('takes a hundred names at once, the longest ones too, and no more', async () => {
    const { ask, registry } = await serve();
    const names = Array.from({ length: 100 }, (_, i) => `${'é'.repeat(126)}${String(i).padStart(3, '0')}`);
    for (const name of names) registry.prove(name, key, HOME, T0);
    const answer = await ask(`/peers?format=json${query(names)}`);
    expect(JSON.parse(answer.text).peers.map(({ name }: { name: string }) => name)).toEqual(names);
    const refused = await ask(`/peers?format=json${query([...names.slice(1), 'x', 'y'])}`);
    expect([refused.status, refused.text]).toEqual([400, 'at most 100 names can be asked for at once\n']);
  });

  test('another format is refused', async () => {
    const { ask } = await serve();
    expect((await ask('/peers?format=xml')).status).toBe(400);
  });

  test('an Accept header alone changes nothing: common clients send one and expect the text list', async () => {
    const { ask, registry } = await serve();
    registry.prove('alice', key, HOME, T0);
    const answer = await ask('/peers', { headers: { accept: 'application/json' } });
    expect([isPlainText(answer), answer.text]).toEqual([true, 'alice\n']);
  });
});

describe('GET /peers/NAME', () => {
  test('200, JSON: name, addresses, key', async () => {
    const { ask, registry } = await serve();
    registry.prove('alice', key, HOME_IPV6, T0);
    registry.prove('alice', key, HOME, T0);
    const answer = await ask('/peers/alice');
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toContain('application/json');
    expect(answer.text).toBe(
      `{"name":"alice","addresses":[{"ip":"192.0.2.1","port":4242},{"ip":"2001:db8::1","port":4242}],"key":"${key}"}`,
    );
  });

  test('`key` is left out of an answer when the peer has none', async () => {
    const { ask, registry } = await serve();
    registry.prove('alice', undefined, HOME, T0);
    expect((await ask('/peers/alice')).text).toBe('{"name":"alice","addresses":[{"ip":"192.0.2.1","port":4242}]}');
  });

  test('404 if not known', async () => {
    const { ask } = await serve();
    const answer = await ask('/peers/nobody');
    expect([answer.status, isPlainText(answer)]).toEqual([404, true]);
  });

  test.each([
    ['Zoé', 'Zo%C3%A9'],
    ['Zoé', 'Zo%c3%a9'],
    ['alice', '%61lice'],
    ['日本', '%E6%97%A5%E6%9C%AC'],
    ['a b?c#d&e=f', 'a%20b%3Fc%23d%26e%3Df'],
    ['100%', '100%25'],
    ['a%2Fb', 'a%252Fb'],
    ['a+b;c:d*e', 'a+b;c:d*e'],
    ['..', '%2E%2E'],
    ['__proto__', '__proto__'],
    ['\u{1f980}'.repeat(63), encodeURIComponent('\u{1f980}'.repeat(63))],
    ['é'.repeat(127), encodeURIComponent('é'.repeat(127))],
    ['x'.repeat(255), '%78'.repeat(255)],
  ])('NAME is percent-encoded in the path: %j', async (name, path) => {
    const { ask, registry } = await serve();
    registry.prove(name, key, HOME, T0);
    const answer = await ask(`/peers/${path}`);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toEqual({ name, addresses: [HOME], key });
  });

  test('a query is no part of the name', async () => {
    const { ask, registry } = await serve();
    registry.prove('alice', key, HOME, T0);
    expect(JSON.parse((await ask('/peers/alice?x=1')).text).name).toBe('alice');
  });

  test.each([
    ['an encoded slash', 'a%2Fb'],
    ['a slash', 'a/b'],
    ['a slash at the end', 'alice/'],
    ['a line break', 'a%0Ab'],
    ['a control character', '%00'],
    ['a separator of lines', '%E2%80%A8'],
    ['256 bytes', 'x'.repeat(256)],
    ['256 bytes, all encoded', '%78'.repeat(256)],
    ['thousands of bytes', 'x'.repeat(5_000)],
    ['bytes that are not UTF-8', 'a%FFb'],
    ['half of a character', '%C3'],
    ['an unpaired surrogate', '%ED%A0%80'],
    ['broken encoding', '100%'],
    ['encoding that is none', '%zz'],
  ])('anything else is 400: %s', async (_, path) => {
    const { ask } = await serve();
    const answer = await ask(`/peers/${path}`);
    expect([answer.status, isPlainText(answer)]).toEqual([400, true]);
    expect(answer.text).toMatch(/^.+\n$/);
  });
});

describe('beside the protocol', () => {
  test('/healthz says ok', async () => {
    const { ask } = await serve();
    const answer = await ask('/healthz');
    expect([answer.status, answer.text, isPlainText(answer)]).toEqual([200, 'ok\n', true]);
  });

  test.each([
    ['GET', '/'],
    ['GET', '/nothing'],
    ['GET', '/register'],
    ['GET', '/udp-address/'],
    ['GET', '/PEERS/'],
    ['POST', '/peers/'],
    ['DELETE', '/peers/alice'],
    ['PUT', '/server-key'],
  ])('%s %s: no such thing', async (method, path) => {
    const { ask, registry } = await serve();
    registry.prove('alice', key, HOME, T0);
    const answer = await ask(path, { method });
    expect([answer.status, answer.text, isPlainText(answer)]).toEqual([404, 'no such thing here\n', true]);
  });

  test('HEAD is answered as GET, without the body', async () => {
    const { ask, registry } = await serve();
    registry.prove('alice', key, HOME, T0);
    const answer = await ask('/peers/', { method: 'HEAD' });
    expect([answer.status, answer.text, answer.headers['content-length']]).toEqual([200, '', '6']);
  });

  test('what breaks inside is a 500 that tells no details', async () => {
    const registry = openSqliteRegistry(':memory:');
    const broken = {
      ...registry,
      peers: () => {
        throw new Error('/secret/path is damaged');
      },
    };
    const { ask } = await serve({ registry: broken });
    const answer = await ask('/peers/');
    expect([answer.status, answer.text]).toEqual([500, 'internal error; see the log of the directory\n']);
    expect((await ask('/udp-address')).status).toBe(200);
  });
});

describe('/metrics', () => {
  async function countersOf({ ask }: Served): Promise<Record<string, number>> {
    const { status, text, headers } = await ask('/metrics');
    expect(status).toBe(200);
    expect(headers['content-type']).toContain('text/plain; version=0.0.4');
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return Object.fromEntries(lines.map((line) => [line.replace(/ \S+$/, ''), Number(line.replace(/^.* /, ''))]));
  }

  test('counts registrations by result', async () => {
    const served = await serve();
    served.registry.prove('bob', key, HOME, T0);
    const bodies = [{ name: 'alice', key }, { name: 'carol' }, { name: 'bob', key: otherKey }, { name: 'a/b' }, 'x'];
    for (const body of bodies) await served.register(body);
    expect(await countersOf(served)).toMatchObject({
      'murmure_registrations_total{result="accepted"}': 2,
      'murmure_registrations_total{result="bad-key"}': 1,
      'murmure_registrations_total{result="malformed"}': 2,
    });
  });

  test('counts requests by route and status, whatever the path: made-up names make no new counters', async () => {
    const served = await serve();
    served.registry.prove('alice', key, HOME, T0);
    for (const path of ['/peers/alice', '/peers/bob', '/peers/carol', '/peers/%0A', '/a', '/b', '/peers/x/y', '/%zz']) {
      await served.ask(path);
    }
    const requests = Object.entries(await countersOf(served)).filter(([name]) => name.includes('http_requests'));
    expect(Object.fromEntries(requests)).toEqual({
      'murmure_http_requests_total{route="/peers/:name",status="200"}': 1,
      'murmure_http_requests_total{route="/peers/:name",status="404"}': 2,
      'murmure_http_requests_total{route="/peers/:name",status="400"}': 1,
      'murmure_http_requests_total{route="unknown",status="404"}': 2,
      'murmure_http_requests_total{route="unknown",status="400"}': 2,
    });
  });

  test('counts what the UDP side did, and the peers that are listed now', async () => {
    const metrics = createDirectoryMetrics();
    const served = await serve({ metrics });
    for (let i = 0; i < 3; i++) metrics.count({ type: 'address.proven', name: 'alice', address: HOME });
    metrics.count({ type: 'hello.ignored', name: 'alice', address: HOME });
    served.registry.prove('alice', key, HOME, T0);
    served.registry.prove('alice', key, HOME_IPV6, T0);
    expect(await countersOf(served)).toMatchObject({
      'murmure_udp_events_total{kind="address.proven"}': 3,
      'murmure_udp_events_total{kind="hello.ignored"}': 1,
      murmure_peers_listed: 1,
    });
    served.nowMs = T0 + HOUR;
    expect(await countersOf(served)).toMatchObject({ murmure_peers_listed: 0 });
  });

  test('several directories in one process do not mix', async () => {
    const [a, b] = [await serve(), await serve()];
    await a.register({ name: 'alice', key });
    expect((await countersOf(b))['murmure_registrations_total{result="accepted"}']).toBeUndefined();
  });
});

describe('the rate of new names', () => {
  const newNames = { perSecond: 0.5, burst: 2 };
  const statusesOf = async ({ register }: Served, names: string[]) => {
    const statuses = [];
    for (const name of names) statuses.push((await register({ name, key })).status);
    return statuses;
  };

  test('is limited per source: 429, which says so and when to come back, and nothing is kept of it', async () => {
    const served = await serve({ newNames });
    expect(await statusesOf(served, ['a', 'b'])).toEqual([204, 204]);
    const answer = await served.register({ name: 'c', key });
    expect([answer.status, answer.headers['retry-after'], isPlainText(answer)]).toEqual([429, '2', true]);
    expect(answer.text).toBe('too many new names from your address: try again in 2 s\n');
    expect(served.registry.candidateKeys('c', T0)).toEqual([]);
    expect((await served.ask('/metrics')).text).toContain('murmure_registrations_total{result="too-many"} 1');
    served.nowMs += 2_000;
    expect(await statusesOf(served, ['c', 'd'])).toEqual([204, 429]);
  });

  test('does not count names that are bound, with a key or without, or registered a moment ago', async () => {
    const served = await serve({ newNames });
    served.registry.prove('bound', key, HOME, T0);
    served.registry.prove('keyless', undefined, HOME, T0);
    const known = ['bound', 'keyless', 'bound', 'a', 'a', 'a', 'b', 'b'];
    expect(await statusesOf(served, known)).toEqual(known.map(() => 204));
    expect(await statusesOf(served, ['c', ...known])).toEqual([429, ...known.map(() => 204)]);
    // Hours after the addresses have expired as well.
    served.nowMs = T0 + 80 * 24 * HOUR;
    expect(await statusesOf(served, ['c', 'd', 'e', 'bound'])).toEqual([204, 204, 429, 204]);
  });

  test('does not count what is no registration', async () => {
    const served = await serve({ newNames });
    served.registry.prove('bound', key, HOME, T0);
    for (const body of ['x', { name: 'a/b' }, { name: 'a', key: 'AAAA' }, { name: 'bound', key: otherKey }])
      expect((await served.register(body)).status).toBe(400);
    expect(await statusesOf(served, ['a', 'b', 'c'])).toEqual([204, 204, 429]);
  });
});

test('a source may have a thousand new names at once, and a thousand an hour', async () => {
  const served = await serve();
  const register = async (count: number, prefix: string) => {
    const statuses: Record<string, number> = {};
    for (let i = 0; i < count; i++) {
      const { status } = await served.register({ name: `${prefix}${i}` });
      statuses[`${status}`] = (statuses[`${status}`] ?? 0) + 1;
    }
    return statuses;
  };
  expect(await register(1_002, 'a')).toEqual({ 204: 1_000, 429: 2 });
  served.nowMs += HOUR / 100;
  expect(await register(12, 'b')).toEqual({ 204: 10, 429: 2 });
});

describe('the rate of requests', () => {
  const rate = { perSecond: 0.5, burst: 3 };

  test('is limited per source: 429, and Retry-After says in how many seconds', async () => {
    const served = await serve({ rate });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await served.ask('/healthz')).status);
    expect(statuses).toEqual([200, 200, 200]);
    const answer = await served.ask('/healthz');
    expect([answer.status, answer.headers['retry-after'], isPlainText(answer)]).toEqual([429, '2', true]);
    expect(answer.text).toBe('too many requests: try again in 2 s\n');
    served.nowMs += 1_500;
    expect((await served.ask('/healthz')).headers['retry-after']).toBe('1');
    served.nowMs += 500;
    expect((await served.ask('/healthz')).status).toBe(200);
    expect((await served.ask('/healthz')).status).toBe(429);
  });

  test.each([
    ['an unknown route', '/nothing', 404],
    ['a broken path', '/peers/%zz', 400],
    ['a name that is none', '/peers/a%2Fb', 400],
  ])('counts %s too', async (_, path, status) => {
    const warnings: string[] = [];
    const logger = pino({ level: 'warn' }, { write: (line) => void warnings.push(line) });
    const { ask } = await serve({ rate, logger });
    for (let i = 0; i < 3; i++) expect((await ask(path)).status).toBe(status);
    expect((await ask(path)).status).toBe(429);
    expect(warnings).toEqual([]);
  });

  test('stops registrations before they are read', async () => {
    const { register, registry } = await serve({ rate });
    for (const name of ['a', 'b', 'c', 'd']) await register({ name, key });
    expect(['a', 'b', 'c', 'd'].map((name) => registry.candidateKeys(name, T0).length)).toEqual([1, 1, 1, 0]);
  });

  test('is shown in the metrics', async () => {
    const served = await serve({ rate: { perSecond: 0.5, burst: 1 } });
    await served.ask('/healthz');
    await served.ask('/healthz');
    served.nowMs += 2_000;
    expect((await served.ask('/metrics')).text).toContain(
      'murmure_http_requests_total{route="/healthz",status="429"} 1',
    );
  });
});

describe('clients', () => {
  const client = (port: number, options: ConnectionOptions = {}) => {
    const socket = connectTls({ host: '127.0.0.1', port, ca: certificate.cert, ...options });
    closers.unshift(() => void socket.destroy());
    return socket;
  };

  test('that trust another certificate only do not connect', async () => {
    const { port } = await serve();
    const other = await selfSignedCertificate([]);
    const [error] = await once(client(port, { ca: other.cert }), 'error');
    expect(error.code).toMatch(/SELF_SIGNED|UNABLE_TO/);
  });

  test('that speak TLS 1.1 do not connect', async () => {
    const { port } = await serve();
    const ciphers = 'DEFAULT@SECLEVEL=0';
    const [error] = await once(client(port, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers }), 'error');
    expect(error.code).toMatch(/PROTOCOL_VERSION/);
  });

  /**
   * A client that is connected before the server's patience ends. How long a handshake takes depends on the machine, so the
   * patience doubles until it is enough.
   */
  async function connected(slowClientMs = 200): Promise<TLSSocket> {
    const { port } = await serve({ slowClientMs });
    const socket = client(port);
    const isConnected = await new Promise<boolean>((resolve) => {
      socket.once('secureConnect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.on('error', () => {});
    return isConnected ? socket : connected(2 * slowClientMs);
  }

  test('that never begin their handshake are hung up on', async () => {
    const { port } = await serve({ slowClientMs: 100 });
    const socket = connectTcp(port, '127.0.0.1').resume();
    socket.on('error', () => {});
    await once(socket, 'close');
  });

  test('that send nothing are hung up on', async () => {
    const socket = await connected();
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.resume();
    await closed;
  });

  test.each([
    ['their headers', 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: '],
    ['a body', 'POST /register HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n'],
  ])('that send %s a byte at a time are answered 408 and hung up on', async (_, beginning) => {
    /** What the server says until it hangs up. */
    const trickleInto = async (socket: TLSSocket): Promise<string> => {
      socket.write(beginning);
      // Never idle, never done.
      const trickle = setInterval(() => socket.write('x'), 20);
      let answer = '';
      socket.on('data', (bytes) => {
        answer += bytes;
        clearInterval(trickle);
      });
      // What was written meanwhile may be answered with a reset.
      if (!socket.destroyed) await new Promise((resolve) => socket.once('close', resolve));
      clearInterval(trickle);
      return answer;
    };
    // On a machine that stands still for a moment the server may take the client for an idle one, and say nothing.
    let answer = '';
    for (let slowClientMs = 200; answer === ''; slowClientMs *= 2)
      answer = await trickleInto(await connected(slowClientMs));
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('that keep their connection open do not keep the directory from closing', async () => {
    const { port } = await serve();
    const socket = client(port);
    await once(socket, 'secureConnect');
    socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'data');
    const closed = once(socket, 'close');
    socket.on('error', () => {});
    await Promise.all([closers.pop()?.(), closed]);
  });
});

describe('listening', () => {
  test('tells the URL, with the port that was bound', async () => {
    const { url, port } = await serve();
    expect(url).toBe(`https://127.0.0.1:${port}/`);
    expect(port).toBeGreaterThan(0);
  });

  test('on all addresses: the URL names one that can be asked', async () => {
    const { url, ask } = await serve({}, { ip: '0.0.0.0', port: 0 });
    expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/$/);
    expect((await ask('/healthz')).status).toBe(200);
  });

  test.each([
    [
      'a port in use',
      () => serve().then(({ port }) => ({ ip: '127.0.0.1', port })),
      /is in use by another program: choose another port with --listen, or 0 for any free one$/,
    ],
    [
      'an address of another computer',
      async () => ({ ip: '192.0.2.1', port: 0 }),
      /^192\.0\.2\.1:0 is not an address of this machine: choose one that is, or 0\.0\.0\.0 for all$/,
    ],
  ])('on %s: which one, and what to do', async (_, bind, message) => {
    const address = await bind();
    const error = await failureOf(() => serve({}, address));
    expect(error.message).toMatch(message);
  });
});
