/** What the operating system refuses, in one sentence: what could not be done, to what, and what to do. */
import { isNativeError } from 'node:util/types';

const REASONS: Readonly<Record<string, readonly [what: string, todo: string]>> = {
  ENOSPC: ['the disk is full', 'make room and try again; nothing that was there before is lost'],
  EDQUOT: ['your disk quota is used up', 'make room and try again; nothing that was there before is lost'],
  EIO: ['the device reports an input/output error', 'check the device, and try again'],
  EACCES: ['permission denied', 'make sure that it and its folder are yours, or choose another place with --home'],
  EPERM: ['permission denied', 'make sure that it and its folder are yours, or choose another place with --home'],
  EROFS: ['the file system is read-only', 'choose another place with --home'],
  ENOTDIR: ['a part of its path is a file, not a folder', 'choose another place with --home'],
  ENOENT: ['there is no such file or folder', 'check the spelling'],
  EFBIG: ['it would exceed the limit for the size of files', 'raise that with ulimit -f'],
  EISDIR: ['it is a folder', 'move it away, or choose another place with --home'],
  EMFILE: ['too many files are open', 'close other programs, or allow more with ulimit -n'],
  ENFILE: ['too many files are open on this machine', 'close other programs'],
};

const VERBS: Readonly<Record<string, string>> = { mkdir: 'created', write: 'written', open: 'opened', read: 'read' };

/** Undefined for an error that is not the system's, or that says nothing to a user. */
export function systemFailure(error: unknown): string | undefined {
  if (!isNativeError(error)) return undefined;
  const { code = '', syscall = '', path } = error as NodeJS.ErrnoException;
  const [what, todo] = REASONS[code] ?? [];
  if (what === undefined) return undefined;
  return `${path ?? 'a file'} could not be ${VERBS[syscall] ?? 'used'}: ${what}; ${todo}`;
}

/** Only why, in a few words. */
export function systemReason({ code = '', message }: NodeJS.ErrnoException): string {
  return REASONS[code]?.[0] ?? message;
}
