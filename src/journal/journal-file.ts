/**
 * Journals as files. Each line is with the operating system when `write` returns, so that a crash of the program loses at
 * most the line being written. A file that has grown large is continued in FILE.1, FILE.2, …; reading FILE reads them all.
 */
import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { MurmureError } from '../wire/murmure-error.ts';
import { InvalidJournalError, type Journal, parseJournal } from './format.ts';
import type { JournalSink } from './recorder.ts';

/** Bytes after which the next file is begun. */
const ROTATE_AT = 64 * 1024 * 1024;

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
      written += writeSync(descriptor, `${line}\n`);
    },
    close: () => closeSync(descriptor),
  };
}

/** @throws InvalidJournalError */
export function readJournal(file: string): Journal {
  let text = '';
  for (let part = 0; part === 0 || existsSync(partName(file, part)); part++) text += read(partName(file, part));
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return parseJournal(file, lines);
}

function open(file: string): number {
  try {
    return openSync(file, 'wx', 0o600);
  } catch (error) {
    throw new JournalNotWritableError(file, error);
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new InvalidJournalError(file, (error as Error).message);
  }
}

function partName(file: string, part: number): string {
  return part === 0 ? file : `${file}.${part}`;
}
