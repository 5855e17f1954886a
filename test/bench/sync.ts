/** Downloads a feed over loopback from a peer in another process, into a store on disk; prints what that took, as JSON. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateKeyPair } from '../../src/identity/key-pair.ts';
import { createJournalFile, createPeer, openSqliteStore } from '../../src/index.ts';
import { offerLocalApi } from '../../src/local-api/server.ts';

export interface SyncFigures {
  readonly messages: number;
  readonly messagesPerSecond: number;
  /** Of processor time for each message, in either process: on a busy machine this says more than how long it took. */
  readonly readerMicroseconds: number;
  readonly authorMicroseconds: number;
  /** Nodes that one more message costs. */
  readonly incrementalNodes: number;
  readonly retransmissions: number;
  /** The most memory that the reading process held. */
  readonly peakMb: number;
}

const [messages, bytes] = process.argv.slice(2, 4).map(Number) as [number, number];
const extra = process.argv[4] as 'record' | 'looked' | 'looking' | undefined;
const isRecorded = extra === 'record';
await using resources = new AsyncDisposableStack();
const folder = mkdtempSync(join(tmpdir(), 'murmure-bench-'));
resources.defer(() => rmSync(folder, { recursive: true }));
const publisher = fork(fileURLToPath(new URL('publisher.ts', import.meta.url)), [`${messages}`, `${bytes}`]);
resources.defer(() => void publisher.kill());
const [{ url: directory, ca }] = await once(publisher, 'message');

const store = resources.use(openSqliteStore(join(folder, 'store.db')));
const bob = resources.use(
  await createPeer({
    name: 'bob',
    keyPair: await generateKeyPair(),
    store,
    directory,
    ca,
    udp: ['127.0.0.1:0'],
    ...(isRecorded && { journal: createJournalFile(join(folder, 'journal.jsonl')) }),
  }),
);
await bob.whenListed();
const api = join(folder, 'local-api.json');
if (extra === 'looked' || extra === 'looking') {
  resources.use(await offerLocalApi({ peer: bob, file: api, runBy: 'serve', directoryUrl: directory }));
  const page = fork(fileURLToPath(new URL('inspector/look.ts', import.meta.url)), [api]);
  await once(page, 'message');
  const ended = once(page, 'exit');
  if (extra === 'looked') page.kill();
  else resources.defer(() => void page.kill());
  if (extra === 'looked') await ended;
}
// The raw loop is warm as well: of both, what is measured is how they go on, not how the first call is compiled.
await bob.sync('warm-up');
const [authorBefore, before, startMs] = [await authorCpu(), process.cpuUsage(), performance.now()];
const first = await bob.sync('alice');
const seconds = (performance.now() - startMs) / 1000;
const readerCpu = process.cpuUsage(before);
const authorSpent = (await authorCpu()) - authorBefore;
if (first.newMessages !== messages) throw new Error(`${first.newMessages} of ${messages}: ${first.error?.message}`);
await ask('one more');
const second = await bob.sync('alice');
const figures: SyncFigures = {
  messages,
  messagesPerSecond: messages / seconds,
  readerMicroseconds: (readerCpu.user + readerCpu.system) / messages,
  authorMicroseconds: authorSpent / messages,
  incrementalNodes: second.nodesFetched,
  retransmissions: first.retransmissions,
  peakMb: process.resourceUsage().maxRSS / 1024,
};
process.stdout.write(`${JSON.stringify(figures)}\n`);

async function ask(what: 'one more' | 'cpu'): Promise<unknown> {
  publisher.send(what);
  const [answer] = await once(publisher, 'message');
  return answer;
}

/** Microseconds of the processor's time that the author has used so far. */
async function authorCpu(): Promise<number> {
  const { user, system } = (await ask('cpu')) as NodeJS.CpuUsage;
  return user + system;
}
