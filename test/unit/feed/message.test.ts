import { describe, expect, test } from 'vitest';
import {
  claimedMs,
  isFuture,
  orderingMs,
  type StoredMessage,
  specifiedMs,
  toMessage,
  wireDate,
} from '../../../src/feed/message.ts';

const NOW = Date.parse('2023-01-22T12:00:00Z');
const DAY_S = 24 * 60 * 60;
const EPOCH_MS = Date.parse('2022-01-01T00:00:00Z');
/** Four ASCII digits, as one known peer writes them: "2023". */
const FOUR_DIGITS = 0x32303233;

const kept: StoredMessage = {
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
    expect(claimedMs(0, NOW)).toBe(EPOCH_MS);
    expect(claimedMs(86_400, NOW)).toBe(Date.parse('2022-01-02T00:00:00Z'));
    expect(specifiedMs(86_400)).toBe(Date.parse('2022-01-02T00:00:00Z'));
    expect(wireDate(Date.parse('2022-01-02T00:00:00.999Z'))).toBe(86_400);
  });

  test('a clock that is before 2022 or after 2158 gives no date, and is told', () => {
    expect(() => wireDate(0)).toThrow('the clock of this machine says 1970-01-01 00:00 UTC');
    expect(() => wireDate(Date.UTC(2159, 0, 1))).toThrow('says 2159-01-01 00:00 UTC');
  });

  test('one that lies more than a day ahead, but not as Unix seconds, is read as Unix seconds', () => {
    expect(claimedMs(NOW / 1000, NOW)).toBe(NOW);
    expect(claimedMs(NOW / 1000 - 3600, NOW)).toBe(NOW - 3_600_000);
    expect(claimedMs(NOW / 1000 + DAY_S, NOW)).toBe(NOW + DAY_S * 1000);
  });

  test('one that lies ahead by a day at most is taken at its word', () => {
    expect(claimedMs(wireDate(NOW) + DAY_S, NOW)).toBe(NOW + DAY_S * 1000);
    expect(claimedMs(wireDate(NOW) + DAY_S + 1, NOW)).not.toBe(NOW + DAY_S * 1000 + 1000);
  });

  test('one that lies ahead either way is taken as specified', () => {
    expect(claimedMs(0xffff_ffff, NOW)).toBe(EPOCH_MS + 0xffff_ffff * 1000);
    expect(claimedMs(NOW / 1000 + DAY_S + 1, NOW)).toBe(EPOCH_MS + NOW + (DAY_S + 1) * 1000);
  });
});

describe('protocol §2: a reading before 2022 is no date', () => {
  test('neither that of four digits, nor one of Unix seconds that is too early', () => {
    for (const date of [FOUR_DIGITS, wireDate(NOW) + DAY_S + 1, EPOCH_MS / 1000 - 1])
      expect(claimedMs(date, NOW)).toBeUndefined();
    expect(claimedMs(EPOCH_MS / 1000, NOW)).toBe(EPOCH_MS);
  });

  test('such a message is sorted by when it was first seen, and not marked as one of the future', () => {
    expect(orderingMs(claimedMs(FOUR_DIGITS, NOW), NOW)).toBe(NOW);
    expect(isFuture(claimedMs(FOUR_DIGITS, NOW), NOW)).toBe(false);
    const message = toMessage({ ...kept, date: FOUR_DIGITS }, NOW);
    expect(message).toMatchObject({ date: null, receivedAt: '2023-01-22T12:00:00.000Z' });
    expect(message).not.toHaveProperty('future');
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
