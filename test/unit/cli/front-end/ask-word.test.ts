/** The question for a word to mute. */
import { expect, test } from 'vitest';
import { askWord } from '../../../../src/cli/front-end/ask-word.ts';

const asking = (answer: string, muted: readonly string[] = []) => {
  const shown: string[] = [];
  let why: string | undefined;
  const store = { marks: () => muted.map((subject) => ({ kind: 'word' as const, subject, untilMs: undefined })) };
  const dialogue = {
    show: (text: string) => void shown.push(text),
    line: async (_question: string, whyInvalid: (text: string) => string | undefined) => {
      why = whyInvalid(answer);
      return answer;
    },
  };
  const asked = askWord({ store, dialogue, nowMs: 0 });
  return asked.then((event) => ({ event, shown, why }));
};

test('a word is muted without its accents and capitals', async () => {
  expect(await asking('Météo ')).toEqual({
    event: { type: 'word.given', word: 'meteo', muted: true },
    shown: [],
    why: undefined,
  });
});

test('the muted words are shown, and one of them typed again is heard again', async () => {
  const { event, shown } = await asking('FOOTBALL', ['football', 'rain']);
  expect(event).toEqual({ type: 'word.given', word: 'football', muted: false });
  expect(shown.join('')).toContain('football, rain');
});

test('what holds no letter or digit is refused', async () => {
  expect((await asking('!?')).why).toMatch(/type a word/);
});
