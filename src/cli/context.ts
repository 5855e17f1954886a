/** What a command works with. */
import { UsageError } from './errors.ts';
import type { Dialogue } from './front-end/dialogue.ts';
import { readPem } from './input/text-file.ts';
import type { Output } from './output/output.ts';
import type { Settings } from './settings/settings.ts';
import type { InputStream, OutputStream, Prompts, Services } from './streams.ts';

export interface CommandContext {
  readonly settings: Settings;
  readonly output: Output;
  readonly stdin: InputStream;
  /** Undefined where nobody sits at a terminal. */
  readonly prompts: Prompts | undefined;
  /** The front end's questions; undefined where nobody sits at a terminal. */
  readonly dialogue: Dialogue | undefined;
  /** For logs; what commands have to say goes through `output`. */
  readonly stderr: OutputStream;
  /** Aborted, with the error to end with, when the run has to stop or its time is up. */
  readonly signal: AbortSignal;
  readonly services: Services;
  nowMs(): number;
}

/** What a command ends with when it does not end with 0 or an error: it has said itself what went wrong. */
// biome-ignore lint/suspicious/noConfusingVoidType: most commands return nothing
export type CommandResult = Promise<number | void>;

export interface DirectoryAccess {
  readonly directory: string;
  /** PEM */
  readonly ca?: string;
}

/** Where the directory is, and what to trust besides the system's certificates. @throws UsageError, InvalidFileError */
export async function requireDirectory({ settings }: CommandContext): Promise<DirectoryAccess> {
  const { directory, ca } = settings;
  if (directory === undefined) {
    throw new UsageError(
      'no directory is given: add --directory URL, set MURMURE_DIRECTORY, or write directory = "URL" in config.toml',
    );
  }
  const url = URL.parse(directory);
  if (url?.protocol !== 'https:') {
    throw new UsageError(`the directory must be a URL that starts with https://, not "${directory}"`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new UsageError('the URL of a directory has neither user nor password: leave out what is before the "@"');
  }
  return ca === undefined ? { directory } : { directory, ca: await readPem(ca, 'CERTIFICATE') };
}
