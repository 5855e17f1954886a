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
    const message = `the database ${file} is damaged (${(cause as Error).message}): restore it from a backup if you can, because it contains your own messages; otherwise move it away and sync again, but then nothing is published until you accept the loss with "murmure key resume"`;
    super('invalid-data', message, { cause });
  }
}

/** The file is a database, but none of ours. */
export class ForeignStoreError extends MurmureError {
  override readonly name = 'ForeignStoreError';
  constructor(file: string, cause?: unknown) {
    super('invalid-data', `${file} is a database of another program: move it away, or use another --home`, { cause });
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

/** Whoever wrote last did not finish, and nobody can do so who may only read. */
export class UnfinishedStoreError extends MurmureError {
  override readonly name = 'UnfinishedStoreError';
  constructor(file: string, cause: unknown) {
    const message = `${file} cannot be read without write access, because the latest changes are still in ${file}-wal: make its folder writable for you, or have its owner open it once`;
    super('unexpected', message, { cause });
  }
}

/** There is no such folder, it is not a file, or it is out of bounds. */
export class CannotOpenStoreError extends MurmureError {
  override readonly name = 'CannotOpenStoreError';
  constructor(file: string, cause: unknown) {
    const message = `${file} cannot be opened: check that it is a file, and that you may read and write it and its folder, or use another --home`;
    super('unexpected', message, { cause });
  }
}

/** The system does not read or write, and does not tell SQLite why. */
export class FailingDiskError extends MurmureError {
  override readonly name = 'FailingDiskError';
  constructor(file: string, cause: unknown) {
    const message = `${file} could not be read or written (${(cause as Error).message}): check whether the disk is full, unreachable or failing, and try again`;
    super('unexpected', message, { cause });
  }
}

/** There is too little memory left to work on the database. */
export class OutOfMemoryError extends MurmureError {
  override readonly name = 'OutOfMemoryError';
  constructor(file: string, cause: unknown) {
    super('unexpected', `there is not enough memory to work on ${file}: close other programs and try again`, { cause });
  }
}

/** Another process holds the database for longer than is right. */
export class BusyStoreError extends MurmureError {
  override readonly name = 'BusyStoreError';
  constructor(file: string, cause: unknown) {
    super('unexpected', `${file} is in use by another program and was not released: try again, or close that program`, {
      cause,
    });
  }
}

/** A backup is to be restored where there are messages already. */
export class OwnTreeExistsError extends MurmureError {
  override readonly name = 'OwnTreeExistsError';
  constructor() {
    super('usage', 'this home already has messages of yours, which were not changed: use another --home');
  }
}

type StoreError = new (file: string, cause: unknown) => MurmureError;

/** What the system can make SQLite say, by primary result code: https://sqlite.org/rescode.html */
const BY_CODE: Readonly<Record<number, StoreError>> = {
  3: ReadOnlyStoreError, // SQLITE_PERM
  5: BusyStoreError, // SQLITE_BUSY
  6: BusyStoreError, // SQLITE_LOCKED
  7: OutOfMemoryError, // SQLITE_NOMEM
  8: ReadOnlyStoreError, // SQLITE_READONLY
  10: FailingDiskError, // SQLITE_IOERR
  11: CorruptStoreError, // SQLITE_CORRUPT
  13: FullDiskError, // SQLITE_FULL
  14: CannotOpenStoreError, // SQLITE_CANTOPEN
  15: BusyStoreError, // SQLITE_PROTOCOL
  22: FailingDiskError, // SQLITE_NOLFS
  26: CorruptStoreError, // SQLITE_NOTADB
};

/** There is no room for what processes share: reading needs it as well. */
const SQLITE_IOERR_SHMSIZE = 10 | (19 << 8);

/** The error to show for what SQLite threw; other errors as they are. */
export function asStoreError(file: string, error: unknown): unknown {
  const { errcode } = error as { errcode?: number };
  if (errcode === undefined) return error;
  const Known = errcode === SQLITE_IOERR_SHMSIZE ? FullDiskError : BY_CODE[errcode & 0xff];
  return Known === undefined ? error : new Known(file, error);
}
