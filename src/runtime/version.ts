/** Which murmure this is, and where it is. */
import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { pathToFileURL } from 'node:url';

/** The folder above the sources, as well as above what is built from them. */
export function packageFolder(): URL {
  const path = findPackageJSON(import.meta.url);
  if (path === undefined) throw new Error('the package.json of murmure is missing: install murmure again');
  return new URL('.', pathToFileURL(path));
}

export function packageVersion(): string {
  return (JSON.parse(readFileSync(new URL('package.json', packageFolder()), 'utf8')) as { version: string }).version;
}
