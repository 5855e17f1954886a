/** An Error is always shown, a flood of them is not (protocol §4, §9). */
import { expect, test } from 'vitest';
import { rateLimited } from '../../../src/cli/peer/rate-limit.ts';
import type { PeerFact } from '../../../src/index.ts';

const from = { ip: '192.0.2.9', port: 9 };
const error: PeerFact = { type: 'error.received', from, name: undefined, text: 'no' };
const stranger: PeerFact = {
  type: 'session.opened',
  direction: 'incoming',
  name: 'x',
  address: from,
  authenticated: false,
};

function shown(course: (tell: (fact: PeerFact) => void, wait: (ms: number) => void) => void) {
  let now = 0;
  const facts: string[] = [];
  const warnings: string[] = [];
  const tell = rateLimited((fact) => facts.push(fact.type), { nowMs: () => now, warn: (text) => warnings.push(text) });
  course(tell, (ms) => {
    now += ms;
  });
  return { facts, warnings };
}

test('of a flood of Errors 30 a minute are shown, and how many were not', () => {
  const { facts, warnings } = shown((tell, wait) => {
    for (let i = 0; i < 1_000; i++) tell(error);
    wait(60_000);
    tell(error);
  });
  expect(facts).toHaveLength(31);
  expect(warnings).toEqual(['970 more like the next one arrived within a minute and were not shown']);
});

test('each type has its own share, and what strangers cannot cause is always shown', () => {
  const published: PeerFact = { type: 'root.published', root: 'r' };
  const { facts } = shown((tell) => {
    for (let i = 0; i < 100; i++) for (const fact of [error, stranger, published]) tell(fact);
  });
  const count = (type: string) => facts.filter((found) => found === type).length;
  expect([count('error.received'), count('session.opened'), count('root.published')]).toEqual([30, 30, 100]);
});

test('a clock that is set back does not silence anybody', () => {
  const { facts } = shown((tell, wait) => {
    for (let i = 0; i < 40; i++) tell(error);
    wait(-3_600_000);
    tell(error);
  });
  expect(facts).toHaveLength(31);
});
