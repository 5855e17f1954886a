/** Somebody closes the window: nothing is left behind, as with any other end. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { hasTmux, Terminal } from '../support/terminal.ts';

test.skipIf(!hasTmux)(
  'a terminal that is closed ends the demo, and nothing of it is left (skipped without tmux)',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'murmure-hangup-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    {
      using terminal = new Terminal(['demo'], { environment: { TMPDIR: folder } });
      await terminal.shows('you · timeline');
      expect(readdirSync(folder)).toEqual([expect.stringMatching(/^murmure-demo-/)]);
    }
    await eventually(() => expect(readdirSync(folder)).toEqual([]));
  },
);
