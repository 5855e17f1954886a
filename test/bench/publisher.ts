/** A process of its own that runs a directory and a peer with a feed: what the reader under measurement downloads from. */
import { generateKeyPair } from '../../src/identity/key-pair.ts';
import { createDirectory, createMemoryStore, createPeer } from '../../src/index.ts';

const [messages, bytes] = process.argv.slice(2).map(Number) as [number, number];
await using directory = await createDirectory();
const store = createMemoryStore();
for (let i = 0; i < messages; i++) {
  store.publish('alice', { date: i, inReplyTo: null, body: `${i} `.padEnd(bytes, 'murmure ') }, Date.now());
}
const access = { directory: directory.url, ca: directory.ca, udp: ['127.0.0.1:0'] };
await using alice = await createPeer({ name: 'alice', keyPair: await generateKeyPair(), store, ...access });
await alice.whenListed();
process.send?.({ url: directory.url, ca: directory.ca });
for await (const _ of messagesFromParent()) {
  alice.post('one more');
  process.send?.({ posted: true });
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
