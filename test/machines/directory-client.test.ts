import { expect, test } from 'vitest';
import { directoryClientMachine } from '../../machines/directory-client.machine.ts';
import type { DirectoryClientContext } from '../../machines/directory-client-context.ts';
import { timing } from '../../machines/timing.ts';
import { ZERO_HASH } from '../../src/wire/hash.ts';
import { inert, nobody, unwalked, walkMachine } from './walk-machine.ts';

const address = { ip: '192.0.2.1', port: 1 };
const failed = (code: string) => ({ type: 'directory.failed', failure: { code, message: 'no' }, atMs: 1 });
const rootAt = (atMs: number) => ({ type: 'root.received', root: ZERO_HASH, authenticated: true, atMs });
const events = [
  { type: 'directory.found', addresses: [address], key: undefined, atMs: 1 },
  { type: 'registration.accepted', atMs: 2 },
  { type: 'listing.checked', addresses: [], atMs: 3 },
  { type: 'listing.checked', addresses: [address], atMs: 3 },
  failed('directory-unreachable'),
  failed('authentication'),
  { type: 'greeting.answered' },
  { type: 'xstate.after.retryPause.directory-client.discovering' },
  { type: 'greeting.failed', failure: { code: 'peer-unreachable', message: 'silence' } },
  { type: 'xstate.after.pollPause.directory-client.waiting' },
  { type: 'xstate.after.retryPause.directory-client.backingOff' },
  { type: 'xstate.after.rejectionPause.directory-client.rejected' },
  { type: 'xstate.after.checkPause.directory-client.registered' },
  { type: 'xstate.after.checkPatience.directory-client.checking' },
  { type: 'registration.renew', atMs: 4 },
  { type: 'listing.wanted' },
  { type: 'port.bound', port: 1 },
  { type: 'ips.changed', ips: [address.ip] },
  rootAt(5),
  rootAt(timing.listingCheck + 5),
  rootAt(timing.registrationRenewal + 5),
  { type: 'root.failed', failure: { code: 'peer-unreachable', message: 'no' }, isFinal: true },
  { type: 'directory.doubted' },
  { type: 'registration.stop' },
] as never;

test('every transition of the directory client is walked', () => {
  const machine = directoryClientMachine.provide({
    actions: inert('findDirectory', 'register', 'checkListing', 'forgetConnections'),
  });
  const key = ({ waitedMs, ports, ips, isGreeted, isUnanswered }: DirectoryClientContext) => [
    ...[waitedMs, Math.min(ports.length, 1), ips.length, isGreeted, isUnanswered],
  ];
  const owner = nobody('peer');
  const registering = walkMachine({
    machine,
    input: { owner, register: true, ports: [], ips: [] },
    key,
    events,
    depth: 40,
  });
  const looking = walkMachine({
    machine,
    input: { owner, register: false, ports: [], ips: [] },
    key,
    events,
    depth: 3,
  });
  const walked = registering.walked.union(looking.walked);
  expect(unwalked({ ...registering, walked })).toEqual([]);
});
