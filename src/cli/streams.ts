/** What a run of the command line is given from outside, so that tests run commands in their own process. */
import type { createDirectory, createPeer } from '../index.ts';

/** As much of a Node stream as is written to. */
export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export type InputStream = AsyncIterable<Uint8Array | string> & { readonly isTTY?: boolean };

/** What a person at a terminal is asked; a person who ends the question ends the run. */
export interface Prompts {
  password(message: string): Promise<string>;
  /** Enter alone says no. */
  confirm(message: string): Promise<boolean>;
  /** Opens the person's editor. `complain` says what is wrong with a text; undefined: nothing. */
  edit(message: string, complain: (text: string) => string | undefined): Promise<string>;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The parts of the public API that commands start. */
export interface Services {
  readonly createPeer: typeof createPeer;
  readonly createDirectory: typeof createDirectory;
}

export interface Surroundings {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly stdin: InputStream;
  readonly env: Environment;
  /** Aborted with a `StoppedError` when the run has to end. Default: never. */
  readonly signal?: AbortSignal;
  /** Default: real ones if standard input and stderr are a terminal, else none. */
  readonly prompts?: Prompts;
  /** Default: those of the public API, loaded when a command first needs one. */
  readonly services?: Services;
  /** Unix milliseconds. Default: the system's clock. */
  readonly nowMs?: () => number;
}
