import { createServer } from 'node:https';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { readNames, readPeers } from '../../../src/peer/directory-answers.ts';
import { createDirectoryHttp, type DirectoryHttp } from '../../../src/peer/directory-http.ts';
import { answering, failure, json, key, listen, type Reply, serve, trusted } from './directory-http-support.ts';

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
  onTestFinished(() => server.closeAllConnections());
  const http = createDirectoryHttp({ url: `https://127.0.0.1:${port}`, ca: trusted.cert });
  return { http, connections: () => connections, requests: () => requests };
}

describe('GET /peers?format=json&changes=only&since=…&of=…', () => {
  const address = { ip: '192.0.2.1', port: 1 };
  const changed = {
    cursor: 'run.2',
    complete: false,
    peers: [{ name: 'alice', addresses: [address] }],
    removed: ['bob'],
  };

  test('gives who changed, who left, and the next cursor', async () => {
    const { http, asked } = await answering(json(changed));
    expect(await http.changes('run 1', ['alice', 'b&b'])).toEqual({
      cursor: 'run.2',
      isExpired: false,
      peers: [{ name: 'alice', addresses: [address] }],
      removed: ['bob'],
    });
    expect(asked.map(({ path }) => path)).toEqual(['/peers?format=json&changes=only&since=run%201&of=alice&of=b%26b']);
  });

  test.each([
    ['says so', { expired: true }],
    ['is answered with all peers', { complete: true }],
  ])('a cursor that has expired %s: only the next one counts', async (_, change) => {
    const { http } = await answering(json({ ...changed, ...change }));
    expect(await http.changes('run.1', ['alice'])).toEqual({
      cursor: 'run.2',
      isExpired: true,
      peers: [],
      removed: [],
    });
  });

  test('more changes than are worth reading are like an expired cursor', async () => {
    const asked: (string | undefined)[] = [];
    const url = await serve(({ url: path }, response) => {
      asked.push(path);
      const isFirst = path?.includes('since=run.1');
      response.end(isFirst ? ' '.repeat(256 * 1024 + 1) : JSON.stringify({ ...changed, expired: true }));
    });
    const http = createDirectoryHttp({ url, ca: trusted.cert });
    expect(await http.changes('run.1', ['alice'])).toMatchObject({ cursor: 'run.2', isExpired: true });
    expect(asked).toHaveLength(2);
  });

  test('asks about nobody else: a hundred names at a time, and goes on from the first answer', async () => {
    const asked: string[][] = [];
    const url = await serve(({ url: path }, response) => {
      const names = new URL(path ?? '', 'https://localhost').searchParams.getAll('of');
      asked.push(names);
      const peers = names.slice(0, 1).map((name) => ({ name, addresses: [address] }));
      response.end(
        JSON.stringify({ cursor: `run.${asked.length}`, complete: false, peers, removed: names.slice(1, 2) }),
      );
    });
    const http = createDirectoryHttp({ url, ca: trusted.cert });
    const names = Array.from({ length: 250 }, (_, i) => `peer${i}`);
    const changes = await http.changes('run.0', names);
    expect(asked).toEqual([names.slice(0, 100), names.slice(100, 200), names.slice(200)]);
    expect(changes).toMatchObject({ cursor: 'run.1', isExpired: false, removed: ['peer1', 'peer101', 'peer201'] });
    expect(changes?.peers.map(({ name }) => name)).toEqual(['peer0', 'peer100', 'peer200']);
    await http.changes('run.0', []);
    expect(asked.at(-1)).toEqual(['']);
  });

  test('about more than a thousand names is one question about everybody', async () => {
    const { http, asked } = await answering(json(changed));
    await http.changes(
      'run.1',
      Array.from({ length: 1_001 }, (_, i) => `peer${i}`),
    );
    expect(asked.map(({ path }) => path)).toEqual(['/peers?format=json&changes=only&since=run.1']);
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
    for (let i = 0; i < 3; i++) expect(await http.changes('', ['alice'])).toBeUndefined();
    expect(asked).toHaveLength(1);
  });

  test.each([
    ['is out of order', { status: 500 }],
    ['is a web page just now', { headers: { 'content-type': 'text/html' }, body: '<html>' }],
  ])('a directory that %s is asked again', async (_, reply) => {
    const { http, asked } = await answering(reply);
    for (let i = 0; i < 2; i++) expect((await failure(http.changes('', ['alice']))).code).toBe('directory-unreachable');
    expect(asked).toHaveLength(2);
  });
});
