/** Protocol §5, §9: how many bytes a directory sends to addresses that nobody has proven. */
import { beforeEach, describe, expect, test } from 'vitest';
import { limits, timing } from '../../machines/timing.ts';
import { ZERO_HASH } from '../../src/wire/hash.ts';
import { at, hello, SeenDirectory } from './seen-directory.ts';

/** Of our HelloReply and Hello, bytes: header, flags, signature. */
const GREETING = 76;
/** What a host is sent once beyond three times its bytes. */
const ALLOWANCE = 1_024;
let directory: SeenDirectory;
beforeEach(() => {
  directory = new SeenDirectory();
});

describe('short Hellos', () => {
  /** Bytes of the shortest: header and flags, a name of one letter. */
  const SHORT = 12;

  test('are answered once beyond what they pay for, and our own Hello goes out once', async () => {
    directory.registered.set('v', false);
    expect(directory.sentBy(() => directory.hear(at(1), hello(7, 'v')))).toEqual(['HelloReply 7', 'Hello ?']);
    await directory.outside.clock.advance(60_000);
    expect(directory.hellosTo(at(1))).toBe(1);
    // Three of them pay for one answer.
    const answers = [8, 9, 10, 11].map((id) => directory.sentBy(() => directory.hear(at(1), hello(id, 'w'))));
    expect(answers.flat()).toHaveLength(Math.floor((limits.amplification * 5 * SHORT) / GREETING));
  });

  test('of one host share an allowance, which is not filled up again', () => {
    for (let port = 1; port <= 200; port++) directory.hear(at(1, port), hello(7, 'w'));
    expect(directory.outside.sent).toHaveLength(Math.floor(ALLOWANCE / GREETING));
    for (let port = 1; port <= 5; port++) directory.hear(at(2, port), hello(7, 'w'));
    expect(directory.outside.sent.filter(({ to }) => to.ip === at(2).ip)).toHaveLength(5);
  });

  test('that can be answered only once the address is proven are answered then', () => {
    directory.registered.set('v', false);
    for (let port = 1; port <= 100; port++) directory.hear(at(1, port), hello(7, 'w'));
    const vouch = () => directory.actor.send({ type: 'host.vouched', host: at(1).ip, atMs: directory.outside.nowMs });
    expect(directory.sentBy(() => directory.hear(at(1, 500), hello(7, 'v')))).toEqual([]);
    vouch();
    expect(directory.sentBy(() => directory.hear(at(1, 501), hello(8, 'v')))).toEqual(['Hello ?']);
    expect(directory.sentBy(() => directory.reply(at(1, 501), 'v'))).toEqual(['HelloReply 8']);
    expect(directory.facts.slice(-2).map(({ type }) => type)).toEqual(['hello.answered', 'address.proven']);
  });

  test('have one Hello of ours for each registration over HTTPS, at most 64, for two minutes', async () => {
    directory.registered.set('v', false);
    for (let port = 1; port <= 100; port++) directory.hear(at(1, port), hello(7, 'w'));
    const vouch = () => directory.actor.send({ type: 'host.vouched', host: at(1).ip, atMs: directory.outside.nowMs });
    const asked = (from: number, count: number) => {
      const ports = Array.from({ length: count }, (_, i) => from + i);
      return directory.sentBy(() => {
        for (const port of ports) directory.hear(at(1, port), hello(8, 'v'));
      });
    };
    vouch();
    vouch();
    expect(asked(1_000, 5)).toEqual(['Hello ?', 'Hello ?']);
    for (let i = 0; i < 100; i++) vouch();
    expect(asked(2_000, 100)).toHaveLength(64);
    vouch();
    await directory.outside.clock.advance(timing.voucherLifetime - 1);
    expect(asked(3_000, 1)).toHaveLength(1);
    vouch();
    await directory.outside.clock.advance(timing.voucherLifetime);
    expect(asked(4_000, 1)).toEqual([]);
  });

  test('from a listed address get our Hello all the same', () => {
    for (let port = 1; port <= 100; port++) directory.hear(at(1, port), hello(7, 'w'));
    directory.registered.set('v', false);
    directory.listed.add('v 192.0.2.1:700');
    expect(directory.sentBy(() => directory.hear(at(1, 700), hello(8, 'v')))).toEqual(['Hello ?']);
  });
});

describe('bytes', () => {
  test('to an address that nobody has proven are at most three times those that came from there', () => {
    directory.hear(at(1), hello(7, 'guest'.padEnd(200, 'x')));
    let received = 7 + 4 + 200;
    for (let id = 8; id < 100; id++) {
      directory.hear(at(1), { type: 'RootRequest', id });
      directory.hear(at(1), { type: 'GetDatum', id: id + 100, hash: ZERO_HASH });
      received += 7 + 7 + 32;
    }
    expect(directory.bytesTo(at(1).ip)).toBeLessThanOrEqual(limits.amplification * received);
    expect(directory.bytesTo(at(1).ip)).toBeGreaterThan(limits.amplification * received - 7 - 32 - 64);
  });

  test('that one address has paid for are not spent at another of its host', () => {
    directory.hear(at(1, 1), hello(7, 'guest'.padEnd(200, 'x')));
    directory.hear(at(1, 2), hello(8, 'w'));
    const ask = (port: number) => directory.sentBy(() => directory.hear(at(1, port), { type: 'RootRequest', id: 9 }));
    expect(ask(2)).toEqual([]);
    expect(ask(1)).toEqual(['Root 9']);
  });

  test('to a proven address are not counted', () => {
    directory.prove(at(1), 'alice');
    const ids = Array.from({ length: 100 }, (_, i) => i + 10);
    const asked = directory.sentBy(() => {
      for (const id of ids) directory.hear(at(1), { type: 'RootRequest', id });
    });
    expect(asked).toHaveLength(100);
  });
});
