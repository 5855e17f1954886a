/** A process of its own that downloads the feed of `deep`, into a store on disk, and tells what that took of memory and of time at a stretch. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { generateKeyPair } from '../../../src/identity/key-pair.ts';
import { createPeer, openSqliteStore } from '../../../src/index.ts';
import type { Ready } from './target.ts';

export interface Read {
  readonly error: string | undefined;
  readonly nodes: number;
  readonly peakMb: number;
  readonly longestMs: number;
  readonly seconds: number;
}

process.on('message', async (author: Ready) => process.send?.(await read(author)));
process.on('disconnect', () => process.exit());

async function read({ url: directory, ca }: Ready): Promise<Read> {
  const folder = mkdtempSync(join(tmpdir(), 'murmure-bench-'));
  try {
    using store = openSqliteStore(join(folder, 'store.db'));
    const keyPair = await generateKeyPair();
    const udp = ['127.0.0.1:0'];
    await using peer = await createPeer({ name: 'reader', keyPair, store, directory, ca, udp, register: false });
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const startMs = performance.now();
    const { error, nodesFetched } = await peer.sync('deep');
    return {
      error: error?.message,
      nodes: nodesFetched,
      peakMb: process.resourceUsage().maxRSS / 1_024,
      longestMs: delay.max / 1e6,
      seconds: (performance.now() - startMs) / 1_000,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
