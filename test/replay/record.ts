/** `npm run journals:update`: records all journals of this folder anew. Look at what the test said of them before. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { record, scenarios } from './scenarios.ts';

for (const [name, scenario] of Object.entries(scenarios)) {
  const lines = await record(scenario);
  writeFileSync(join(import.meta.dirname, `${name}.jsonl`), `${lines.join('\n')}\n`);
  process.stdout.write(`${name}.jsonl: ${lines.length} lines, ${scenario.about}\n`);
}
