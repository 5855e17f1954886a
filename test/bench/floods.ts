/**
 * `npm run bench -- --floods`: what strangers can do to a peer and to a directory with small datagrams, each in a process of its own. All
 * rates are of real datagrams over loopback; Linux only, because sources are other addresses of the loopback network.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Probe } from '../../src/conformance/probe.ts';
import { generateKeyPair } from '../../src/identity/key-pair.ts';
import { createPeer, openSqliteStore } from '../../src/index.ts';
import { createDirectoryHttp } from '../../src/peer/directory-http.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createSystemRandom } from '../../src/runtime/random.ts';
import { createUdpNetwork } from '../../src/runtime/udp-network.ts';
import { V8_FLAGS } from '../../src/runtime/v8-flags.ts';
import { CHAINS } from './floods/chain.ts';
import type { Flood, Flooded } from './floods/flooder.ts';
import { KINDS, type Kind } from './floods/kinds.ts';
import type { Read } from './floods/reader.ts';
import type { Ready } from './floods/target.ts';

const MESSAGES = 50_000;
/** Of the deepest trees. */
const DEEP_NODES = 300_000;
/** What one sweep ends was let in during the one before: it belongs to the figures. */
const SWEEP_S = 5;
/** So long, a session of the first ones that are let in says Hello. */
const SESSION_S = 35;
/** Of each way that a datagram goes one. */
const COSTLY: readonly Kind[] = [
  'a Hello of 13 bytes',
  'a forged Hello under a name of its own',
  'a RootRequest',
  'a Datum that nobody asked for',
  'a Root with a forged signature',
  'an Error',
  'four bytes',
];
const kinds = Object.keys(KINDS) as Kind[];
/** As an installed program: what was compiled is kept, and there are no types to be stripped. */
const cache = fileURLToPath(new URL('../../node_modules/.cache/murmure-bench', import.meta.url));
const env = { ...process.env, NODE_COMPILE_CACHE: cache };
const children: ChildProcess[] = [];
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function start(file: string, ...argv: string[]): ChildProcess {
  const child = fork(fileURLToPath(new URL(`floods/${file}`, import.meta.url)), argv, { execArgv: [...V8_FLAGS], env });
  children.push(child);
  return child;
}

async function ask<T>(child: ChildProcess, question: object): Promise<T> {
  child.send(question);
  const [answer] = await once(child, 'message');
  return answer;
}

async function startTarget(...argv: string[]): Promise<Target> {
  const child = start('target.ts', ...argv);
  const [ready] = (await once(child, 'message')) as [Ready];
  return { ...ready, spentUs: () => ask(child, {}) };
}

interface Target extends Ready {
  readonly spentUs: () => Promise<number>;
}

async function flood(options: Flood): Promise<Flooded> {
  const child = start('flooder.ts');
  const flooded: Flooded = await ask(child, options);
  child.kill();
  return flooded;
}

/** So many sources, as of one who forges them. */
const manyHosts = (count: number) => Array.from({ length: count }, (_, i) => `127.${100 + (i >> 8)}.${i & 255}.7`);

function print(what: string, value: string, aim = ''): void {
  console.log(`${what.padEnd(76)}${value.padStart(12)}   ${aim}`);
}

/** Bytes that come back for one that is sent, of each kind, for a minute: from one port, and from sixty-four. */
async function amplification(name: string, { port }: Ready): Promise<void> {
  const factors = await Promise.all(
    kinds.flatMap((kind, k) =>
      [1, 64].map(async (ports, p) => {
        const hosts = [`127.${10 + k}.${p}.1`];
        const { bytesSent, bytesBack } = await flood({ kind, port, perSecond: 4, seconds: 60, hosts, ports });
        return { kind, ports, factor: bytesBack / bytesSent };
      }),
    ),
  );
  for (const kind of kinds) {
    const [one, many] = factors.filter((it) => it.kind === kind).map(({ factor }) => factor.toFixed(2));
    print(`amplification at a ${name}, ${kind}, one port / 64 ports`, `${one} / ${many}`, 'at most 3');
  }
}

function probeAt(port: number, name: string, keyPair: Awaited<ReturnType<typeof generateKeyPair>>): Promise<Probe> {
  return Probe.open({
    target: { ip: '127.0.0.1', port },
    name,
    flags: 0,
    keyPair,
    network: createUdpNetwork(),
    clock: systemClock,
    random: createSystemRandom(),
    bind: '127.0.0.1',
  });
}

/** Whoever has proven its address asks the directory for its root, once a second and without repeating it. */
async function knownPeerAtDirectory({ port, url, ca }: Ready): Promise<void> {
  const keyPair = await generateKeyPair();
  await createDirectoryHttp({ url, ca }).register('known', keyPair.publicKey);
  const probe = await probeAt(port, 'known', keyPair);
  await probe.askHello();
  await wait(1_000);
  for (const perSecond of [4_000, 20_000]) {
    const flooding = flood({
      kind: 'a Hello of 13 bytes',
      port,
      perSecond,
      seconds: 9,
      hosts: manyHosts(256),
      ports: 1,
    });
    await wait(2_000);
    let answered = 0;
    for (let i = 0; i < 5; i++) {
      const before = probe.heard.length;
      const isAnswered = () => probe.heard.slice(before).some(({ datagram }) => datagram.type === 'Root');
      await probe.send({ type: 'RootRequest', id: probe.newId() });
      await probe.until(isAnswered, 1_000);
      if (isAnswered()) answered += 1;
    }
    const { sent } = await flooding;
    const rate = `${Math.round(sent / 9)} short Hellos/s`;
    print(`a known peer asks a directory during ${rate}: answered within a second`, `${answered} of 5`, 'at least 4');
  }
  probe.close();
}

/** Messages a second, by somebody who is in session when `meanwhile` begins. */
async function sync({ url, ca }: Ready, meanwhile = async () => {}): Promise<number> {
  using store = openSqliteStore(':memory:');
  const options = { name: 'bob', keyPair: bobsKeys, store, directory: url, ca, udp: ['127.0.0.1:0'], register: false };
  await using bob = await createPeer(options);
  const pinged = Promise.withResolvers<void>();
  bob.on('ping.finished', () => pinged.resolve());
  bob.ask({ type: 'ping.wanted', name: 'alice' });
  await pinged.promise;
  await meanwhile();
  const startMs = performance.now();
  const report = await bob.sync('alice');
  if (report.newMessages !== MESSAGES) throw new Error(`${report.newMessages}: ${report.error?.message}`);
  return (1_000 * MESSAGES) / (performance.now() - startMs);
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

async function syncDuringFloods(peer: Ready): Promise<void> {
  await sync(peer);
  const calm = median([await sync(peer), await sync(peer), await sync(peer)]);
  print(`messages a second synced from a peer that nobody floods`, calm.toFixed(0));
  for (const kind of kinds) {
    const rates: number[] = [];
    for (let run = 0; run < 3; run++) {
      const flooder = start('flooder.ts');
      const beginFlood = async () => {
        const hosts = manyHosts(256);
        flooder.send({ kind, port: peer.port, perSecond: 8_000, seconds: 600, hosts, ports: 1 });
        await wait(2_000);
      };
      rates.push(await sync(peer, beginFlood));
      flooder.kill();
    }
    print(`the same during 8,000/s of ${kind}, as a share`, (median(rates) / calm).toFixed(2), 'at least 0.5');
  }
}

/**
 * What one more datagram costs, from the difference between two rates: those that are let in are as many at either. And the share of a core
 * that those few take, whose sessions, look-ups and signatures it pays for.
 */
async function costs(name: string, { port, spentUs }: Target, of: readonly Kind[] = COSTLY): Promise<void> {
  for (const kind of of) {
    const at = async (perSecond: number, seconds: number) => {
      const before = await spentUs();
      const { sent } = await flood({ kind, port, perSecond, seconds, hosts: manyHosts(256), ports: 8 });
      return { perSecond: sent / seconds, usPerSecond: ((await spentUs()) - before) / seconds };
    };
    // What is let through at first, of strangers as of an account, is used up.
    await at(4_000, SESSION_S);
    const [few, many] = [await at(2_000, SWEEP_S), await at(10_000, SWEEP_S)];
    const us = (many.usPerSecond - few.usPerSecond) / (many.perSecond - few.perSecond);
    const share = Math.max(0, few.usPerSecond - us * few.perSecond) / 10_000;
    print(`${name}, ${kind}: µs for one that is dropped`, us.toFixed(1), 'at most 20');
    print(`${name}, ${kind}: % of a core for those let in`, share.toFixed(0));
  }
}

async function newcomers({ url, ca, port }: Ready, kind: Kind, perSecond: number): Promise<void> {
  const flooding = flood({
    kind,
    port,
    perSecond,
    seconds: 30,
    hosts: manyHosts(256),
    ports: 1,
  });
  await wait(5_000);
  const joined = await Promise.all(
    Array.from({ length: 20 }, async (_, i) => {
      await wait(i * 500);
      using store = openSqliteStore(':memory:');
      const udp = [`127.0.1.${i + 1}:0`];
      const keyPair = await generateKeyPair();
      await using peer = await createPeer({
        name: `newcomer ${i} at ${perSecond}`,
        keyPair,
        store,
        directory: url,
        ca,
        udp,
      });
      await peer.whenListed();
      let isIn = false;
      peer.on('session.opened', ({ name }) => {
        isIn ||= name === 'alice';
      });
      peer.hello({ ip: '127.0.0.1', port });
      await wait(10_000);
      return isIn;
    }),
  );
  await flooding;
  print(
    `newcomers who get in at a peer during ${perSecond}/s of ${kind}`,
    `${joined.filter(Boolean).length} of 20`,
    'at least 19',
  );
}

/** A hostile author's tree that is nothing but deep. */
async function chains(): Promise<void> {
  for (const chain of CHAINS) {
    const directory = await startTarget('directory');
    const author = await startTarget('author', JSON.stringify(directory), chain, `${DEEP_NODES}`);
    const reader = start('reader.ts');
    const { error, nodes, peakMb, longestMs, seconds }: Read = await ask(reader, author);
    reader.kill();
    const what = `a chain ${chain}, ${DEEP_NODES} nodes`;
    print(`${what}: fetched, in seconds`, `${nodes} / ${seconds.toFixed(0)}`, error);
    print(`${what}: most memory, MB`, peakMb.toFixed(0), 'at most 200');
    print(`${what}: longest turn, ms`, longestMs.toFixed(0));
  }
}

const bobsKeys = await generateKeyPair();
try {
  const parts = process.argv.slice(2).filter((word) => !word.startsWith('--'));
  const isWanted = (part: string) => parts.length === 0 || parts.includes(part);
  if (isWanted('chain')) await chains();
  if (parts.length === 1 && isWanted('chain')) process.exit();
  const directory = await startTarget('directory');
  const peer = await startTarget('peer', JSON.stringify(directory), `${MESSAGES}`);
  if (isWanted('newcomers')) {
    await newcomers(peer, 'a forged Hello under a name of its own', 40);
    await newcomers(peer, 'a Hello of 13 bytes', 8_000);
  }
  if (isWanted('amplification')) {
    await amplification('directory', directory);
    await amplification('peer', peer);
  }
  if (isWanted('known')) await knownPeerAtDirectory(directory);
  if (isWanted('costs')) {
    await costs('bare socket', await startTarget('socket'), ['four bytes']);
    await costs('peer', peer);
    await costs('directory', directory);
  }
  if (isWanted('sync')) await syncDuringFloods(peer);
} finally {
  for (const child of children) child.kill();
}
