/** What is done when something was chosen; what takes long is begun, and told of later. */
import { setImmediate } from 'node:timers/promises';
import type { Action } from '../../../machines/front-end-context.ts';
import { followedNames } from '../../store/followed.ts';
import type { Hash } from '../../wire/hash.ts';
import { MurmureError } from '../../wire/murmure-error.ts';
import { formatAddress, parseAddress } from '../../wire/socket-address.ts';
import { renderSyncReport } from '../render/sync-report.ts';
import { counted, shortHash } from '../render/text.ts';
import { heardAuthors } from './places/messages.ts';
import type { Desk } from './places/place.ts';

export interface ActOptions {
  /** For what comes of something later. */
  readonly tell: (notice: string) => void;
  /** Opens the settings in the person's editor; undefined where there is no file. */
  readonly editSettings: (() => Promise<void>) | undefined;
  readonly withdraw: (hash: Hash) => void;
}

/** Messages marked at a time. */
const PAGE = 1_000;

type Deed = (desk: Desk, subject: string, options: ActOptions) => string | Promise<string>;

const deeds: Readonly<Partial<Record<Action, Deed>>> = {
  follow: ({ peer }, name, { tell }) => {
    peer.follow(name);
    void peer.sync(name).then(({ error }) => error && tell(`${name}: ${error.message}`));
    return `you follow ${name}`;
  },
  unfollow: ({ peer }, name) => {
    peer.unfollow(name);
    return `you no longer follow ${name}; what was downloaded stays`;
  },
  mute: ({ store, now }, name) => {
    store.setMuted(name, true, now());
    return `${name} is muted: nothing of theirs is on the timeline`;
  },
  unmute: ({ store, now }, name) => {
    store.setMuted(name, false, now());
    return `${name} is heard again`;
  },
  sync: (desk, name, { tell }) => {
    void download(desk, name, tell);
    return `asking ${name} for what is new`;
  },
  'sync-all': (desk, _subject, { tell }) => {
    const { peer, store } = desk;
    const names = followedNames(store, peer.name);
    for (const name of names) void peer.sync(name).then(({ error }) => error && tell(`${name}: ${error.message}`));
    return names.length === 0
      ? 'you follow nobody yet: f does that'
      : `asking ${counted(names.length, 'peer')} for what is new`;
  },
  addresses: async ({ live }, name) => {
    const listed = (await live.list()).find((entry) => entry.name === name);
    if (listed === undefined)
      throw new MurmureError('peer-unknown', `the directory knows no ${name} that is online now`);
    return `${name} is at ${listed.addresses.map(formatAddress).join(', ')}`;
  },
  hello: ({ peer }, text, { tell }) => {
    const address = parseAddress(text);
    if (!address.ok) throw new MurmureError('usage', address.why);
    const whom = formatAddress(address.value);
    const stop = peer.on('session.opened', ({ direction, name, address: theirs }) => {
      if (direction !== 'outgoing' || formatAddress(theirs) !== whom) return;
      stop();
      tell(`${whom} has answered: there is a session${name === '' ? '' : ` with ${name}`}`);
    });
    peer.hello(address.value);
    return `Hello was sent to ${whom}: an answer opens a session`;
  },
  root: async (desk, name, { tell }) => {
    void askRoot(desk, name, tell);
    return `asking ${name} for its root`;
  },
  'mark-read': async (desk) => {
    const marked = await markAllRead(desk);
    return marked === 0 ? 'nothing was unread' : `${counted(marked, 'message')} marked as read`;
  },
  'toggle-dates': ({ live }) => {
    live.showsExactDates = !live.showsExactDates;
    live.changed();
    return '';
  },
  withdraw: (_desk, hash, { withdraw }) => {
    withdraw(hash as Hash);
    return 'withdrawn: peers drop it when they download next';
  },
  'edit-settings': async (_desk, _subject, { editSettings }) => {
    if (editSettings === undefined) throw new MurmureError('usage', 'there are no settings here to change');
    await editSettings();
    return 'the settings count from the next start on';
  },
};

/** The notice that it ends with. @throws MurmureError */
export async function act(action: Action, subject: string, desk: Desk, options: ActOptions): Promise<string> {
  const notice = (await deeds[action]?.(desk, subject, options)) ?? '';
  desk.live.changed();
  return notice;
}

/** A home may hold a hundred thousand: between two pages there is time for keys and datagrams. */
async function markAllRead({ peer, store }: Desk): Promise<number> {
  const heard = new Set(heardAuthors({ peer, store }));
  let marked = 0;
  for (let after = 0; ; await setImmediate()) {
    const page = store.arrivalsAfter(after, PAGE);
    const unread = page.flatMap(({ message: { read, author, hash } }) => (!read && heard.has(author) ? [hash] : []));
    if (unread.length > 0) store.markRead(unread);
    marked += unread.length;
    after = page.at(-1)?.arrival ?? after;
    if (page.length < PAGE) return marked;
  }
}

async function download({ peer }: Desk, name: string, tell: ActOptions['tell']): Promise<void> {
  const report = await peer.sync(name);
  tell(
    report.error === undefined ? renderSyncReport(report, (_format, text) => text) : `${name}: ${report.error.message}`,
  );
}

async function askRoot({ peer }: Desk, name: string, tell: ActOptions['tell']): Promise<void> {
  const { root, error, status } = await peer.sync(name);
  if (error !== undefined) tell(`${name}: ${error.message}`);
  else
    tell(
      `the root of ${name} is ${root === null ? 'empty' : shortHash(root)}${status === 'unchanged' ? ', as it was' : ''}`,
    );
}
