/**
 * The UDP port of a home's peer, where none is asked for: the one it had last, else one that all use first. Others then find it where
 * it was, though nothing depends on that.
 */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Peer } from '../../index.ts';
import type { Home } from './home.ts';

/** Unassigned by IANA, and below the range from which systems take ports for outgoing connections. */
const DEFAULT_PORT = 22_022;

const fileIn = ({ folder }: Home) => join(folder, 'udp-port');

/** To be tried in this order, before any free one. */
export function preferredPorts(home: Home): number[] {
  const last = readLast(home);
  return last === undefined || last === DEFAULT_PORT ? [DEFAULT_PORT] : [last, DEFAULT_PORT];
}

function readLast(home: Home): number | undefined {
  try {
    const port = Number(readFileSync(fileIn(home), 'utf8'));
    return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps the port for the next start; a home that cannot be written goes without. */
export async function keepPort(home: Home, { addresses }: Peer): Promise<void> {
  const [first] = addresses;
  if (first === undefined || first.port === readLast(home)) return;
  await writeFile(fileIn(home), `${first.port}\n`, { mode: 0o600 }).catch(() => {});
}
