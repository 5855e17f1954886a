/**
 * `node test/bench/directory/load.ts JSON`: peers in this process keep directories busy with one thing after the other. Prints, as JSON, how
 * often a second each was done, the time that 99 % of them took at most, and the processor time that each cost the directories and their engine.
 */
import { readFileSync } from 'node:fs';
import type { SocketAddress } from '../../../src/wire/socket-address.ts';
import { FOLLOWED } from './capacity.ts';
import { cpuSeconds, memoryOf } from './instances.ts';
import { BenchPeer, Connection } from './peers.ts';

export interface LoadInput {
  readonly instances: readonly {
    readonly pid: number;
    readonly url: string;
    readonly udp: SocketAddress;
    readonly ca: string;
  }[];
  readonly enginePid?: number | undefined;
  /** Names that are listed already: `peer0` and so on. */
  readonly names: number;
}

export interface Figures {
  readonly perSecond: number;
  /** Of 100, 99 took no longer. */
  readonly latencyMs: number;
  /** Of the directories' and the engine's processors: the median of the rounds. */
  readonly microseconds: number;
}

export interface ListFigures {
  readonly seconds: number;
  readonly bytes: number;
  /** The longest that somebody else waited for a small answer meanwhile. */
  readonly blockedMs: number;
}

export interface LoadFigures {
  readonly register: Figures;
  readonly prove: Figures;
  readonly renew: Figures;
  readonly lookUp: Figures;
  readonly root: Figures;
  readonly keepAlive: Figures;
  readonly changes: Figures;
  readonly list: ListFigures;
  readonly textList: ListFigures;
  /** What one peer takes in an answer that tells what has changed. */
  readonly peerBytes: number;
  /** An answer that tells that nothing has. */
  readonly quietBytes: number;
  /** What a connection that is kept open takes of a directory's memory. */
  readonly connectionBytes: number;
  /** Bytes: of the first instance, before and at most. */
  readonly memory: { readonly now: number; readonly peak: number };
}

/** Everything is done in rounds; what the first one costs, when code is compiled, does not count. */
const ROUNDS = 3;
const PEERS = 3_000;
const AT_ONCE = 32;
const LOOK_UPS = 9_000;
const ROOTS = 15_000;
const KEEP_ALIVES = 30_000;
const CONNECTIONS = 2_000;
/** A second Hello within this is taken for the first one, repeated. */
const BETWEEN_HELLOS_MS = 1_500;

const { instances, enginePid, names } = JSON.parse(process.argv[2] ?? '') as LoadInput;
const pids = [...instances.map(({ pid }) => pid), ...(enginePid === undefined ? [] : [enginePid])];
const instanceOf = (index: number) => instances[index % instances.length] as LoadInput['instances'][number];
const cas = new Map(instances.map(({ ca }) => [ca, readFileSync(ca, 'utf8')]));
const connections = Array.from({ length: AT_ONCE }, (_, i) => {
  const { url, ca } = instanceOf(i);
  return new Connection(i, url, cas.get(ca) as string);
});
const connection = (slot: number) => connections[slot] as Connection;
const peers = await Promise.all(
  Array.from({ length: PEERS }, (_, i) => BenchPeer.join(i, `bench${process.pid}-${i}`, instanceOf(i).udp)),
);
const peer = (index: number) => peers[index % PEERS] as BenchPeer;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
// Connections are made, and code is compiled, before anything is measured.
await several(10 * AT_ONCE, (i, slot) => connection(slot).ask(`/peers/${name(i)}`));
const memory = memoryOf(instanceOf(0).pid).now;
// As long as its memory only grows.
const connectionBytes = await memoryOfConnections();

const before = await cursor();
const register = await several(PEERS, (i, slot) =>
  connection(slot).ask('/register', { name: peer(i).name, key: peer(i).keyPair.publicKey }),
);
const prove = await several(PEERS, (i) => peer(i).sayHello());
await pause(BETWEEN_HELLOS_MS);
const renew = await several(PEERS, (i) => peer(i).sayHello());
const lookUp = await several(LOOK_UPS, (i, slot) => connection(slot).ask(`/peers/${name(i * 7_919)}`));
const root = await several(ROOTS, (i) => peer(i).askForRoot());
const keepAlives = await Promise.all(peers.map((one) => one.keepAliveDatagram()));
const keepAlive = await several(KEEP_ALIVES, async (i) => {
  peer(i).keepAlive(keepAlives[i % PEERS] as Uint8Array);
  // Nobody answers them: as fast as this process can, most would be lost.
  if (i % 4 === 0) await pause(10);
});
const { bytes: peerBytes } = await connection(0).ask('/peers?format=json&name=peer0');
// About others than those who have changed since.
const question = (i: number) =>
  `/peers?format=json&changes=only&since=${encodeURIComponent(before)}${Array.from({ length: FOLLOWED }, (_, n) => `&of=${name(i * 7_919 + n)}`).join('')}`;
const { bytes: quietBytes } = await connection(0).ask(question(0));
const changes = await several(LOOK_UPS, (i, slot) => connection(slot - (slot % instances.length)).ask(question(i)));
const list = await listing('/peers?format=json', true);
const textList = await listing('/peers', false);
const { peak } = memoryOf(instanceOf(0).pid);
const figures: LoadFigures = {
  ...{ register, prove, renew, lookUp, root, keepAlive, changes, list, textList },
  ...{ peerBytes, quietBytes, connectionBytes },
  memory: { now: memory, peak },
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
for (const one of peers) one.close();
for (const one of connections) one.close();

async function cursor(): Promise<string> {
  return JSON.parse((await connection(0).ask('/peers?format=json&changes=only&since=x')).text).cursor;
}

async function memoryOfConnections(): Promise<number> {
  const { pid, url, ca } = instanceOf(0);
  const kept = Array.from({ length: CONNECTIONS }, (_, i) => new Connection(AT_ONCE + i, url, cas.get(ca) as string));
  const empty = memoryOf(pid).now;
  let next = 0;
  const some = async () => {
    while (next < CONNECTIONS) await (kept[next++] as Connection).ask('/healthz');
  };
  await Promise.all(Array.from({ length: AT_ONCE }, some));
  const full = memoryOf(pid).now;
  for (const one of kept) one.close();
  return Math.max(0, full - empty) / CONNECTIONS;
}

function name(index: number): string {
  return `peer${index % names}`;
}

/** `AT_ONCE` are under way at any time. */
async function several(count: number, work: (index: number, slot: number) => Promise<unknown>): Promise<Figures> {
  const times: number[] = [];
  const microseconds: number[] = [];
  const startMs = performance.now();
  for (let round = 0; round < ROUNDS; round++) {
    const cpu = cpuSeconds(pids);
    const end = Math.round((count * (round + 1)) / ROUNDS);
    const from = times.length;
    let next = from;
    await Promise.all(
      Array.from({ length: AT_ONCE }, async (_, slot) => {
        while (next < end) {
          const index = next;
          next += 1;
          const sentMs = performance.now();
          await work(index, slot);
          times.push(performance.now() - sentMs);
        }
      }),
    );
    microseconds.push(((cpuSeconds(pids) - cpu) / (end - from)) * 1e6);
  }
  const seconds = (performance.now() - startMs) / 1_000;
  times.sort((a, b) => a - b);
  microseconds.sort((a, b) => a - b);
  return {
    perSecond: count / seconds,
    latencyMs: times[Math.floor(0.99 * count)] ?? Number.NaN,
    microseconds: microseconds[Math.floor(ROUNDS / 2)] ?? Number.NaN,
  };
}

async function listing(path: string, compressed: boolean): Promise<ListFigures> {
  // Whoever has just been proven is in it.
  await pause(BETWEEN_HELLOS_MS);
  let blockedMs = 0;
  let isOver = false;
  const others = (async () => {
    while (!isOver) {
      const sentMs = performance.now();
      await connection(0).ask('/healthz');
      blockedMs = Math.max(blockedMs, performance.now() - sentMs);
      // Within what somebody is rationed to.
      await pause(20);
    }
  })();
  const startMs = performance.now();
  const other = connection(instances.length);
  const { bytes } = await other.ask(path, undefined, compressed);
  const seconds = (performance.now() - startMs) / 1_000;
  isOver = true;
  await others;
  return { seconds, bytes, blockedMs };
}
