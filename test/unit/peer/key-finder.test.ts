/** Strangers make us ask the directory: how much, whatever they send, and whatever the clock does. */
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { generateKeyPair } from '../../../src/identity/key-pair.ts';
import type { PublicKey } from '../../../src/identity/public-key.ts';
import { KeyFinder } from '../../../src/peer/key-finder.ts';

let key: PublicKey;
beforeAll(async () => {
  key = (await generateKeyPair()).publicKey;
});

let monotonicMs: number;
let asked: string[];
let pinned: Map<string, PublicKey>;
let answers: ((peer: { key?: PublicKey } | undefined) => void)[];
let finder: KeyFinder;
beforeEach(() => {
  monotonicMs = 0;
  asked = [];
  pinned = new Map();
  answers = [];
  finder = new KeyFinder({
    pinnedKey: (name) => pinned.get(name),
    pinKey: (name, found) => pinned.set(name, found),
    lookUp: (name) => {
      asked.push(name);
      return new Promise((resolve) => answers.push(resolve));
    },
    directory: () => ({ addresses: [hostAt(9)], key }),
    isValidName: (name) => !name.includes('/'),
    monotonicNow: () => monotonicMs,
  });
});

const UNTRUSTED = { key: undefined, trusted: false };
const hostAt = (index: number) => ({ ip: `192.0.${index >> 8}.${index & 255}`, port: 1 });

/** So many strangers, each with a name and a host of its own. */
const strangers = (count: number, prefix = 'peer') =>
  Array.from({ length: count }, (_, i) => finder.find(`${prefix}${i}`, hostAt(i)));

test('a key that the directory gives is not asked for again so soon, and pinned once a signature has confirmed it', async () => {
  const found = finder.find('alice', hostAt(1));
  answers[0]?.({ key });
  expect(await found).toEqual({ key, trusted: true });
  expect(finder.find('alice', hostAt(2))).toEqual({ key, trusted: true });
  expect(pinned.size).toBe(0);
  finder.confirm('alice', key);
  expect(pinned.get('alice')).toBe(key);
  monotonicMs += 3_600_000;
  expect(finder.find('alice', hostAt(2))).toEqual({ key, trusted: true });
  expect(asked).toEqual(['alice']);
});

test('a key that no signature confirms is asked for again after a minute', async () => {
  const found = finder.find('alice', hostAt(1));
  answers[0]?.({ key });
  await found;
  monotonicMs += 60_001;
  void finder.find('alice', hostAt(1));
  expect(asked).toEqual(['alice', 'alice']);
});

test('a pinned key is never replaced', () => {
  pinned.set('alice', key);
  finder.confirm('alice', 'another one');
  expect(pinned.get('alice')).toBe(key);
});

test('Hellos under one name share one look-up', async () => {
  const found = Array.from({ length: 50 }, (_, i) => finder.find('alice', hostAt(i)));
  answers[0]?.(undefined);
  expect(await Promise.all(found)).toEqual(Array(50).fill({ key: undefined, trusted: true }));
  expect(asked).toEqual(['alice']);
});

test('one host causes 4 look-ups at a time', () => {
  for (let i = 0; i < 100; i++) finder.find(`peer${i}`, hostAt(1));
  expect(asked).toHaveLength(4);
});

test('a flood of names from everywhere causes 256 look-ups, and 64 a second after that', async () => {
  expect(strangers(1_000).slice(256)).toEqual(Array(744).fill(UNTRUSTED));
  expect(asked).toHaveLength(256);
  for (const answer of answers.splice(0)) answer(undefined);
  await new Promise((resolve) => setImmediate(resolve));
  monotonicMs += 1_000;
  strangers(1_000, 'other');
  expect(asked).toHaveLength(256 + 64);
});

test('no more than 256 look-ups wait for the directory', async () => {
  for (let second = 0; second < 60; second++) {
    strangers(100, `second ${second} peer`);
    monotonicMs += 1_000;
  }
  expect(asked).toHaveLength(256);
  for (const answer of answers.splice(0)) answer(undefined);
  await new Promise((resolve) => setImmediate(resolve));
  expect(finder.find('late', hostAt(1))).toBeInstanceOf(Promise);
});

test('a directory that cannot be asked makes nobody trusted', async () => {
  const failing = new KeyFinder({
    pinnedKey: () => undefined,
    pinKey: () => {},
    lookUp: () => Promise.reject(new Error('down')),
    directory: () => ({ addresses: [], key: undefined }),
    isValidName: () => true,
    monotonicNow: () => 0,
  });
  expect(await failing.find('alice', hostAt(1))).toEqual(UNTRUSTED);
});

test('an empty name is that of the directory, at its own addresses alone; a name that is none is nobody’s', () => {
  expect(finder.find('', hostAt(9))).toEqual({ key, trusted: true });
  expect(finder.find('', hostAt(8))).toEqual(UNTRUSTED);
  expect(finder.find('a/b', hostAt(1))).toEqual(UNTRUSTED);
  expect(asked).toEqual([]);
});

test('a host whose look-ups are answered may cause as many again', async () => {
  for (let i = 0; i < 4; i++) finder.find(`peer${i}`, hostAt(1));
  for (const answer of answers.splice(0, 2)) answer(undefined);
  await new Promise((resolve) => setImmediate(resolve));
  for (let i = 4; i < 10; i++) finder.find(`peer${i}`, hostAt(1));
  expect(asked).toHaveLength(6);
});
