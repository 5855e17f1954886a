/** Why a request failed, in a sentence that says what to do. */
import { expect, test } from 'vitest';
import type { RequestOrder, RequestOutcome } from '../../machines/request-context.ts';
import { requestFailure } from '../../machines/request-failure.ts';

const order = { question: { type: 'RootRequest' }, to: { ip: '192.0.2.1', port: 1 } } as RequestOrder;
const unanswered = (...faults: string[]) =>
  ({
    kind: 'unanswered',
    waitedMs: 30_499,
    faults: Object.fromEntries(faults.map((fault) => [fault, 1])),
  }) as unknown as RequestOutcome;
const failure = (outcome: RequestOutcome, name = 'alice', sends = 5) => requestFailure(order, outcome, sends, name);

test.for([
  [{ kind: 'refused', text: 'no session' }, 'alice (192.0.2.1:1) refused our RootRequest: no session'],
  [{ kind: 'unsendable', why: 'no route' }, 'alice (192.0.2.1:1) cannot be reached: no route'],
  [unanswered(), 'alice (192.0.2.1:1) did not answer RootRequest, which was sent 5 times in 30 s; try again later'],
] as const)('nothing came of it: %j', ([outcome, message]) => {
  expect(failure(outcome as RequestOutcome)).toEqual({ code: 'peer-unreachable', message });
});

test('a request that was sent once, to somebody without a name, is told as that', () => {
  expect(failure(unanswered(), '', 1).message).toBe(
    '192.0.2.1:1 did not answer RootRequest, which was sent once in 30 s; try again later',
  );
});

test.for([
  [['forged', 'unsigned'], 'authentication', /signature that its known key did not make; .*"murmure trust alice"$/],
  [['unsigned', 'other name'], 'authentication', /without a signature.*"murmure trust alice --unsigned"$/],
  [['other name', 'other hash'], 'authentication', /^somebody else answers at the address of alice/],
  [['other hash'], 'invalid-data', /something else than what was asked for$/],
  [['other type'], 'invalid-data', /something else than what was asked for$/],
] as const)('answers that cannot be believed say so, the worst first: %j', ([faults, code, message]) => {
  expect(failure(unanswered(...faults))).toEqual({ code, message: expect.stringMatching(message) });
});

test.for(['forged', 'unsigned'])('only somebody with a name can be trusted by it: %s', (fault) => {
  expect(failure(unanswered(fault), '').message).not.toContain('murmure trust');
});
