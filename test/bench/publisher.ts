/**
 * A process of its own that runs a directory, a peer with a feed, which the reader under measurement downloads, and one with a shorter
 * feed, on which that reader may warm up.
 */
import { generateKeyPair } from '../../src/identity/key-pair.ts';
import { createDirectory, createPeer, openSqliteStore, type Peer } from '../../src/index.ts';

const [messages, bytes] = process.argv.slice(2).map(Number) as [number, number];
await using directory = await createDirectory();
await using alice = await publish('alice', messages);
await using _warmUp = await publish('warm-up', Math.ceil(messages / 5));
process.send?.({ url: directory.url, ca: directory.ca });
for await (const message of messagesFromParent()) {
  if (message === 'one more') alice.post('one more');
  process.send?.(process.cpuUsage());
}

async function publish(name: string, count: number): Promise<Peer> {
  const store = openSqliteStore(':memory:');
  for (let i = 0; i < count; i++) {
    store.publish(name, { date: i, inReplyTo: null, body: `${i} of ${name} `.padEnd(bytes, 'murmure ') }, Date.now());
  }
  const access = { directory: directory.url, ca: directory.ca, udp: ['127.0.0.1:0'] };
  const peer = await createPeer({ name, keyPair: await generateKeyPair(), store, ...access });
  await peer.whenListed();
  return peer;
}

async function* messagesFromParent(): AsyncGenerator<unknown> {
  const { promise, resolve } = Promise.withResolvers<void>();
  process.once('disconnect', resolve);
  for (;;) {
    const next = new Promise<unknown>((received) => process.once('message', received));
    const message = await Promise.race([next, promise]);
    if (message === undefined) return;
    yield message;
  }
}
