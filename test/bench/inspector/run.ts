/**
 * `npm run bench -- --inspector [ENTRIES]`: what it costs to look: a download while nobody looks any more and while somebody does, and
 * the page of a peer that works and of a journal. All is processor time, which says more than a clock on a busy machine.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { SyncFigures } from '../sync.ts';
import type { PageFigures } from './page.ts';

const RUNS = 5;
const MESSAGES = 30_000;
const BYTES = 200;
const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const node = (...argv: string[]) => execFileSync(process.execPath, argv, { encoding: 'utf8' });

export async function benchInspector([entries = 200_000]: readonly number[]): Promise<void> {
  const readers: Record<'plain' | 'looked' | 'looking', number[]> = { plain: [], looked: [], looking: [] };
  // By turns: a machine has better and worse minutes.
  for (let i = 0; i < RUNS; i++) {
    for (const [kind, all] of Object.entries(readers)) {
      const sync: SyncFigures = JSON.parse(
        node('--fast-properties-soft-limit=128', file('../sync.ts'), `${MESSAGES}`, `${BYTES}`, kind),
      );
      all.push(sync.readerMicroseconds);
    }
  }
  const plain = best(readers.plain);
  print(`download of ${MESSAGES} messages, µs of its reader a message`, plain.toFixed(1));
  print('what it costs more when nobody looks any more, %', percent(best(readers.looked) / plain), 'under 2');
  print('what it costs more while somebody looks, %', percent(best(readers.looking) / plain), 'under 15');
  if (!existsSync('/usr/bin/chromium')) {
    print('the page', 'skipped', 'there is no Chromium here');
    return;
  }
  const page: PageFigures = JSON.parse(node('--max-old-space-size=6000', file('page.ts'), `${entries}`));
  for (const [view, ms] of Object.entries(page.longestMs)) {
    print(`${page.actors} actors, 1,000 steps a second, ${view}: longest task, ms`, ms.toFixed(0), 'under 50');
  }
  print(`journal of ${page.entries} entries: until it can be looked at, s`, page.firstSeconds.toFixed(1), 'under 3');
  print(`its ${page.moments} moments read in the page, s`, page.pageSeconds.toFixed(1));
  print('longest task meanwhile, ms', page.longestReadingMs.toFixed(0), 'under 50');
  print('memory of the page then, MB', page.heapMb.toFixed(0));
}

/** Whatever else a machine does only adds to it. */
function best(values: readonly number[]): number {
  return Math.min(...values);
}

function percent(ratio: number): string {
  return (100 * (ratio - 1)).toFixed(1);
}

function print(what: string, value: string, aim = ''): void {
  console.log(`${what.padEnd(72)}${value.padStart(9)}   ${aim}`);
}
