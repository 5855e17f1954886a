/** A directory cannot make us send Hellos into networks that are not ours (protocol §5). */
import { expect, test } from 'vitest';
import { withinReach } from '../../../src/peer/private-addresses.ts';

const at = (ip: string) => ({ ip, port: 1 });
const PUBLIC = [at('203.0.113.7'), at('2001:db8::7'), at('172.32.0.1')];
const PRIVATE = ['10.0.0.1', '172.16.0.1', '192.168.7.1', '169.254.1.1', '127.0.0.1', '::1', 'fe80::1', 'fd00::1'].map(
  at,
);

test('of a directory with public addresses, private ones are not tried', () => {
  const here = { directory: [at('198.51.100.1')], localIps: ['203.0.113.9'] };
  expect(withinReach([...PUBLIC, ...PRIVATE], here)).toEqual(PUBLIC);
});

test('but those in a subnet of ours are', () => {
  const here = { directory: [at('198.51.100.1')], localIps: ['192.168.7.20', 'fd00::5'] };
  expect(withinReach(PRIVATE, here)).toEqual([at('192.168.7.1'), at('fd00::1')]);
});

test('of a directory at a private address, and of one whose address is not known yet, all are', () => {
  for (const directory of [[at('10.9.9.9')], [at('127.0.0.1')], []]) {
    expect(withinReach(PRIVATE, { directory, localIps: [] })).toEqual(PRIVATE);
  }
});
