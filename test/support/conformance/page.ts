/** docs/conformance.md, made of the checks and of what came of them. */
import { checks } from '../../../src/conformance/checks.ts';
import { unseen } from '../../../src/conformance/unseen.ts';
import { examined, type Marks } from './examined.ts';

const SIGNS = { passed: '✓', failed: '✗', skipped: '–' } as const;

const row = (...cells: readonly string[]) => `| ${cells.join(' | ')} |`;
const bySection = (a: { section: string }, b: { section: string }) =>
  Number.parseFloat(a.section) - Number.parseFloat(b.section);

export async function conformancePage(): Promise<string> {
  const columns: [string, Marks][] = [];
  for (const [name, examine] of Object.entries(examined)) columns.push([name, await examine()]);
  const names = columns.map(([name]) => name);
  const signs = (id: string) => columns.map(([, marks]) => SIGNS[marks.get(id) ?? 'skipped']);
  return [
    '# Conformance',
    '',
    '`murmure conformance HOST:PORT` checks a peer from outside, `murmure conformance https://…` a directory, whoever wrote it, and takes',
    'about a minute. Each check tries one sentence of [the protocol](protocol.md). With `--directory`, a peer finds our key there, and we its',
    'key, so that signatures are checked as well. It ends with 7 if a MUST fails, with `--strict` also if a SHOULD does; `--junit FILE` writes',
    'the results for build servers.',
    '',
    'Below is what our own programs get, and those of [section 11](protocol.md#11-known-programs) as we imitate them in our tests: ✓ passed,',
    '✗ failed, – not asked, or nothing to be seen. This page is made by `npm run conformance:page`, and a test holds it to the program.',
    '',
    row('§', 'level', 'check', 'rule', ...names),
    row('---', '---', '---', '---', ...names.map(() => '---')),
    ...checks
      .toSorted(bySection)
      .map(({ id, section, level, rule }) => row(section, level, `\`${id}\``, rule, ...signs(id))),
    '',
    '## What cannot be seen from outside',
    '',
    row('§', 'rule', 'why not'),
    row('---', '---', '---'),
    ...unseen.map(({ section, rule, why }) => row(section, rule, why)),
    '',
  ].join('\n');
}
