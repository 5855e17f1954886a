/** `murmure post`: publishes a message into the home's store, from where a running `serve` passes it on. */
import { toMessage, WIRE_EPOCH_MS } from '../../feed/message.ts';
import { abortable } from '../abortable.ts';
import type { CommandContext } from '../context.ts';
import { UsageError } from '../errors.ts';
import { readText } from '../input.ts';
import { resolveHash } from '../message-hash.ts';
import { openStore } from '../open-home.ts';
import { renderMessage } from '../render/message.ts';

export interface PostOptions {
  readonly replyTo?: string;
}

/** A text that is too long is refused by the store, which says by how much. */
export async function post(context: CommandContext, text: string, { replyTo }: PostOptions): Promise<void> {
  const { name, store: opened } = await openStore(context.settings.home);
  using store = opened;
  const inReplyTo = replyTo === undefined ? null : resolveHash(store, replyTo);
  const body = text === '-' ? await abortable(readText(context.stdin), context.signal) : text;
  if (body.trim() === '') throw new UsageError('an empty message is not worth publishing: write something');

  const nowMs = context.nowMs();
  const date = Math.floor((nowMs - WIRE_EPOCH_MS) / 1000);
  const { hash, root } = store.publish(name, { date, inReplyTo, body }, nowMs);
  const kept = store.message(hash);
  if (kept === undefined) throw new Error(`the message ${hash} was published, but cannot be read back`);
  const message = toMessage(kept, nowMs);
  context.output.data({ ...message, root }, (paint) => renderMessage(message, paint));
}
