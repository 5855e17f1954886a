/** Runs the checks one after the other, the slow ones beside them. */
import { type Check, skipped, type Verdict } from './check.ts';
import { checks } from './checks.ts';
import type { Subject } from './subject.ts';

export interface Result extends Verdict, Pick<Check, 'id' | 'section' | 'level' | 'rule'> {}

export interface RunOptions {
  readonly only?: (check: Check) => boolean;
  readonly signal?: AbortSignal;
}

/** Over UDP, what everything else begins with. */
const FIRST = 'hello-answered';

/** In the order of the checks, those that are slow at the end. */
export async function* runChecks(
  subject: Subject,
  { only = () => true, signal }: RunOptions = {},
): AsyncGenerator<Result> {
  const mine = checks.filter((check) => check.roles.includes(subject.role) && only(check));
  const slow = mine.filter(({ isSlow }) => isSlow);
  let running: Promise<Result[]> | undefined;
  try {
    for (const check of mine.filter(({ isSlow }) => !isSlow)) {
      signal?.throwIfAborted();
      yield await resultOf(check, subject);
      // Once it is known who we are.
      running ??= Promise.all(slow.map((late) => resultOf(late, subject)));
    }
    yield* await (running ?? Promise.all(slow.map((late) => resultOf(late, subject))));
  } finally {
    subject.close();
  }
}

async function resultOf(check: Check, subject: Subject): Promise<Result> {
  const { id, section, level, rule } = check;
  return { id, section, level, rule, ...(await verdictOf(check, subject)) };
}

/** What cannot be asked says nothing of whoever is asked. */
async function verdictOf(check: Check, subject: Subject): Promise<Verdict> {
  try {
    const needsSession = check.section !== '3' && check.id !== FIRST;
    if (needsSession && (await subject.session()) === undefined) return skipped('it answers no Hello');
    const verdict = await check.run(subject);
    if (check.isSlow || (await subject.isCalm())) return verdict;
    return { status: 'failed', detail: `${verdict.detail}; and after that it answers no Hello any more` };
  } catch (error) {
    return { status: 'failed', detail: (error as Error).message };
  }
}

/** 7 in the end: a MUST failed, or with `isStrict` a SHOULD. */
export function isBreach({ status, level }: Result, isStrict: boolean): boolean {
  return status === 'failed' && (level === 'MUST' || isStrict);
}
