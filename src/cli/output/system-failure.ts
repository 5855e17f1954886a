/** What the operating system refuses, in one sentence: what could not be done, to what, and what to do. */
import { isNativeError } from 'node:util/types';

const REASONS: Readonly<Record<string, readonly [what: string, todo: string]>> = {
  ENOSPC: ['the disk is full', 'make room and try again; what was there before is as it was'],
  EDQUOT: ['your share of the disk is full', 'make room and try again; what was there before is as it was'],
  EACCES: ['there is no permission', 'make it and its folder yours, or choose another place with --home'],
  EPERM: ['there is no permission', 'make it and its folder yours, or choose another place with --home'],
  EROFS: ['it can only be read there', 'choose another place with --home'],
  ENOTDIR: ['a part of its path is a file, not a folder', 'choose another place with --home'],
  ENOENT: ['there is no such file or folder', 'check how it is spelled'],
  EFBIG: ['it may not become that large', 'allow larger files, with ulimit -f'],
  EISDIR: ['it is a folder', 'move it away, or choose another place with --home'],
  EMFILE: ['too many files are open', 'end other programs, or allow more with ulimit -n'],
  ENFILE: ['too many files are open on this machine', 'end other programs'],
};

const DEEDS: Readonly<Record<string, string>> = { mkdir: 'created', write: 'written', open: 'opened', read: 'read' };

/** Undefined for an error that is not the system's, or that says nothing to a user. */
export function systemFailure(error: unknown): string | undefined {
  if (!isNativeError(error)) return undefined;
  const { code = '', syscall = '', path } = error as NodeJS.ErrnoException;
  const [what, todo] = REASONS[code] ?? [];
  if (what === undefined) return undefined;
  return `${path ?? 'a file'} could not be ${DEEDS[syscall] ?? 'used'}: ${what}; ${todo}`;
}
