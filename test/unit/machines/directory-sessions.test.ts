import { expect, test } from 'vitest';
import { forgetExpiredSessions, keepSession, MAX_UNPROVEN, noSessions } from '../../../machines/directory-sessions.ts';

test('a sweep forgets expired sessions bit by bit, and all of them in the end', () => {
  const sessions = noSessions();
  for (let i = 0; i < MAX_UNPROVEN; i++) {
    const address = { ip: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, port: 1 };
    const provenAtMs = i % 2 === 0 ? 0 : undefined;
    keepSession(sessions, { address, openedAtMs: 0, provenAtMs, name: 'a', helloId: 1, unansweredId: undefined });
  }
  const left = () => sessions.proven.size + sessions.unproven.size;
  let sweeps = 0;
  for (let before = left(); before > 0; before = left()) {
    forgetExpiredSessions(sessions, 1e9);
    expect(before - left()).toBeLessThanOrEqual(4_096);
    sweeps += 1;
  }
  expect(sweeps).toBe(MAX_UNPROVEN / 4_096);
});
