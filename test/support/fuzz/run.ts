/** So many random inputs of a kind, in a folder of their own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Fuzzed } from './inputs.ts';

export async function fuzz({ property, share }: Fuzzed, inputs: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'murmure-fuzz-'));
  await using resources = new AsyncDisposableStack();
  resources.defer(() => rmSync(folder, { recursive: true }));
  const numRuns = Math.ceil(inputs / share);
  await fc.assert(property(folder, resources) as fc.IAsyncProperty<unknown>, { numRuns });
}
