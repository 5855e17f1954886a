/** Results as JUnit XML, which build servers read. */
import { safeLine } from '../feed/safe-text.ts';
import type { Result } from './run-checks.ts';

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escaped(text: string): string {
  return safeLine(text).replace(/[&<>"]/g, (character) => ENTITIES[character] as string);
}

export function junitXml(target: string, results: readonly Result[]): string {
  const count = (status: Result['status']) => results.filter((result) => result.status === status).length;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite name="${escaped(`conformance of ${target}`)}" tests="${results.length}" failures="${count('failed')}" skipped="${count('skipped')}">`,
    ...results.map(testCase),
    '</testsuite>',
    '',
  ].join('\n');
}

function testCase({ id, section, level, rule, status, detail }: Result): string {
  const head = `  <testcase classname="protocol ${section}" name="${escaped(`${id}: ${rule}`)}"`;
  if (status === 'passed') return `${head}/>`;
  const tag = status === 'failed' ? 'failure' : 'skipped';
  return `${head}><${tag} message="${escaped(`${level}: ${detail}`)}"/></testcase>`;
}
