/** A reporter for Vitest that lists the tests that were skipped, at the end of a run; why, if their names do not say it. */
import { relative } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';

export default class SkippedTests implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const lines = modules.flatMap((module) =>
      [...module.children.allTests('skipped')].map((test) => {
        const { note } = test.result() as { note?: string };
        return [relative('', module.moduleId), test.fullName, note].filter(Boolean).join(': ');
      }),
    );
    if (lines.length > 0) process.stdout.write(['', 'Skipped:', ...lines.map((line) => `  ${line}`), ''].join('\n'));
  }
}
