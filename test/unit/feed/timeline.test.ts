import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Message } from '../../../src/feed/message.ts';
import { orderMessages } from '../../../src/feed/timeline.ts';

const at = (minute: number): string => new Date(Date.UTC(2023, 0, 22, 0, minute)).toISOString();

function message(body: string, claimed: number, received: number): Message {
  const common = { hash: 'ab'.repeat(32), author: 'alice', inReplyTo: null, authenticated: true, read: true };
  return { ...common, body, date: at(claimed), receivedAt: at(received) };
}

const inOrder = (...messages: Message[]): string[] => messages.toSorted(orderMessages).map(({ body }) => body);

describe('protocol §2: the timeline is sorted by min(claimed, first seen)', () => {
  test('oldest first', () => {
    expect(inOrder(message('b', 20, 30), message('a', 10, 30), message('c', 30, 30))).toEqual(['a', 'b', 'c']);
  });

  test('a date in the future gets a message no further than its arrival', () => {
    expect(inOrder(message('from 2158', 50_000_000, 20), message('later', 25, 25))).toEqual(['from 2158', 'later']);
  });

  test('what ties is sorted by arrival', () => {
    expect(inOrder(message('second', 10, 40), message('first', 10, 30))).toEqual(['first', 'second']);
  });

  test('what came together stays as it came, so that an author’s messages of one second stay in the order of the tree', () => {
    expect(inOrder(message('one', 10, 30), message('two', 10, 30), message('three', 10, 30))).toEqual([
      'one',
      'two',
      'three',
    ]);
  });

  test('the comparison is consistent', () => {
    const any = fc.tuple(fc.nat(5), fc.nat(5)).map(([claimed, received]) => message('', claimed, received));
    fc.assert(
      fc.property(any, any, any, (a, b, c) => {
        expect(Math.sign(orderMessages(a, b)) + Math.sign(orderMessages(b, a))).toBe(0);
        if (orderMessages(a, b) <= 0 && orderMessages(b, c) <= 0) expect(orderMessages(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });
});
