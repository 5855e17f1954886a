/**
 * A process of its own that is flooded: `directory`, `peer DIRECTORY MESSAGES`, or `socket`, which only receives; or one that floods who reads
 * from it, `author DIRECTORY CHAIN NODES`. It tells what it has spent.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { generateKeyPair } from '../../../src/identity/key-pair.ts';
import { createDirectory, createPeer, openSqliteStore, type Store } from '../../../src/index.ts';
import { type Chain, chainOf } from './chain.ts';

export interface Ready {
  readonly port: number;
  readonly url: string;
  readonly ca: string;
}

const [what, access = '{}', ...rest] = process.argv.slice(2);

const ready = await start();
process.on('message', () => process.send?.(spent()));
process.on('disconnect', () => process.exit());
process.send?.(ready);

/** Microseconds of the processor. */
function spent(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function start(): Promise<Ready> {
  if (what === 'directory') return startDirectory();
  if (what === 'peer') return startPeer(JSON.parse(access), Number(rest[0]));
  if (what === 'author') return startAuthor(JSON.parse(access), rest[0] as Chain, Number(rest[1]));
  return startSocket();
}

async function startDirectory(): Promise<Ready> {
  const { url, ca, udp } = await createDirectory({ rate: { perSecond: 1_000, burst: 5_000 } });
  return { url, ca, port: udp[0]?.port ?? 0 };
}

async function startPeer({ url, ca }: Ready, count: number): Promise<Ready> {
  const store = openSqliteStore(':memory:');
  for (let date = 0; date < count; date++) {
    const body = `message ${date} `.padEnd(200, 'murmure ');
    store.publish('alice', { date, inReplyTo: null, body }, Date.now());
  }
  const keyPair = await generateKeyPair();
  const peer = await createPeer({ name: 'alice', keyPair, store, directory: url, ca, udp: ['127.0.0.1:0'] });
  await peer.whenListed();
  return { url, ca, port: peer.addresses[0]?.port ?? 0 };
}

/** A peer of ours but for its tree. */
async function startAuthor({ url, ca }: Ready, chain: Chain, count: number): Promise<Ready> {
  const { root, nodes } = chainOf(chain, count);
  const deep: Partial<Store> = {
    ownFeed: () => ({ root, messages: count }),
    getNode: (hash) => nodes.get(hash),
    getNodes: (hashes) => hashes.map((hash) => nodes.get(hash)),
  };
  const store = new Proxy(openSqliteStore(':memory:'), {
    get: (own, key) => {
      const value = Reflect.get(deep, key) ?? Reflect.get(own, key, own);
      return typeof value === 'function' ? value.bind(own) : value;
    },
  });
  const keyPair = await generateKeyPair();
  const peer = await createPeer({ name: 'deep', keyPair, store, directory: url, ca, udp: ['127.0.0.1:0'] });
  await peer.whenListed();
  return { url, ca, port: peer.addresses[0]?.port ?? 0 };
}

async function startSocket(): Promise<Ready> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.on('message', () => {});
  return { url: '', ca: '', port: socket.address().port };
}
