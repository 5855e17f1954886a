/** The table of contacts against two plain lists, whatever happens in whatever order. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Contacts,
  establishedIn,
  evictable,
  type IncomingEntry,
  incomingAt,
  incomingEntries,
  isCrowded,
  isReached,
  knownPeerAt,
  noContacts,
  type OutgoingEntry,
  outgoingIds,
  outgoingOf,
  outgoingOpenedBefore,
  sessionAt,
  withIncoming,
  withOutgoing,
  withoutIncoming,
  withoutOutgoing,
} from '../../machines/contacts.ts';
import { limits } from '../../machines/timing.ts';
import { hostOf, type SocketAddress, sameAddress } from '../../src/wire/socket-address.ts';
import { nobody } from '../machines/walk-machine.ts';

const socket = nobody('socket');
/** Two hosts with a port or two, and two ports within one IPv6 network, which counts as one host. */
const addresses: readonly SocketAddress[] = [
  { ip: '192.0.2.1', port: 1 },
  { ip: '192.0.2.1', port: 2 },
  { ip: '192.0.2.2', port: 1 },
  { ip: '2001:db8::1', port: 1 },
  { ip: '2001:db8::2', port: 1 },
];
const names = ['alice', '__proto__', ''];
const ids = names.map((name) => `outgoing-session.${name}`);

/** Two lists, in the order in which entries were last set. */
interface Lists {
  outgoing: (OutgoingEntry & { readonly id: string })[];
  incoming: IncomingEntry[];
}

const byId = (one: { readonly id: string }, other: { readonly id: string }) => (one.id < other.id ? -1 : 1);
const place = ({ address: { ip, port } }: IncomingEntry) => `${ip} ${port}`;
const sorted = (entries: readonly IncomingEntry[]) =>
  entries.toSorted((one, other) => (place(one) < place(other) ? -1 : 1));

function knownPeer({ outgoing, incoming }: Lists, at: SocketAddress) {
  const session = outgoing.find(({ address }) => address !== undefined && sameAddress(address, at));
  const guest = incoming.find(({ address }) => sameAddress(address, at));
  const named = guest?.name === undefined ? undefined : { name: guest.name, key: guest.key };
  const reached = session && { name: session.name, key: session.key };
  return guest?.proven === true ? (named ?? reached) : (reached ?? named);
}

function oldestUnproven({ incoming }: Lists, at: SocketAddress): IncomingEntry | undefined {
  const fromHost = incoming.filter(({ address }) => hostOf(address) === hostOf(at));
  const among = fromHost.length >= limits.incomingSessionsPerHost ? fromHost : incoming;
  return among.filter(({ proven }) => !proven).toSorted((one, other) => one.openedAtMs - other.openedAtMs)[0];
}

function expectSame(contacts: Contacts, lists: Lists): void {
  const { outgoing, incoming } = lists;
  expect(outgoingIds(contacts).sort()).toEqual(outgoing.map(({ id }) => id).sort());
  const established = outgoing.filter(({ address }) => address !== undefined).toSorted(byId);
  expect(establishedIn(contacts).toSorted(byId)).toEqual(established.map(({ id, ...entry }) => ({ id, entry })));
  const early = outgoing.filter(({ openedAtMs }) => openedAtMs === undefined || openedAtMs <= 5);
  expect(outgoingOpenedBefore(contacts, 5).sort()).toEqual(early.map(({ id }) => id).sort());
  for (const id of ids) {
    const { id: _, ...entry } = outgoing.find((session) => session.id === id) ?? { id };
    expect(outgoingOf(contacts, id) ?? {}).toEqual(entry);
  }
  expect(contacts.incomingCount).toBe(incoming.length);
  expect(sorted(incomingEntries(contacts))).toEqual(sorted(incoming));
  for (const at of addresses) {
    const here = outgoing.filter(({ address }) => address !== undefined && sameAddress(address, at));
    expect(isReached(contacts, at)).toBe(here.length > 0);
    for (const name of names) {
      expect(sessionAt(contacts, name, at) !== undefined).toBe(here.some((session) => session.name === name));
    }
    expect(incomingAt(contacts, at)).toEqual(incoming.find(({ address }) => sameAddress(address, at)));
    const known = knownPeerAt(contacts, at);
    expect(known && { name: known.name, key: known.key }).toEqual(knownPeer(lists, at));
    const fromHost = incoming.filter(({ address }) => hostOf(address) === hostOf(at)).length;
    expect(isCrowded(contacts, at, false)).toBe(
      incoming.length >= limits.incomingSessions || fromHost >= limits.incomingSessionsPerHost,
    );
    expect(evictable(contacts, at)).toEqual(oldestUnproven(lists, at));
  }
}

const anyAddress = fc.constantFrom(...addresses);
const anyName = fc.nat({ max: names.length - 1 });
const anyKey = fc.option(fc.constantFrom('key', 'other key'), { nil: undefined });
const anyStep = fc.oneof(
  fc.record({
    type: fc.constant('session' as const),
    name: anyName,
    address: fc.option(anyAddress, { nil: undefined }),
    key: anyKey,
  }),
  fc.record({ type: fc.constant('session over' as const), name: anyName }),
  fc.record({
    type: fc.constant('guest' as const),
    name: fc.option(anyName, { nil: undefined }),
    address: anyAddress,
    key: anyKey,
    proven: fc.boolean(),
  }),
  fc.record({ type: fc.constant('guest gone' as const), address: anyAddress }),
  fc.record({
    type: fc.constant('crowd' as const),
    address: anyAddress,
    count: fc.integer({ min: 1, max: limits.incomingSessionsPerHost + 5 }),
    proven: fc.boolean(),
  }),
);
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

/** The same in both; `atMs` is another one each time, so that of two sessions one is the older. */
function take(contacts: Contacts, lists: Lists, step: Step, atMs: number): Contacts {
  const admit = (before: Contacts, entry: IncomingEntry): Contacts => {
    lists.incoming = [...lists.incoming.filter(({ address }) => !sameAddress(address, entry.address)), entry];
    return withIncoming(before, entry);
  };
  switch (step.type) {
    case 'session': {
      const id = ids[step.name] as string;
      const openedAtMs = step.address === undefined ? undefined : atMs;
      const entry = {
        name: names[step.name] as string,
        address: step.address,
        key: step.key,
        openedAtMs,
        provenBy: [],
      };
      lists.outgoing = [...lists.outgoing.filter((session) => session.id !== id), { id, ...entry }];
      return withOutgoing(contacts, id, entry);
    }
    case 'session over':
      lists.outgoing = lists.outgoing.filter(({ id }) => id !== ids[step.name]);
      return withoutOutgoing(contacts, ids[step.name] as string);
    case 'guest': {
      const { address, key, proven } = step;
      const name = step.name === undefined ? undefined : names[step.name];
      return admit(contacts, { name, key, proven, openedAtMs: atMs, address, socket, said: undefined });
    }
    case 'guest gone':
      lists.incoming = lists.incoming.filter(({ address }) => !sameAddress(address, step.address));
      return withoutIncoming(contacts, step.address);
    case 'crowd': {
      let crowded = contacts;
      for (let i = 0; i < step.count; i++) {
        const address = { ip: step.address.ip, port: 10_000 + i };
        const { proven } = step;
        crowded = admit(crowded, {
          name: 'guest',
          key: undefined,
          proven,
          openedAtMs: atMs + i / 1_000,
          address,
          said: undefined,
          socket,
        });
      }
      return crowded;
    }
  }
}

describe('contacts', () => {
  test('are what two lists would say', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 25 }), (steps) => {
        const lists: Lists = { outgoing: [], incoming: [] };
        let contacts = noContacts;
        for (const [index, step] of steps.entries()) contacts = take(contacts, lists, step, index);
        expectSame(contacts, lists);
      }),
      { numRuns: 150 },
    );
  });

  test('that are all gone leave nothing behind', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 25 }), (steps) => {
        const lists: Lists = { outgoing: [], incoming: [] };
        let contacts = noContacts;
        for (const [index, step] of steps.entries()) contacts = take(contacts, lists, step, index);
        for (const { id } of lists.outgoing) contacts = withoutOutgoing(contacts, id);
        for (const { address } of lists.incoming) contacts = withoutIncoming(contacts, address);
        expect(contacts).toEqual(noContacts);
      }),
      { numRuns: 50 },
    );
  });

  test('are never changed in place', () => {
    const lists: Lists = { outgoing: [], incoming: [] };
    const step = { type: 'guest', name: 0, address: addresses[0] as SocketAddress, key: 'key', proven: true } as const;
    const before = take(noContacts, lists, step, 1);
    const copy = structuredClone({ ...before, places: undefined });
    take(before, lists, { ...step, address: addresses[1] as SocketAddress }, 2);
    withoutIncoming(before, step.address);
    expect({ ...before, places: undefined }).toEqual(copy);
    expect(noContacts.incomingCount).toBe(0);
  });

  const filledBy = (count: number, ip: (index: number) => string, proven = true) => {
    let contacts = noContacts;
    for (let i = 0; i < count; i++) {
      const address = { ip: ip(i), port: 1 + i };
      const entry = { name: 'guest', key: undefined, proven, openedAtMs: i, address, socket, said: undefined };
      if (!isCrowded(contacts, address, false)) contacts = withIncoming(contacts, entry);
    }
    return contacts;
  };

  test('of a few networks take three quarters of all places, and everybody else still gets in', () => {
    const contacts = filledBy(2_000, (i) => `10.0.${i % 8}.${1 + (i % 5)}`);
    expect(contacts.incomingCount).toBe((3 / 4) * limits.incomingSessions);
    expect(isCrowded(contacts, { ip: '10.0.0.9', port: 1 }, false)).toBe(true);
    expect(evictable(contacts, { ip: '10.0.0.9', port: 1 })).toBeUndefined();
    expect(isCrowded(contacts, { ip: '10.0.9.9', port: 1 }, false)).toBe(false);
  });

  test('that network is no reason to refuse somebody whom we follow, or who is on this machine', () => {
    const contacts = filledBy(2_000, (i) => `${i % 2 === 0 ? '127.0' : `10.${i % 16}`}.0.${1 + (i % 32)}`);
    expect(contacts.incomingCount).toBe(limits.incomingSessions);
    const scarce = filledBy(800, (i) => `10.0.${i % 8}.${1 + (i % 16)}`);
    expect(isCrowded(scarce, { ip: '10.0.0.9', port: 1 }, true)).toBe(false);
    expect(isCrowded(scarce, { ip: '127.0.0.1', port: 1 }, false)).toBe(false);
  });

  test('are crowded by so many sessions in all, whatever host asks; a proven one never makes room', () => {
    let contacts = noContacts;
    for (let i = 0; i < limits.incomingSessions; i++) {
      const address = { ip: `10.${i >> 6}.0.1`, port: 1 + (i & 63) };
      expect(isCrowded(contacts, address, false)).toBe(false);
      const entry = {
        name: 'guest',
        key: undefined,
        proven: i !== 500,
        openedAtMs: i,
        address,
        socket,
        said: undefined,
      };
      contacts = withIncoming(contacts, entry);
    }
    const [stranger] = addresses as [SocketAddress];
    expect(isCrowded(contacts, stranger, false)).toBe(true);
    const evicted = evictable(contacts, stranger) as IncomingEntry;
    expect(evicted.openedAtMs).toBe(500);
    contacts = withoutIncoming(contacts, evicted.address);
    expect(isCrowded(contacts, stranger, false)).toBe(false);
    expect(evictable(contacts, stranger)).toBeUndefined();
  });
});
