/** `GET /peers`: the list of names, and peers with their addresses and keys. */
import { gunzipSync } from 'node:zlib';
import { describe, expect, test, vi } from 'vitest';
import { type Answer, HOME, HOME_IPV6, HOUR, isPlainText, key, type Served, serve, T0 } from './http-served.ts';

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

  test('since a cursor about some names tells of nobody else, and looks nobody else up', async () => {
    const { ask, registry } = await served();
    const about = async (cursor: string, ...names: string[]) =>
      listOf(
        await ask(
          `${all}&changes=only&since=${encodeURIComponent(cursor)}${names.map((name) => `&of=${name}`).join('')}`,
        ),
      );
    const cursor = registry.cursor();
    registry.prove('carol', key, HOME, T0 + 1);
    registry.drop('bob', HOME_IPV6, T0 + 2);
    const lookUp = vi.spyOn(registry, 'lookup');
    const nothing = { cursor: registry.cursor(), complete: false, peers: [], removed: [] };
    expect(await about(cursor, 'alice', 'nobody')).toEqual(nothing);
    expect(await about(cursor, '')).toEqual(nothing);
    expect(lookUp).not.toHaveBeenCalled();
    expect(await about(cursor, 'carol', 'alice', 'bob', 'carol')).toEqual({
      ...nothing,
      peers: [{ name: 'carol', addresses: [HOME], key }],
      removed: ['bob'],
    });
    expect(await about('of another run.3', 'alice')).toEqual({ ...nothing, expired: true });
    expect((await ask(`${all}&since=x${'&of=alice'.repeat(101)}`)).status).toBe(400);
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
