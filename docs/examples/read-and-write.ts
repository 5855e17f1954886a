/** Two peers and a directory in one process: bob follows alice, and her message arrives by itself. */
import { createDirectory, createPeer, generateKeyPair, openSqliteStore, type PeerOptions } from 'murmure';

await using directory = await createDirectory();

async function optionsFor(name: string): Promise<PeerOptions> {
  return {
    name,
    keyPair: await generateKeyPair(),
    store: openSqliteStore(':memory:'),
    directory: directory.url,
    ca: directory.ca,
    udp: ['127.0.0.1:0'],
  };
}

await using alice = await createPeer(await optionsFor('alice'));
await using bob = await createPeer(await optionsFor('bob'));
await Promise.all([alice.whenListed(), bob.whenListed()]);

const arrived = Promise.withResolvers<void>();
bob.on('messages.received', ({ peer, messages }) => {
  for (const { body } of messages) console.log(`${peer}: ${body}`);
  arrived.resolve();
});
alice.post('Bonjour !');
bob.follow('alice');
await arrived.promise;
