/** Asks for a word to mute. One that is muted already is shown again: the question says which ones are. */
import { safeLine } from '../../feed/safe-text.ts';
import { mutings, wordSubject } from '../../store/muting.ts';
import type { Dialogue } from './dialogue.ts';
import type { ReadStore } from './sources.ts';

interface Asking {
  readonly store: Pick<ReadStore, 'marks'>;
  readonly dialogue: Pick<Dialogue, 'line' | 'show'>;
  readonly nowMs: number;
}

export async function askWord({ store, dialogue, nowMs }: Asking) {
  const muted = mutings(store, 'word', nowMs).map(({ subject }) => subject);
  if (muted.length > 0)
    dialogue.show(
      `Muted words: ${muted.map((word) => safeLine(word)).join(', ')}\nType one of them to show its messages again.\n\n`,
    );
  const text = await dialogue.line('Mute messages with the word:', whyNoWord);
  const word = wordSubject(text);
  return { type: 'word.given' as const, word, muted: !muted.includes(word) };
}

function whyNoWord(text: string): string | undefined {
  return wordSubject(text) === '' ? 'type a word, of letters or digits; Escape goes back' : undefined;
}
