/** What the front end's machine knows: where the person is, what is being done, and what is half-written. */

/** The kinds of screens. */
const PLACE_KINDS = [
  'timeline',
  'mentions',
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

/** Things to do with a peer. */
const PEER_ACTIONS = ['follow', 'unfollow', 'mute', 'unmute', 'sync', 'addresses', 'root'] as const;

/** What a key can lead to: a screen, or something to do. */
export type Action =
  | PlaceKind
  | (typeof PEER_ACTIONS)[number]
  | 'back'
  | 'quit'
  | 'post'
  /** To the message that it is about. */
  | 'reply'
  /** The message that it is about, which is one's own. */
  | 'withdraw'
  | 'search'
  | 'hello'
  /** Downloads from everyone who is followed. */
  | 'sync-all'
  | 'mark-read'
  | 'toggle-dates'
  | 'edit-settings';

export interface Place {
  readonly kind: PlaceKind;
  /** The hash, name or query that the screen is about; `''` if that is clear. */
  readonly subject: string;
  /** The item on which the cursor was last, `''` at first. */
  readonly cursor: string;
}

export interface FrontEndInput {
  /** What is half-written: by the hash of the message it answers, `''` for a message of its own. */
  readonly drafts: Readonly<Record<string, string>>;
}

export interface FrontEndContext extends FrontEndInput {
  /** The way to the screen that is shown, which comes last; never empty. */
  readonly places: readonly Place[];
  /** What was chosen last, and about whom or what. */
  readonly action: Action;
  readonly subject: string;
  /** Whom there is to choose from. */
  readonly names: readonly string[];
  /** What became of the last thing done; shown on the screen. */
  readonly notice: string;
}

/** Going further than this forgets where one came from. */
const MAX_PLACES = 32;

export function isPlaceKind(action: Action): action is PlaceKind {
  return (PLACE_KINDS as readonly Action[]).includes(action);
}

/** Whether a peer has to be chosen first, if none is at hand. */
export function needsPeer(action: Action): boolean {
  return (PEER_ACTIONS as readonly Action[]).includes(action) || ['peer', 'messages', 'tree'].includes(action);
}

/** Whether it is about a message or a peer; the others are about nothing in particular. */
export function hasSubject(action: Action): boolean {
  return isAboutMessage(action) || needsPeer(action);
}

export function isAboutMessage(action: Action): boolean {
  return action === 'thread' || action === 'reply' || action === 'withdraw';
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
