/** What the front end's machine knows: where the person is, what is being done, and what is half-written. */
import type { PublicKey } from '../src/identity/public-key.ts';
import type { Hash } from '../src/wire/hash.ts';
import type { SocketAddress } from '../src/wire/socket-address.ts';
import type { Failure, SyncReport } from './events.ts';
import type { StoreWish, WishAnswer } from './wishes.ts';

/** The kinds of screens. */
const PLACE_KINDS = [
  'timeline',
  'notifications',
  'bookmarks',
  'thread',
  'found',
  'peers',
  'peer',
  'messages',
  'tree',
  'log',
  'settings',
  'help',
  'inspect',
] as const;

export type PlaceKind = (typeof PLACE_KINDS)[number];

/** What the peer is asked to change in the store. */
const STORE_ACTIONS = [
  ...([
    'follow',
    'unfollow',
    'mute',
    'unmute',
    'block',
    'unblock',
    'trust',
    'withdraw',
    'take-back',
    'mark-read',
  ] as const),
  ...(['bookmark', 'unbookmark', 'mute-conversation', 'unmute-conversation', 'mute-word', 'unmute-word'] as const),
];
/** What is asked of another peer. */
const SYNC_ACTIONS = ['sync', 'root'] as const;

/** What a key can lead to: a screen, or something to do. */
export type Action =
  | PlaceKind
  | (typeof STORE_ACTIONS)[number]
  | (typeof SYNC_ACTIONS)[number]
  | 'back'
  | 'quit'
  | 'post'
  /** To the message that it is about. */
  | 'reply'
  /** A web address in the message. */
  | 'open-link'
  | 'search'
  | 'addresses'
  | 'hello'
  /** Downloads from everyone who is followed. */
  | 'sync-all'
  | 'toggle-dates'
  /** Shows what is muted, or no longer. */
  | 'toggle-muted'
  | 'edit-settings'
  /** Asks for the passphrase of the key, which another process had. */
  | 'unlock';

export interface Place {
  readonly kind: PlaceKind;
  /** The hash, name or query that the screen is about; `''` if that is clear. */
  readonly subject: string;
  /** The item on which the cursor was last, `''` at first. */
  readonly cursor: string;
}

/** What the person is told about the last thing done; `src/cli/front-end/notices.ts` puts it into words. */
export type Notice =
  | WishAnswer
  | { readonly type: 'failure'; readonly failure: Failure }
  | { readonly type: 'syncs.begun'; readonly names: readonly string[] }
  | { readonly type: 'sync.finished'; readonly about: SyncAction; readonly report: SyncReport }
  | { readonly type: 'hello.sent'; readonly address: SocketAddress }
  | { readonly type: 'hello.answered'; readonly address: SocketAddress; readonly name: string }
  | { readonly type: 'addresses.found'; readonly name: string; readonly addresses: readonly SocketAddress[] }
  /** `isLasting`: it is there after a restart, too. */
  | { readonly type: 'draft.kept'; readonly isLasting: boolean }
  /** There is nobody with whom this could be done. */
  | { readonly type: 'nobody.found'; readonly action: Action }
  | { readonly type: 'settings.edited' }
  /** The passphrase was right: the peer is run from now on. */
  | { readonly type: 'key.opened' }
  | { readonly type: 'link.opened'; readonly href: string };

export type SyncAction = (typeof SYNC_ACTIONS)[number] | 'follow';

/** A download that the person asked for, and why. */
export interface AwaitedSync {
  readonly name: string;
  readonly about: SyncAction;
}

export interface FrontEndInput {
  /** Begins the tickets of its wishes: no other front end of the same peer has it. */
  readonly id: string;
  /** What is half-written: by the hash of the message it answers, `''` for a message of its own. BOUNDED by what one person writes. */
  readonly drafts: Readonly<Record<string, string>>;
  /** Drafts outlive the program. */
  readonly keepsDrafts: boolean;
}

export interface FrontEndContext extends FrontEndInput {
  /** The way to the screen that is shown, which comes last; never empty. BOUNDED by MAX_PLACES. */
  readonly places: readonly Place[];
  /** What was chosen last, and about whom or what. */
  readonly action: Action;
  readonly subject: string;
  /** When what was written is to be published, Unix ms; undefined: at once. */
  readonly dueMs: number | undefined;
  /** The key that the person has accepted, after comparing it. */
  readonly offered: PublicKey | undefined;
  /** Whom there is to choose from. BOUNDED by the directory's list and the store's peers. */
  readonly names: readonly string[];
  readonly notice: Notice | undefined;
  /** Wishes so far. */
  readonly wishes: number;
  /** BOUNDED by MAX_AWAITED: of the ones before nothing is said. */
  readonly awaited: readonly AwaitedSync[];
  /** To which a Hello was sent last. */
  readonly greeted: SocketAddress | undefined;
}

/** Going further than this forgets where one came from. */
const MAX_PLACES = 32;
const MAX_AWAITED = 1_000;

export function isPlaceKind(action: Action): action is PlaceKind {
  return (PLACE_KINDS as readonly Action[]).includes(action);
}

/** Whether a peer has to be chosen first, if none is at hand. */
export function needsPeer(action: Action): boolean {
  return NEEDING_PEER.includes(action);
}

const NEEDING_PEER: readonly Action[] = [
  ...(['follow', 'unfollow', 'mute', 'unmute', 'block', 'unblock', 'trust', 'sync', 'root', 'addresses'] as const),
  ...(['peer', 'messages', 'tree'] as const),
];

/** `take-back` is about one that waits to be published. */
const ABOUT_MESSAGE: readonly Action[] = [
  ...(['thread', 'reply', 'withdraw', 'open-link', 'take-back'] as const),
  ...(['bookmark', 'unbookmark', 'mute-conversation', 'unmute-conversation'] as const),
];

/** Whether it is about a message or a peer; the others are about nothing in particular. */
export function hasSubject(action: Action): boolean {
  return isAboutMessage(action) || needsPeer(action);
}

export function isAboutMessage(action: Action): boolean {
  return ABOUT_MESSAGE.includes(action);
}

export function isStoreAction(action: Action): action is (typeof STORE_ACTIONS)[number] {
  return (STORE_ACTIONS as readonly Action[]).includes(action);
}

export function isSyncAction(action: Action): action is (typeof SYNC_ACTIONS)[number] {
  return (SYNC_ACTIONS as readonly Action[]).includes(action);
}

/** Of the wish that was made last. */
export function ticketOf({ id, wishes }: Pick<FrontEndContext, 'id' | 'wishes'>): string {
  return `${id}.${wishes}`;
}

/** What the peer is asked to change, as it was chosen. */
export function storeWishOf(context: FrontEndContext): StoreWish {
  const { action, subject } = context;
  const ticket = ticketOf(context);
  switch (action) {
    case 'follow':
    case 'unfollow':
      return { type: 'follow.wanted', name: subject, following: action === 'follow', ticket };
    case 'mute':
    case 'unmute':
      return { type: 'mute.wanted', name: subject, muted: action === 'mute', ticket };
    case 'block':
    case 'unblock':
      return { type: 'block.wanted', name: subject, blocked: action === 'block', ticket };
    case 'trust':
      if (context.offered === undefined) throw new Error(`no key of "${subject}" was compared`);
      return { type: 'trust.wanted', name: subject, key: context.offered, ticket };
    case 'withdraw':
      return { type: 'withdrawal.wanted', hash: subject as Hash, ticket };
    case 'bookmark':
    case 'unbookmark':
      return { type: 'mark.wanted', kind: 'bookmark', subject, marked: action === 'bookmark', ticket };
    case 'mute-conversation':
    case 'unmute-conversation':
      return { type: 'mark.wanted', kind: 'conversation', subject, marked: action === 'mute-conversation', ticket };
    case 'mute-word':
    case 'unmute-word':
      return { type: 'mark.wanted', kind: 'word', subject, marked: action === 'mute-word', ticket };
    case 'take-back':
      return { type: 'unschedule.wanted', id: Number(subject), ticket };
    case 'mark-read':
      return { type: 'read.wanted', hashes: 'all', ticket };
    default:
      throw new Error(`"${action}" asks the peer for nothing`);
  }
}

/** The message that was written. */
export function postWishOf(context: FrontEndContext): StoreWish {
  const inReplyTo = context.action === 'reply' ? (context.subject as Hash) : null;
  const wish = { text: draftOf(context), inReplyTo, ticket: ticketOf(context) };
  const { dueMs } = context;
  return dueMs === undefined ? { type: 'post.wanted', ...wish } : { type: 'schedule.wanted', ...wish, dueMs };
}

/** With these downloads, which take the place of earlier ones from the same peers. */
export function withAwaited(awaited: readonly AwaitedSync[], added: readonly AwaitedSync[]): readonly AwaitedSync[] {
  const names = new Set(added.map(({ name }) => name));
  return [...awaited.filter(({ name }) => !names.has(name)), ...added].slice(-MAX_AWAITED);
}

/** The place whose screen is shown. */
export function here({ places }: Pick<FrontEndContext, 'places'>): Place {
  return places.at(-1) as Place;
}

/** The way on to a new place. The first one stays, however long the way gets. */
export function pushed(places: readonly Place[], place: Place): readonly Place[] {
  const [home, ...rest] = places;
  return home === undefined ? [place] : [home, ...rest.slice(-MAX_PLACES), place];
}

/** A message of its own has no subject; an answer has that which it answers. */
const draftKey = ({ action, subject }: Pick<FrontEndContext, 'action' | 'subject'>) =>
  action === 'reply' ? subject : '';

export function draftOf(context: FrontEndContext): string {
  return context.drafts[draftKey(context)] ?? '';
}

/** The drafts with the one that is being written; a blank one is none. */
export function withDraft(context: FrontEndContext, text: string): FrontEndContext['drafts'] {
  const { [draftKey(context)]: _, ...others } = context.drafts;
  return text.trim() === '' ? others : { ...others, [draftKey(context)]: text };
}
