/** The person's browser. Addresses come from strangers: no shell sees them, and they begin with `http`, so that none is an option. */
import { spawn } from 'node:child_process';
import { MurmureError } from '../../wire/murmure-error.ts';

/** What opens an address on each system; `xdg-open` honours `$BROWSER`. */
const OPENERS: Partial<Record<NodeJS.Platform, readonly [command: string, ...args: string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};
/** Whatever has not failed by then is on its way. */
const PATIENCE_MS = 2_000;

/** @throws MurmureError that names the address, so that it can be opened by hand */
export async function openInBrowser(href: string): Promise<void> {
  const [command, ...args] = OPENERS[process.platform] ?? ['xdg-open'];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fail = (why: string) => reject(new MurmureError('unexpected', `${why}; the address is ${href}`));
  // Apart from this program, and from its terminal: it goes on when this one ends.
  const opener = spawn(command, [...args, href], { stdio: 'ignore', detached: true });
  opener.once('error', () => fail(`the browser cannot be started, because ${command} is missing`));
  opener.once('exit', (code) => (code === 0 ? resolve() : fail(`${command} could not open the browser`)));
  opener.unref();
  const timer = setTimeout(resolve, PATIENCE_MS);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
  }
}
