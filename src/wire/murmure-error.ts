/** What can go wrong, by class: the command line makes an exit code of it. */
export type ErrorCode =
  | 'unexpected'
  | 'usage'
  | 'directory-unreachable'
  | 'peer-unknown'
  | 'peer-unreachable'
  | 'authentication'
  | 'invalid-data'
  | 'in-use'
  | 'interrupted';

/** One sentence that says what happened, to what, and what to do; and the class it belongs to. */
export class MurmureError extends Error {
  override readonly name: string = 'MurmureError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Whatever was thrown, as machines and people are told of it: what is no MurmureError is unexpected, in its own words. */
export function failureFrom(error: unknown): { readonly code: ErrorCode; readonly message: string } {
  if (error instanceof MurmureError) return { code: error.code, message: error.message };
  return { code: 'unexpected', message: error instanceof Error ? error.message : String(error) };
}
