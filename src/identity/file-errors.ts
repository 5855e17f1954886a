/** What the system says of a file that could not be written: it does not name the file, which was opened before. */

/** The same error, for `file` unless it names one. To be thrown. */
export function withFile(error: unknown, file: string): unknown {
  if (error instanceof Error && 'code' in error && !('path' in error)) Object.assign(error, { path: file });
  return error;
}
