import { describe, expect, test } from 'vitest';
import { publicKeyBytes } from '../../../src/identity/public-key.ts';
import { createDirectoryHttp } from '../../../src/peer/directory-http.ts';
import { answering, createFailure, failure, json, key, trusted } from './directory-http-support.ts';

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
