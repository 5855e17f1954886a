/**
 * Journals as files. Each line is with the operating system when `write` returns, so that a crash of the program loses at
 * most the line being written. A file that has grown large is continued in FILE.1, FILE.2, …; reading FILE reads them all.
 */

import { closeSync, existsSync, openSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { withFile } from '../identity/file-errors.ts';
import { Turns } from '../runtime/turns.ts';
import { MurmureError } from '../wire/murmure-error.ts';
import { InvalidJournalError, type Journal, JournalParser } from './format.ts';
import type { JournalSink } from './recorder.ts';

/** Bytes after which the next file is begun. */
const ROTATE_AT = 64 * 1024 * 1024;
/** A line takes some microseconds to read, or as many milliseconds if it is a long one. */
const LINES_A_TURN = 64;

/** The file is there already, or cannot be made. */
export class JournalNotWritableError extends MurmureError {
  override readonly name = 'JournalNotWritableError';
  constructor(file: string, cause: unknown) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === 'EEXIST' ? 'it is there already, and a journal is not overwritten' : message;
    super(code === 'EEXIST' ? 'usage' : 'unexpected', `${file} cannot be recorded to: ${why}; name another file`, {
      cause,
    });
  }
}

/** @throws JournalNotWritableError */
export function createJournalFile(
  file: string,
  { rotateAt = ROTATE_AT }: { readonly rotateAt?: number } = {},
): JournalSink {
  let part = 0;
  let descriptor = open(file);
  let written = 0;
  return {
    write(line) {
      if (written >= rotateAt) {
        closeSync(descriptor);
        part += 1;
        written = 0;
        descriptor = open(partName(file, part));
      }
      try {
        written += writeSync(descriptor, `${line}\n`);
      } catch (error) {
        throw withFile(error, partName(file, part));
      }
    },
    close: () => closeSync(descriptor),
  };
}

/** @throws InvalidJournalError; what `signal` was aborted with */
export async function readJournal(file: string, signal?: AbortSignal): Promise<Journal> {
  const parser = new JournalParser(file);
  const turns = new Turns(LINES_A_TURN, signal);
  for (let part = 0; part === 0 || existsSync(partName(file, part)); part++) {
    const lines = (await read(partName(file, part))).split('\n');
    if (lines.at(-1) === '') lines.pop();
    for (const line of lines) {
      parser.add(line);
      await turns.pause();
    }
  }
  return parser.end();
}

function open(file: string): number {
  try {
    return openSync(file, 'wx', 0o600);
  } catch (error) {
    throw new JournalNotWritableError(file, error);
  }
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new InvalidJournalError(file, (error as Error).message);
  }
}

function partName(file: string, part: number): string {
  return part === 0 ? file : `${file}.${part}`;
}
