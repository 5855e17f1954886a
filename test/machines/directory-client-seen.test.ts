/** Protocol §3, §5: what others see of how a peer stands with its directory. */
import { beforeEach, describe, expect, test } from 'vitest';
import { type Actor, createActor } from 'xstate';
import { directoryClientMachine } from '../../machines/directory-client.machine.ts';
import type { DirectoryClientEvent } from '../../machines/directory-client-context.ts';
import { timing } from '../../machines/timing.ts';
import { ZERO_HASH } from '../../src/wire/hash.ts';
import type { ErrorCode } from '../../src/wire/murmure-error.ts';
import { Outside } from './outside.ts';

const directory = { ip: '192.0.2.9', port: 1194 };
const at = (port: number) => ({ ip: '192.0.2.1', port });
const PORT = 4_000;
const cost = { sent: 1, repeated: 0, window: 10, isBulk: false, freed: 1 };

const WITHOUT_UDP = { code: 'peer-unreachable', message: expect.stringContaining('nothing comes back over UDP') };

let outside: Outside;
let client: Actor<typeof directoryClientMachine>;
let states: string[];

function begin(register = true): void {
  outside = new Outside();
  const note = (what: string) => () => outside.told.push(what);
  const machine = directoryClientMachine.provide({
    actions: {
      findDirectory: note('GET /udp-address'),
      register: note('POST /register'),
      checkListing: note('GET us'),
      forgetConnections: note('close connections'),
    },
  });
  const input = { owner: outside.nobody('peer'), register, ports: [], ips: [at(PORT).ip] };
  client = createActor(machine, { id: 'directory-client', clock: outside.clock, input });
  states = outside.statesOf(client);
  outside.told.length = 0;
  client.start();
}

beforeEach(() => begin());

const send = (event: DirectoryClientEvent) => client.send(event);
/** What was told and asked for by `work`. */
async function toldBy(work: () => unknown): Promise<string[]> {
  outside.told.length = 0;
  await work();
  return [...outside.told];
}
const find = () => send({ type: 'directory.found', addresses: [directory], key: 'key', atMs: outside.nowMs });
const accept = () => send({ type: 'registration.accepted', atMs: outside.nowMs });
const greeted = () => send({ type: 'greeting.answered' });
const list = (...ports: number[]) => send({ type: 'listing.checked', addresses: ports.map(at), atMs: outside.nowMs });
const fail = (code: ErrorCode = 'directory-unreachable') =>
  send({ type: 'directory.failed', failure: { code, message: 'no' }, atMs: outside.nowMs });
const rootReceived = () =>
  send({ type: 'root.received', root: ZERO_HASH, authenticated: true, atMs: outside.nowMs, ...cost });

/** Listed under our port. */
function register(): void {
  send({ type: 'port.bound', port: PORT });
  find();
  accept();
  greeted();
  list(PORT);
}

test('it finds the directory, registers, has Hello said, and asks until we are listed', async () => {
  expect(outside.told).toEqual(['GET /udp-address']);
  send({ type: 'port.bound', port: PORT });
  expect((await toldBy(find)).sort()).toEqual(['POST /register', 'peer: directory.known']);
  expect((await toldBy(accept)).sort()).toEqual(['GET us', 'peer: directory.greetingWanted']);
  expect(await toldBy(() => list())).toEqual([]);
  expect(await toldBy(greeted)).toEqual([]);
  expect(await toldBy(() => outside.clock.advance(timing.listingPoll))).toEqual(['GET us']);
  expect(await toldBy(() => list(PORT))).toEqual(['peer: registration.listed']);
  expect(outside.last('registration.listed')).toMatchObject({ addresses: [at(PORT)] });
  expect(states).toEqual(['discovering', 'registering', 'confirming', 'waiting', 'confirming', 'registered']);
});

test('a peer that does not register only finds the directory', async () => {
  begin(false);
  expect(await toldBy(find)).toEqual(['peer: directory.known']);
  expect(await toldBy(() => outside.clock.advance(3_600_000))).toEqual([]);
});

describe('listed', () => {
  test('is only who is listed under a port that is in use: an older listing says nothing about this run', async () => {
    send({ type: 'port.bound', port: PORT });
    find();
    accept();
    greeted();
    expect(await toldBy(() => list(PORT + 1))).toEqual([]);
    expect(states.at(-1)).toBe('waiting');
    await outside.clock.advance(timing.listingPoll);
    expect(await toldBy(() => list(PORT + 1, PORT))).toEqual(['peer: registration.listed']);
  });

  test('is nobody under an address that this machine had before', async () => {
    send({ type: 'port.bound', port: PORT });
    send({ type: 'ips.changed', ips: ['198.51.100.1'] });
    find();
    accept();
    greeted();
    expect(await toldBy(() => list(PORT))).toEqual([]);
    send({ type: 'ips.changed', ips: ['198.51.100.1', at(PORT).ip] });
    await outside.clock.advance(timing.listingPoll);
    expect(await toldBy(() => list(PORT))).toEqual(['peer: registration.listed']);
  });

  test('at another IP address only after five seconds: it may be that of a NAT', async () => {
    send({ type: 'port.bound', port: PORT });
    send({ type: 'ips.changed', ips: ['198.51.100.1'] });
    find();
    accept();
    greeted();
    const asked: number[] = [];
    for (let i = 0; i < 20 && states.at(-1) !== 'registered'; i++) {
      asked.push(outside.clock.elapsedMs);
      list(PORT + 1);
      for (let j = 0; j < 200 && states.at(-1) === 'waiting'; j++) await outside.clock.advance(50);
    }
    const isPatient = asked.map((atMs) => atMs >= timing.listingPatience);
    expect(isPatient).toEqual([...new Array(asked.length - 1).fill(false), true]);
  });

  test('never under a port of ours that is not bound now: an earlier run has left it', async () => {
    send({ type: 'port.bound', port: PORT });
    find();
    accept();
    greeted();
    for (let i = 0; i < 40 && states.at(-1) !== 'backingOff'; i++) {
      list(PORT + 1);
      if (states.at(-1) === 'waiting') await outside.clock.advance(timing.listingPollMaximum);
    }
    expect(states).not.toContain('registered');
  });

  test('nobody is, without an address, however long it takes: then registering starts over', async () => {
    send({ type: 'port.bound', port: PORT });
    find();
    accept();
    greeted();
    for (let i = 0; i < 40 && states.at(-1) !== 'backingOff'; i++) {
      list();
      if (states.at(-1) === 'waiting') await outside.clock.advance(timing.listingPollMaximum);
    }
    expect(outside.last('registration.failed').failure).toMatchObject({
      code: 'peer-unreachable',
      message: expect.stringContaining('does not list this peer'),
    });
    expect(await toldBy(() => outside.clock.advance(timing.directoryRetry))).toEqual(['GET /udp-address']);
  });

  test('is nobody whose Hello has not been answered: the listing is from before UDP was lost', async () => {
    send({ type: 'port.bound', port: PORT });
    find();
    accept();
    list(PORT);
    expect(states.at(-1)).toBe('waiting');
    greeted();
    await outside.clock.advance(timing.listingPoll);
    expect(await toldBy(() => list(PORT))).toEqual(['peer: registration.listed']);
  });
});

describe('after a move', () => {
  const renew = () => send({ type: 'registration.renew', atMs: outside.nowMs });

  test.each([
    ['is sent', () => find()],
    [
      'is to be confirmed',
      () => {
        find();
        accept();
      },
    ],
    [
      'is not confirmed yet',
      () => {
        find();
        accept();
        list();
      },
    ],
  ])('a registration that %s is begun anew at once, and Hello said from where we are now', async (_, begun) => {
    begun();
    expect(await toldBy(renew)).toEqual(['POST /register']);
    expect((await toldBy(accept)).sort()).toEqual(['GET us', 'peer: directory.greetingWanted']);
  });

  test('a listing that is being read again says nothing: we register anew', async () => {
    register();
    for (let i = 0; i < 40 && states.at(-1) !== 'verifying'; i++) {
      await outside.clock.advance(timing.directoryCheck);
      rootReceived();
    }
    expect(await toldBy(renew)).toEqual(['POST /register']);
  });
});

describe('a registered peer', () => {
  test('asks its directory every 45 s whether it still knows it; a Root is enough', async () => {
    register();
    expect(await toldBy(() => outside.clock.advance(timing.directoryCheck - 1))).toEqual([]);
    expect(await toldBy(() => outside.clock.advance(1))).toEqual(['peer: directory.checkWanted']);
    expect(await toldBy(rootReceived)).toEqual([]);
    expect(await toldBy(() => outside.clock.advance(timing.directoryCheck))).toEqual(['peer: directory.checkWanted']);
  });

  test('registers anew when that is refused, over new connections: it may be known elsewhere', async () => {
    register();
    await outside.clock.advance(timing.directoryCheck);
    const failure = { code: 'peer-unreachable', message: 'no session' } as const;
    const refused = { type: 'root.failed', failure, isFinal: true, ...cost } as const;
    expect(await toldBy(() => send(refused))).toEqual(['close connections', 'POST /register']);
    expect(states.at(-1)).toBe('registering');
  });

  test('asks its directory at once when a question about its list has stayed unanswered', async () => {
    register();
    expect(await toldBy(() => send({ type: 'directory.doubted' }))).toEqual(['peer: directory.checkWanted']);
    expect(await toldBy(rootReceived)).toEqual([]);
    expect(states.at(-1)).toBe('registered');
  });

  test('says so within ten seconds when nobody answers, and looks for its directory', async () => {
    register();
    await outside.clock.advance(timing.directoryCheck);
    const told = await toldBy(() => outside.clock.advance(timing.directoryPatience + timing.directoryRetry));
    expect(told).toEqual(['GET /udp-address', 'peer: registration.failed']);
    expect(outside.last('registration.failed').failure).toMatchObject({ code: 'directory-unreachable' });
  });

  test('says so when its session with the directory is lost over that question', async () => {
    register();
    await outside.clock.advance(timing.directoryCheck);
    const failure = { code: 'peer-unreachable', message: 'silence' } as const;
    send({ type: 'root.failed', failure, isFinal: true, ...cost });
    expect(await toldBy(() => send({ type: 'greeting.failed', failure }))).toEqual(['GET /udp-address']);
    expect(await toldBy(() => outside.clock.advance(timing.directoryRetry))).toEqual(['peer: registration.failed']);
    expect(outside.last('registration.failed').failure).toMatchObject({ code: 'directory-unreachable' });
  });

  test('reads its listing every quarter of an hour, and registers anew when it is not there', async () => {
    register();
    const asked: string[] = [];
    for (let i = 0; i < 40 && asked.at(-1) !== 'GET us'; i++) {
      asked.push(...(await toldBy(() => outside.clock.advance(timing.directoryCheck))));
      asked.push(...(await toldBy(rootReceived)));
    }
    expect(outside.clock.elapsedMs).toBe(timing.listingCheck);
    expect(await toldBy(() => list(PORT, PORT + 1))).toEqual(['peer: listing.read']);
    expect(outside.last('listing.read')).toMatchObject({ addresses: [at(PORT), at(PORT + 1)] });
    for (let i = 0; i < 40 && states.at(-1) !== 'verifying'; i++) {
      await outside.clock.advance(timing.directoryCheck);
      rootReceived();
    }
    expect(asked.slice(0, -1)).toEqual(new Array(timing.listingCheck / timing.directoryCheck).fill(asked[0]));
    expect(await toldBy(() => list())).toEqual(['POST /register']);
  });

  test('registers anew after 50 minutes, before the directory forgets it', async () => {
    register();
    for (let i = 0; i < 100 && states.at(-1) !== 'registering'; i++) {
      await outside.clock.advance(timing.directoryCheck);
      if (states.at(-1) === 'checking') rootReceived();
      if (states.at(-1) === 'verifying') list(PORT);
    }
    expect(outside.clock.elapsedMs).toBeGreaterThanOrEqual(timing.registrationRenewal);
    expect(outside.clock.elapsedMs).toBeLessThan(timing.registrationRenewal + timing.directoryCheck);
  });

  test.each([
    ['registered', () => {}, 'POST /register'],
    ['checking', () => outside.clock.advance(timing.directoryCheck), 'POST /register'],
  ])('registers anew at once when it is told to (%s)', async (state, lead, asked) => {
    register();
    await lead();
    expect(states.at(-1)).toBe(state);
    expect(await toldBy(() => send({ type: 'registration.renew', atMs: outside.nowMs }))).toEqual([asked]);
  });

  test('that is backing off looks for its directory at once when it is told to', async () => {
    fail();
    expect(await toldBy(() => send({ type: 'registration.renew', atMs: outside.nowMs }))).toEqual(['GET /udp-address']);
  });

  test('says so when no address of the directory answers its Hello, and starts over', async () => {
    find();
    accept();
    const failure = { code: 'peer-unreachable', message: 'silence' } as const;
    expect(await toldBy(() => send({ type: 'greeting.failed', failure }))).toEqual(['peer: registration.failed']);
    expect(outside.last('registration.failed').failure).toMatchObject(WITHOUT_UDP);
  });

  test('whose datagrams are lost says one and the same for as long as that lasts: HTTPS answers, UDP does not', async () => {
    register();
    const failure = { code: 'peer-unreachable', message: 'silence' } as const;
    const said = new Set<unknown>();
    await outside.clock.advance(timing.directoryCheck + timing.directoryPatience);
    for (let i = 0; i < 5; i++) {
      find();
      accept();
      // The directory lists it for an hour after the last proof.
      for (let poll = 0; poll < 8; poll++) {
        list(PORT);
        await outside.clock.advance(500);
      }
      said.add(JSON.stringify(outside.last('registration.failed').failure));
      send({ type: 'greeting.failed', failure });
      await outside.clock.advance(timing.directoryRetryMaximum);
    }
    expect([...said]).toEqual([expect.stringContaining('192.0.2.9:1194')]);
    expect(outside.last('registration.failed').failure).toMatchObject(WITHOUT_UDP);
    expect(states.filter((state) => state === 'registered')).toHaveLength(1);
    find();
    accept();
    greeted();
    list(PORT);
    expect(states.at(-1)).toBe('registered');
    expect(client.getSnapshot().context.failure).toBeUndefined();
  });

  test('says nothing of the kind when its directory answers over UDP as soon as it does over HTTPS: it was started again', async () => {
    register();
    await outside.clock.advance(timing.directoryCheck + timing.directoryPatience);
    const told = await toldBy(() => {
      find();
      accept();
      list(PORT);
      greeted();
      return outside.clock.advance(timing.listingPoll).then(() => list(PORT));
    });
    expect(told).not.toContain('peer: registration.failed');
    expect(states.at(-1)).toBe('registered');
  });

  test.each([
    ['does not answer', () => outside.clock.advance(timing.directoryCheck + timing.directoryPatience)],
    [
      'has lost its session',
      () => send({ type: 'greeting.failed', failure: { code: 'peer-unreachable', message: 'silence' } }),
    ],
  ])('whose directory is gone, and %s, says what HTTPS says, not that UDP is lost', async (_, lose) => {
    register();
    const told = await toldBy(async () => {
      await lose();
      fail();
    });
    expect(told.filter((what) => what === 'peer: registration.failed')).toHaveLength(1);
    expect(outside.last('registration.failed').failure).toMatchObject({ message: 'no' });
    await outside.clock.advance(timing.directoryRetry);
    expect((await toldBy(find)).sort()).toEqual(['POST /register', 'peer: directory.known']);
  });

  test('reports what answered its Hello wrongly as it is', () => {
    find();
    accept();
    send({ type: 'greeting.failed', failure: { code: 'authentication', message: 'forged' } });
    expect(outside.last('registration.failed').failure).toEqual({ code: 'peer-unreachable', message: 'forged' });
  });

  test('so it does while it waits to be listed: a listing elsewhere from before proves nothing', async () => {
    find();
    accept();
    send({ type: 'listing.checked', addresses: [{ ip: '198.51.100.1', port: PORT }], atMs: outside.nowMs });
    const failure = { code: 'peer-unreachable', message: 'silence' } as const;
    expect(await toldBy(() => send({ type: 'greeting.failed', failure }))).toEqual(['peer: registration.failed']);
    expect(await toldBy(() => outside.clock.advance(timing.directoryRetry))).toEqual(['GET /udp-address']);
  });
});

describe('a directory that fails', () => {
  test('is asked again after pauses that double from 1 s to 4 s', async () => {
    const pauses: unknown[] = [];
    for (let i = 0; i < 5; i++) {
      fail();
      const { retryInMs } = outside.last('registration.failed');
      pauses.push(retryInMs);
      expect(await toldBy(() => outside.clock.advance(retryInMs as number))).toEqual(['GET /udp-address']);
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 4_000, 4_000]);
  });

  test('is asked after the shortest pause again once we were listed', async () => {
    for (let i = 0; i < 3; i++) {
      fail();
      await outside.clock.advance(timing.directoryRetryMaximum);
    }
    register();
    await outside.clock.advance(timing.directoryCheck);
    send({ type: 'root.failed', failure: { code: 'peer-unreachable', message: 'no' }, isFinal: true, ...cost });
    fail();
    expect(outside.last('registration.failed')).toMatchObject({ retryInMs: timing.directoryRetry });
  });

  test('because it has our name under another key, is asked again a minute later, and not before', async () => {
    find();
    expect(await toldBy(() => fail('authentication'))).toEqual(['peer: registration.failed']);
    expect(await toldBy(() => outside.clock.advance(timing.rejectionPause - 1))).toEqual([]);
    expect(await toldBy(() => outside.clock.advance(1))).toEqual(['GET /udp-address']);
  });
});
