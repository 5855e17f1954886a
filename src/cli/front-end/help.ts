/** What every key does. */
import type { Paint } from '../output/output.ts';

const sections: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
  [
    'Moving',
    [
      ['↑ ↓, k j', 'up, down; a message is marked as read when the cursor reaches it'],
      ['PgUp PgDn', 'a page up, a page down (also Space); g and G: first, last'],
      ["'", 'back to where you were before g, G or a message of yours'],
      ['Esc, q, h', 'back to the previous screen'],
      ['Ctrl-C', 'asks whether to quit; pressed twice, quits'],
    ],
  ],
  [
    'Messages',
    [
      ['Enter', 'open the whole conversation'],
      ['p', 'write a message; r: reply to the selected one'],
      ['/', 'search all stored messages; accents are ignored, "several words" in quotes'],
      ['@', 'show replies to you and mentions of you'],
      ['b, B', 'bookmark the selected message, or remove the bookmark; B shows all bookmarks'],
      ['m', 'mark everything as read'],
      ['M', 'mute the conversation of the selected message, or unmute it'],
      ['W', 'mute messages with a word, or show them again'],
      ['z', 'show what is muted, or hide it again'],
      ['o', 'open a web address in the message; the whole address is shown first'],
      ['Z', 'take back a message that others do not see yet, and go on writing it'],
      ['x', 'withdraw the selected message, if it is yours'],
      ['t', 'switch between exact dates and "3 min"'],
    ],
  ],
  [
    'Peers',
    [
      ['w', 'list the peers; there, f follows, u unfollows, m mutes, X blocks, s downloads, t shows the tree'],
      ['a', 'there, for a peer whose key has changed: compare the keys, and accept the new one'],
      ['f, u', 'on the timeline: follow or unfollow somebody'],
      ['v', 'show the author of the selected message; y: your own page'],
      ['s', 'on the timeline: download new messages from everybody you follow'],
    ],
  ],
  [
    'Behind the scenes',
    [
      ['i', 'the protocol step by step: Hello, RootRequest, trees'],
      ['e', 'recent events and errors'],
      ['c', 'settings, and where each value comes from'],
    ],
  ],
  [
    'Writing',
    [
      ['Enter', 'send; Alt-Enter starts a new line'],
      ['Ctrl-T', 'send it later: until then you can take it back (Z), and nobody has seen it'],
      ['Ctrl-O', 'continue in your editor ($VISUAL, $EDITOR, or one that is installed)'],
      ['Esc', 'back; your draft is saved'],
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
