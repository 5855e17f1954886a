import { expect, test } from 'vitest';
import { type DirectoryClientContext, directoryClientMachine } from '../../machines/directory-client.machine.ts';
import { inert, nobody, unwalked, walkMachine } from './walk-machine.ts';

const address = { ip: '192.0.2.1', port: 1 };
const failed = (code: string) => ({ type: 'directory.failed', failure: { code, message: 'no' }, atMs: 1 });
const events = [
  { type: 'directory.found', addresses: [address], key: undefined, atMs: 1 },
  { type: 'registration.accepted', atMs: 2 },
  { type: 'listing.checked', addresses: [], atMs: 3 },
  { type: 'listing.checked', addresses: [address], atMs: 3 },
  failed('directory-unreachable'),
  failed('authentication'),
  { type: 'greeting.failed', failure: { code: 'peer-unreachable', message: 'silence' } },
  { type: 'xstate.after.pollPause.directory-client.waiting' },
  { type: 'xstate.after.retryPause.directory-client.backingOff' },
  { type: 'xstate.after.renewal.directory-client.registered' },
] as never;

test('every transition of the directory client is walked', async () => {
  const machine = directoryClientMachine.provide({ actions: inert('findDirectory', 'register', 'checkListing') });
  const key = ({ waitedMs }: DirectoryClientContext) => waitedMs;
  const owner = nobody('peer');
  const registering = await walkMachine({ machine, input: { owner, register: true }, key, events, depth: 40 });
  const looking = await walkMachine({ machine, input: { owner, register: false }, key, events, depth: 3 });
  const walked = registering.walked.union(looking.walked);
  expect(unwalked({ ...registering, walked })).toEqual([]);
});
