/** The transitions of a peer's machines while it registers, from XState's own inspection events. */
import { createDirectory, createPeer, generateKeyPair, openSqliteStore } from 'murmure';
import { machines } from 'murmure/machines';

console.log(`machines: ${Object.keys(machines).join(', ')}`);

await using directory = await createDirectory();
await using peer = await createPeer({
  name: 'alice',
  keyPair: await generateKeyPair(),
  store: openSqliteStore(':memory:'),
  directory: directory.url,
  ca: directory.ca,
  udp: ['127.0.0.1:0'],
  inspect: (inspected) => {
    if (inspected.type !== '@xstate.snapshot' || !('value' in inspected.snapshot)) return;
    console.log(`${inspected.actorRef.id}: ${inspected.event.type} → ${JSON.stringify(inspected.snapshot.value)}`);
  },
});
await peer.whenListed();
