/** `POST /register`: who gets a name, and how many. */
import { describe, expect, test } from 'vitest';
import { HOME, HOUR, isPlainText, key, otherKey, type Served, serve, T0 } from './http-served.ts';

const INVISIBLE = 'a name must not contain characters that are invisible or change the direction of text';

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
