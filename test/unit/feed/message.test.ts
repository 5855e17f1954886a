import { describe, expect, test } from 'vitest';
import {
  claimedMs,
  isFuture,
  type KeptMessage,
  orderingMs,
  toMessage,
  WIRE_EPOCH_MS,
} from '../../../src/feed/message.ts';

const NOW = Date.parse('2023-01-22T12:00:00Z');
const DAY_S = 24 * 60 * 60;
/** The field's value for an instant, as the protocol has it. */
const wireDate = (ms: number): number => (ms - WIRE_EPOCH_MS) / 1000;

const kept: KeptMessage = {
  hash: 'ab'.repeat(32),
  author: 'alice',
  date: wireDate(Date.parse('2023-01-20T08:30:00Z')),
  inReplyTo: null,
  body: 'hello',
  receivedAtMs: NOW,
  authenticated: true,
  read: false,
};

describe('protocol §2: reading dates', () => {
  test('they count in seconds from 2022-01-01T00:00:00Z', () => {
    expect(WIRE_EPOCH_MS).toBe(Date.parse('2022-01-01T00:00:00Z'));
    expect(claimedMs(0, NOW)).toBe(WIRE_EPOCH_MS);
    expect(claimedMs(86_400, NOW)).toBe(Date.parse('2022-01-02T00:00:00Z'));
  });

  test('one that lies more than a day ahead, but not as Unix seconds, is read as Unix seconds', () => {
    expect(claimedMs(NOW / 1000, NOW)).toBe(NOW);
    expect(claimedMs(NOW / 1000 - 3600, NOW)).toBe(NOW - 3_600_000);
    expect(claimedMs(NOW / 1000 + DAY_S, NOW)).toBe(NOW + DAY_S * 1000);
  });

  test('one that lies ahead by a day at most is taken at its word', () => {
    expect(claimedMs(wireDate(NOW) + DAY_S, NOW)).toBe(NOW + DAY_S * 1000);
    expect(claimedMs(wireDate(NOW) + DAY_S + 1, NOW)).toBe((wireDate(NOW) + DAY_S + 1) * 1000);
  });

  test('one that lies ahead either way is taken as specified', () => {
    expect(claimedMs(0xffff_ffff, NOW)).toBe(WIRE_EPOCH_MS + 0xffff_ffff * 1000);
    expect(claimedMs(NOW / 1000 + DAY_S + 1, NOW)).toBe(WIRE_EPOCH_MS + NOW + (DAY_S + 1) * 1000);
  });
});

describe('protocol §2: never trust a date for ordering alone', () => {
  test('the earlier of claimed and first seen counts', () => {
    expect(orderingMs(1000, 2000)).toBe(1000);
    expect(orderingMs(3000, 2000)).toBe(2000);
  });

  test('a date that has not come yet is in the future, now is not', () => {
    expect(isFuture(NOW + 1, NOW)).toBe(true);
    expect(isFuture(NOW, NOW)).toBe(false);
  });
});

describe('a message as it is shown', () => {
  test('has ISO dates and all that was kept', () => {
    expect(toMessage(kept, NOW)).toEqual({
      hash: kept.hash,
      author: 'alice',
      date: '2023-01-20T08:30:00.000Z',
      receivedAt: '2023-01-22T12:00:00.000Z',
      inReplyTo: null,
      body: 'hello',
      authenticated: true,
      read: false,
    });
  });

  test('is marked if it claims to be from the future, even from the last second a date can name', () => {
    expect(toMessage({ ...kept, date: wireDate(NOW) + 60 }, NOW)).toMatchObject({ future: true });
    expect(toMessage({ ...kept, date: 0xffff_ffff }, NOW)).toMatchObject({
      future: true,
      date: '2158-02-07T06:28:15.000Z',
    });
    expect(toMessage(kept, NOW)).not.toHaveProperty('future');
  });

  test('has a body and an author that are safe to show', () => {
    const message = toMessage({ ...kept, author: 'ali\u202ece\nbob', body: '\x1b[2Jhi\r\nthere' }, NOW);
    expect(message).toMatchObject({ author: 'alice bob', body: 'hi\nthere' });
  });
});
