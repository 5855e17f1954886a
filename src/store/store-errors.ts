/** What can go wrong with the database, each with the sentence that the user gets. */
import { MurmureError } from '../wire/murmure-error.ts';

/** The file was written by a later version of this program. */
export class NewerHomeError extends MurmureError {
  override readonly name = 'NewerHomeError';
  constructor(file: string) {
    super('invalid-data', `${file} was written by a newer murmure: update this one, or use another home`);
  }
}

/** The file is damaged, or no database at all. */
export class CorruptStoreError extends MurmureError {
  override readonly name = 'CorruptStoreError';
  constructor(file: string, cause: unknown) {
    const message = `the database ${file} is damaged (${(cause as Error).message}): move it away and sync again; your key is not in it, but your own messages are, so restore it from a backup if you can`;
    super('invalid-data', message, { cause });
  }
}

/** The disk is full. */
export class FullDiskError extends MurmureError {
  override readonly name = 'FullDiskError';
  constructor(file: string, cause: unknown) {
    super(
      'unexpected',
      `the disk is full, so nothing could be written to ${file}: make room and try again; nothing was lost`,
      {
        cause,
      },
    );
  }
}

/** The file, or its folder, cannot be written. */
export class ReadOnlyStoreError extends MurmureError {
  override readonly name = 'ReadOnlyStoreError';
  constructor(file: string, cause: unknown) {
    super('unexpected', `${file} cannot be written: make it and its folder writable for you, or use another --home`, {
      cause,
    });
  }
}

/** Another process holds the database for longer than is right. */
export class BusyStoreError extends MurmureError {
  override readonly name = 'BusyStoreError';
  constructor(file: string, cause: unknown) {
    super('unexpected', `${file} is in use by another program and was not released: try again, or end that program`, {
      cause,
    });
  }
}

/** A backup is to be restored where there are messages already. */
export class OwnTreeExistsError extends MurmureError {
  override readonly name = 'OwnTreeExistsError';
  constructor() {
    super('usage', 'there are messages of your own here already, and they are left as they are: use another --home');
  }
}

/** SQLite's primary result codes, https://sqlite.org/rescode.html */
const SQLITE_BUSY = 5;
const SQLITE_READONLY = 8;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const SQLITE_NOTADB = 26;

/** The error to show for what SQLite threw; other errors as they are. */
export function asStoreError(file: string, error: unknown): unknown {
  const code = (error as { errcode?: number }).errcode;
  if (code === undefined) return error;
  switch (code & 0xff) {
    case SQLITE_BUSY:
      return new BusyStoreError(file, error);
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return new ReadOnlyStoreError(file, error);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return new CorruptStoreError(file, error);
    case SQLITE_FULL:
      return new FullDiskError(file, error);
    default:
      return error;
  }
}
