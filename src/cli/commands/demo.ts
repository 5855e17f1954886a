/** `murmure demo`: a directory, neighbours and you, all on this machine; nothing of it is left afterwards. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKeyPair } from '../../identity/key-pair.ts';
import type { Peer, PeerOptions } from '../../index.ts';
import { openSqliteStore } from '../../store/sqlite-store.ts';
import type { Store } from '../../store/store.ts';
import { MurmureError } from '../../wire/murmure-error.ts';
import { abortable } from '../abortable.ts';
import type { CommandContext } from '../context.ts';
import { createSampleStores } from '../demo/sample-stores.ts';
import { runFrontEnd } from '../front-end/run-front-end.ts';
import { journalOption } from '../journal-option.ts';
import { renderSyncReport } from '../render/sync-report.ts';
import { printMessages } from './timeline.ts';

const LOOPBACK = ['127.0.0.1:0'];
const OWN_NAME = 'you';
/** What of the timeline is shown: about a screen. */
const SHOWN_MESSAGES = 20;

export async function demo(context: CommandContext): Promise<void> {
  const { output, services, signal } = context;
  await using resources = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'murmure-demo-'));
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  const directory = resources.use(await services.createDirectory({ listen: '127.0.0.1:0', udp: LOOPBACK }));
  output.note(`A directory runs at ${directory.url}.`);

  const startPeer = async (name: string, store: Store, extra: Partial<PeerOptions> = {}): Promise<Peer> => {
    resources.use(store);
    const keyPair = await generateKeyPair();
    const access = { directory: directory.url, ca: directory.ca, udp: LOOPBACK };
    const options = { name, keyPair, store, ...access, ...extra };
    const peer = resources.use(await services.createPeer(options));
    await abortable(peer.whenListed(signal), signal);
    return peer;
  };

  const stores = createSampleStores(context.nowMs());
  await Promise.all(stores.entries().map(([name, store]) => startPeer(name, store)));
  output.note(`${[...stores.keys()].join(', ')} have registered, each with messages of their own.`);

  const store = openSqliteStore(join(folder, 'store.db'));
  const you = await startPeer(OWN_NAME, store, await journalOption(context));
  output.note('You have registered as well, follow all of them, and download what they wrote:');
  await Promise.all(stores.keys().map((name) => fetchFeed(context, you, name)));

  output.note(`The last ${SHOWN_MESSAGES} of ${store.countMessages()} messages:`);
  printMessages(context, store, { limit: SHOWN_MESSAGES });
  const {
    dialogue,
    output: { json, paint },
  } = context;
  if (dialogue !== undefined && !json) await runFrontEnd({ peer: you, store, dialogue, paint });
}

async function fetchFeed({ output, signal }: CommandContext, peer: Peer, name: string): Promise<void> {
  peer.follow(name);
  const report = await abortable(peer.sync(name, { signal }), signal);
  if (report.error !== undefined) throw new MurmureError(report.error.code, `${name}: ${report.error.message}`);
  // Notes are for people; without colours, as they may end up anywhere.
  output.note(`  ${renderSyncReport(report, (_format, text) => text)}`);
}
