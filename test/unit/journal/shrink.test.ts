/** `murmure replay --shrink`: what it took. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readJournal } from '../../../src/journal/journal-file.ts';
import { shrink } from '../../../src/journal/shrink.ts';

const journalOf = (name: string) => readJournal(fileURLToPath(new URL(`../../replay/${name}.jsonl`, import.meta.url)));
const typesOf = (entries: readonly { readonly event: { readonly type: string } }[]) =>
  entries.map(({ event }) => event.type);

test('of a sync, what it takes to look a peer up is the wish for it; no sweep, no datagram', async () => {
  const { kept } = await shrink(await journalOf('first-sync'), {
    actor: 'peer/outgoing-session.alice',
    state: 'locating',
  });
  expect(typesOf(kept)).toEqual(['sync.wanted']);
});

test('what it takes to say Hello is a socket and an address as well', async () => {
  const { kept, replays } = await shrink(await journalOf('first-sync'), {
    actor: 'peer/outgoing-session.alice',
    state: 'greeting',
  });
  expect(typesOf(kept)).toEqual(['socket.opened', 'sync.wanted', 'peer.located']);
  expect(replays).toBeLessThan(100);
});

test('what is never seen cannot be shrunk to', async () => {
  await expect(shrink(await journalOf('first-sync'), { actor: 'peer', state: 'dancing' })).rejects.toThrow(
    /ever in the state "dancing"/,
  );
});

test('it stops when it is told to', async () => {
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(shrink(await journalOf('first-sync'), { actor: 'peer', state: 'running' }, signal)).rejects.toThrow(
    'enough',
  );
});
