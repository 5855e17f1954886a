/** What a running `serve` leaves in its home for `murmure why`: an explanation for each peer it has to do with, a second old, or a little more with very many. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Peer } from '../../index.ts';
import type { Explanation } from '../../journal/explain.ts';
import { InvalidFileError, NotServingError } from '../errors.ts';
import type { Home } from '../home/home.ts';

const REFRESH_MS = 1_000;
/** With thousands of sessions it takes a while, and then comes less often: explanations must not keep a peer from its work. */
const IDLE_SHARE = 20;

type ExplanationsByPeer = Readonly<Record<string, readonly Explanation[]>>;

const fileOf = ({ folder }: Home) => join(folder, 'live.json');

/** Disposing of it takes the file away. */
export function keepExplanationFile(home: Home, peer: Peer): Disposable {
  const file = fileOf(home);
  let written = '';
  const write = () => {
    const state: ExplanationsByPeer = Object.fromEntries(peer.explainAll());
    const text = JSON.stringify(state);
    if (text === written) return;
    try {
      // In one step: whoever reads meanwhile reads a whole one.
      writeFileSync(`${file}.part`, text, { mode: 0o600 });
      renameSync(`${file}.part`, file);
      written = text;
    } catch {
      // The disk is full, say: a peer goes on without explanations.
    }
  };
  let timer: NodeJS.Timeout;
  const refresh = () => {
    const startMs = performance.now();
    write();
    timer = setTimeout(refresh, Math.max(REFRESH_MS, IDLE_SHARE * (performance.now() - startMs)));
  };
  refresh();
  return {
    [Symbol.dispose]() {
      clearTimeout(timer);
      rmSync(file, { force: true });
    },
  };
}

/** @throws NotServingError, InvalidFileError */
export function readExplanationFile(home: Home, name: string): readonly Explanation[] {
  const file = fileOf(home);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new NotServingError(home.folder);
    throw new InvalidFileError(file, (error as Error).message);
  }
  try {
    const state = JSON.parse(text) as ExplanationsByPeer;
    return Object.hasOwn(state, name) ? (state[name] ?? []) : [];
  } catch (error) {
    throw new InvalidFileError(file, (error as Error).message);
  }
}
