/** Started by steady.ts: has peers listed, and once it is told to, does with them what registered peers do in a minute. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { loadKeyFile } from '../../../src/identity/key-file.ts';
import type { SocketAddress } from '../../../src/wire/socket-address.ts';
import { PER_HOUR } from './capacity.ts';
import { BenchPeer, Connection } from './peers.ts';

export interface SteadyInput {
  readonly url: string;
  readonly udp: SocketAddress;
  readonly ca: string;
  /** All names are bound to the key in this file. */
  readonly keyFile: string;
  /** The number of the first. */
  readonly from: number;
  readonly count: number;
  readonly measuredMs: number;
}

export interface Done {
  readonly renewals: number;
  readonly roots: number;
  readonly keepAlives: number;
  readonly failed: number;
}

const HOUR_MS = 3_600_000;
const TICK_MS = 20;
/** While so many wait for an answer, the minute stands still: a directory that gets too little of the machine is not asked more and more. */
const MAX_PENDING = 64;
/** Proofs under way at a time. */
const AT_ONCE = 64;

const { url, udp, ca: caFile, keyFile, from, count, measuredMs } = JSON.parse(process.argv[2] ?? '') as SteadyInput;
const ca = readFileSync(caFile, 'utf8');
const keyPair = await loadKeyFile(keyFile);
const peers = await listAll();
const keepAlive = await (peers[0] as BenchPeer).keepAliveDatagram();
const connections = Array.from({ length: 8 }, (_, i) => new Connection(from + i, url, ca));
// Nobody is left to tell.
process.on('disconnect', () => process.exit());
const going = once(process, 'message');
process.send?.('ready');
await going;
process.send?.(await measure());
for (const peer of peers) peer.close();
for (const connection of connections) connection.close();
process.disconnect?.();

async function listAll(): Promise<BenchPeer[]> {
  const all: BenchPeer[] = [];
  let next = 0;
  const some = async () => {
    while (next < count) {
      const index = next;
      next += 1;
      const peer = await BenchPeer.join(from + index, `peer${from + index}`, udp, keyPair);
      all[index] = peer;
      await peer.sayHello();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, some));
  return all;
}

async function register({ name }: BenchPeer, connection: Connection): Promise<void> {
  await connection.ask('/register', { name, key: keyPair.publicKey });
}

async function renew(peer: BenchPeer, index: number): Promise<void> {
  await register(peer, connections[index % connections.length] as Connection);
  await peer.sayHello();
}

async function measure(): Promise<Done> {
  const kinds = {
    renewals: { perHour: PER_HOUR.renewals, work: renew },
    roots: { perHour: PER_HOUR.roots, work: (peer: BenchPeer) => peer.askForRoot() },
    keepAlives: { perHour: PER_HOUR.keepAlives, work: (peer: BenchPeer) => peer.keepAlive(keepAlive) },
  };
  const done = { renewals: 0, roots: 0, keepAlives: 0 };
  let failed = 0;
  const pending = new Set<Promise<unknown>>();
  let passedMs = 0;
  let lastMs = performance.now();
  while (passedMs < measuredMs) {
    const nowMs = performance.now();
    if (pending.size < MAX_PENDING) passedMs = Math.min(measuredMs, passedMs + nowMs - lastMs);
    lastMs = nowMs;
    (['renewals', 'roots', 'keepAlives'] as const).forEach((kind, place) => {
      const { perHour, work } = kinds[kind];
      for (; done[kind] < (count * perHour * passedMs) / HOUR_MS; done[kind] += 1) {
        // Each kind goes through the peers from elsewhere, so that no peer does two things at a time.
        const peer = peers[(done[kind] + Math.floor((place * count) / 3)) % count] as BenchPeer;
        const working = Promise.resolve(work(peer, done[kind])).catch(() => {
          failed += 1;
        });
        pending.add(working);
        void working.finally(() => pending.delete(working));
      }
    });
    await pause(TICK_MS);
  }
  await Promise.race([Promise.all(pending), pause(20_000)]);
  return { ...done, failed: failed + pending.size };
}
