/** What the tests of the directory share. */
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { MurmureError } from '../../../src/wire/murmure-error.ts';

/** An empty folder, removed after the test. */
export function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'murmure-directory-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** What this failed with: one sentence. */
export async function failureOf(work: () => unknown): Promise<MurmureError> {
  let error: unknown;
  try {
    await work();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(MurmureError);
  expect((error as MurmureError).message).not.toContain('\n');
  return error as MurmureError;
}
