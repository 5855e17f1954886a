/** What every key does. */
import type { Paint } from '../output/output.ts';

const sections: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
  [
    'Moving',
    [
      ['↑ ↓, k j', 'one up, one down; what the cursor comes to counts as read'],
      ['PgUp PgDn', 'a page, Space too; g and G: to the first, to the last'],
      ['Esc, q, h', 'back to where you came from'],
      ['Ctrl-C', 'asks whether to quit; twice quits'],
    ],
  ],
  [
    'Messages',
    [
      ['Enter', 'the whole conversation'],
      ['p', 'write a message; r: answer the one under the cursor'],
      ['/', 'search all that is stored; accents do not count, "several words" in quotes'],
      ['@', 'messages that mention you'],
      ['m', 'all are read'],
      ['x', 'withdraw the one under the cursor, if it is yours'],
      ['t', 'exact dates instead of "3 min"'],
    ],
  ],
  [
    'Peers',
    [
      ['w', 'who there is; f follows and u unfollows there, m mutes, s downloads, t shows the tree'],
      ['f, u', 'on the timeline: follow or unfollow somebody, found by typing'],
      ['v', 'who wrote the message under the cursor'],
      ['s', 'on the timeline: download from everyone you follow'],
    ],
  ],
  [
    'Behind the scenes',
    [
      ['i', 'the protocol step by step: Hello, RootRequest, trees'],
      ['e', 'errors and what happened lately'],
      ['c', 'settings, and where each value comes from'],
    ],
  ],
  [
    'Writing',
    [
      ['Enter', 'sends; Alt-Enter starts a new line'],
      ['Ctrl-O', 'goes on in your editor ($VISUAL or $EDITOR)'],
      ['Esc', 'back; what is written is kept, also if the program ends'],
    ],
  ],
];

const KEY_COLUMNS = 12;

export function helpLines(paint: Paint): string[] {
  return sections.flatMap(([title, keys], index) => [
    ...(index === 0 ? [] : ['']),
    paint('bold', title),
    ...keys.map(([key, what]) => `  ${paint('cyan', key.padEnd(KEY_COLUMNS))}${what}`),
  ]);
}
