/** What is made of the results of checks. */
import { expect, test } from 'vitest';
import { checks } from '../../../src/conformance/checks.ts';
import { junitXml } from '../../../src/conformance/junit.ts';
import { isBreach, type Result } from '../../../src/conformance/run-checks.ts';

const result = (level: Result['level'], status: Result['status'], detail = 'seen'): Result => ({
  id: 'a-check',
  section: '4',
  level,
  rule: 'A rule <of> "the" protocol & more',
  status,
  detail,
});

test('a MUST that failed is a breach, a SHOULD only where that is wanted, and what was not asked never', () => {
  expect(isBreach(result('MUST', 'failed'), false)).toBe(true);
  expect(isBreach(result('SHOULD', 'failed'), false)).toBe(false);
  expect(isBreach(result('SHOULD', 'failed'), true)).toBe(true);
  expect(isBreach(result('MUST', 'skipped'), true)).toBe(false);
  expect(isBreach(result('MUST', 'passed'), true)).toBe(false);
});

test('JUnit XML counts them, and contains nothing that the other side could break it with', () => {
  const xml = junitXml('127.0.0.1:1', [
    result('MUST', 'passed'),
    result('MUST', 'failed', '"/><evil>\u001b[31m\u0000'),
    result('SHOULD', 'skipped'),
  ]);
  expect(xml).toContain('tests="3" failures="1" skipped="1"');
  expect(xml).toContain('<failure message="MUST: &quot;/&gt;&lt;evil&gt;"/>');
  expect(xml).toContain('name="a-check: A rule &lt;of&gt; &quot;the&quot; protocol &amp; more"/>');
});

test('no two checks have the same id, and each has a rule of its own', () => {
  expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length);
  expect(new Set(checks.map(({ rule }) => rule)).size).toBe(checks.length);
});
