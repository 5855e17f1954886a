/** `murmure thread`: the conversation that a message belongs to. */
import { toMessage } from '../../feed/message.ts';
import type { StoredMessage } from '../../store/store.ts';
import type { CommandContext } from '../context.ts';
import { startOfConversation, turnsFrom } from '../conversation.ts';
import { findMessage } from '../message-hash.ts';
import { openStore } from '../open-home.ts';
import { renderMessage } from '../render/message.ts';
import { markSeen } from './timeline.ts';

const INDENT = '  ';
/** Deeper than this, there would be no room left for the text. */
const MAX_INDENTS = 12;

export async function thread(context: CommandContext, text: string): Promise<void> {
  using store = (await openStore(context.settings.home)).store;
  const asked = findMessage(store, text);
  const nowMs = context.nowMs();
  const shown: StoredMessage[] = [];
  for (const { message: kept, depth } of turnsFrom(store, startOfConversation(store, asked))) {
    const message = toMessage(kept, nowMs);
    shown.push(kept);
    context.output.data({ ...message, depth }, (paint) => {
      const marker = kept.hash === asked.hash ? paint('cyan', '→ ') : '';
      const margin = INDENT.repeat(Math.min(depth, MAX_INDENTS));
      return indent(marker + renderMessage(message, paint), margin);
    });
  }
  markSeen(context, store, shown);
}

function indent(text: string, margin: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? '' : margin + line))
    .join('\n');
}
