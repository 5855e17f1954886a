/** Which murmure this is. */
import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';

/** From package.json, which is above the sources as well as above what is built from them. */
export function packageVersion(): string {
  const path = findPackageJSON(import.meta.url);
  if (path === undefined) return 'unknown';
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}
