import { describe, expect, test } from 'vitest';
import {
  byFamily,
  canonicalIp,
  decodeSocketAddress,
  encodeSocketAddress,
  formatAddress,
  hostOf,
  parseAddress,
  sameAddress,
} from '../../../src/wire/socket-address.ts';

describe('IP addresses are canonical text', () => {
  // The examples of RFC 5952 §4.
  test.each([
    ['2001:0db8::0001', '2001:db8::1'],
    ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:DB8::A', '2001:db8::a'],
    ['::', '::'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['127.0.0.1', '127.0.0.1'],
  ])('%s is %s', (text, canonical) => expect(canonicalIp(text)).toBe(canonical));

  test.each([
    '',
    '1.2.3',
    '1.2.3.256',
    '01.2.3.4',
    '1::2::3',
    ':::',
    '1:2:3:4:5:6:7',
    '12345::',
    'localhost',
    '::1.2.3',
  ])('%s is none', (text) => expect(canonicalIp(text)).toBeUndefined());
});

describe('protocol §4: a socket address is the IP and the port', () => {
  test('of 6 bytes for IPv4', () => {
    const bytes = Uint8Array.of(192, 0, 2, 1, 0x1f, 0x90);
    expect(decodeSocketAddress(bytes)).toEqual({ ok: true, value: { ip: '192.0.2.1', port: 8080 } });
    expect(encodeSocketAddress({ ip: '192.0.2.1', port: 8080 })).toEqual(bytes);
  });
  test('of 18 bytes for IPv6', () => {
    const bytes = Uint8Array.of(0x20, 1, 0xd, 0xb8, ...new Array(11).fill(0), 1, 4, 170);
    expect(decodeSocketAddress(bytes)).toEqual({ ok: true, value: { ip: '2001:db8::1', port: 1194 } });
    expect(encodeSocketAddress({ ip: '2001:db8::1', port: 1194 })).toEqual(bytes);
  });
  test('of any other length it is malformed', () => {
    for (const length of [0, 5, 7, 17, 19]) expect(decodeSocketAddress(new Uint8Array(length)).ok).toBe(false);
  });
});

describe('addresses as people write them', () => {
  test.each(['192.0.2.1:80', '[2001:db8::1]:65535', '0.0.0.0:0', '[::]:0'])('%s is read and written', (text) => {
    const parsed = parseAddress(text);
    expect(parsed.ok && formatAddress(parsed.value)).toBe(text);
  });
  test.each(['192.0.2.1', '2001:db8::1:80', '[192.0.2.1:80', 'example.org:80', '192.0.2.1:65536', ':80', '[]:80'])(
    '%s is not an address, and it is said why',
    (text) => expect(parseAddress(text)).toEqual({ ok: false, why: expect.any(String) }),
  );
  test('are the same if IP and port are', () => {
    expect(sameAddress({ ip: '::1', port: 1 }, { ip: '::1', port: 1 })).toBe(true);
    expect(sameAddress({ ip: '::1', port: 1 }, { ip: '::1', port: 2 })).toBe(false);
  });
});

describe('the host of an address', () => {
  const host = (ip: string, port = 1) => hostOf({ ip, port });
  test('is its IPv4 address, whatever the port', () => {
    expect(host('192.0.2.1', 1)).toBe(host('192.0.2.1', 2));
    expect(host('192.0.2.1')).not.toBe(host('192.0.2.2'));
  });
  test('is its IPv6 network of 64 bits', () => {
    expect(host('2001:db8:0:1::1')).toBe(host('2001:db8:0:1:ffff::2'));
    expect(host('2001:db8:0:1::1')).not.toBe(host('2001:db8:0:2::1'));
    expect(host('2001:db8:1::')).not.toBe(host('2001:db8:2::'));
  });
});

test('addresses of IPv4 are sorted before those of IPv6, in the order in which they came', () => {
  const sorted = ['::2', '192.0.2.2', '::1', '192.0.2.1'].map((ip) => ({ ip, port: 1 })).sort(byFamily);
  expect(sorted.map(({ ip }) => ip)).toEqual(['192.0.2.2', '192.0.2.1', '::2', '::1']);
});
