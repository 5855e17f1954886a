/** Stored messages on their way to stdout. */
import { isMentioned } from '../../feed/mentions.ts';
import { toMessage } from '../../feed/message.ts';
import { mutingOf } from '../../store/muting.ts';
import type { Store, StoredMessage } from '../../store/store.ts';
import { MurmureError } from '../../wire/murmure-error.ts';
import type { CommandContext } from '../context.ts';
import type { Paint } from '../output/output.ts';
import { type MessageStyle, renderMessage } from '../render/message.ts';
import { doubtsAmong } from '../render/name-doubts.ts';

/** Whose home it is that is read, and what is in it. */
export interface Reader {
  readonly name: string;
  readonly store: Store;
}

export interface PrintOptions extends Pick<MessageStyle, 'wholeHashes'> {
  /** More of it for JSON. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** What is made of the text for a person. */
  readonly decorate?: (text: string, paint: Paint) => string;
}

/** Prints one message after the other, as seen at one instant. */
export function messagePrinter({ output, nowMs }: CommandContext, { name, store }: Reader) {
  const atMs = nowMs();
  const names = [name, ...store.peers().map((peer) => peer.name)];
  const doubtsOf = doubtsAmong(name, store);
  const why = mutingOf(store, { ownName: name, nowMs: atMs });
  return (kept: StoredMessage, { fields, decorate = (text) => text, wholeHashes }: PrintOptions = {}): void => {
    const message = toMessage(kept, atMs);
    const mentionsYou = kept.author !== name && isMentioned(message.body, name);
    const muting = why(kept);
    const doubts = doubtsOf(kept.author);
    const more = { ...doubts, ...(mentionsYou && { mentionsYou }), ...(muting && { mutedBy: muting.by }) };
    const style = { names, ownName: name, doubts, ...(wholeHashes && { wholeHashes }), ...(muting && { muting }) };
    output.data({ ...message, ...more, ...fields }, (paint) => decorate(renderMessage(message, paint, style), paint));
  };
}

/** Prints them; what a person was shown is read. */
export function printMessages(context: CommandContext, reader: Reader, found: readonly StoredMessage[]): void {
  const print = messagePrinter(context, reader);
  for (const message of found) print(message);
  markSeen(context, reader.store, found);
}

/** A program may be looking for something else than a person. */
export function markSeen({ output }: CommandContext, store: Store, shown: readonly StoredMessage[]): void {
  const unread = shown.filter(({ read }) => !read).map(({ hash }) => hash);
  if (output.json || unread.length === 0) return;
  try {
    store.markRead(unread);
  } catch (error) {
    // They were shown, which is what was asked for: in a home that cannot be written they stay unread.
    if (!(error instanceof MurmureError)) throw error;
    output.warn(`these messages could not be marked as read: ${error.message}`);
  }
}
