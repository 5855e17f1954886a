/**
 * `npm run recording`: records the demo at a real terminal, as the moving picture in the README. Somebody presses the keys below,
 * and each screen that comes of it is a frame.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Terminal } from '../support/terminal.ts';
import { type Frame, movingPicture } from './moving-picture.ts';

const COLUMNS = 80;
const ROWS = 24;
const TITLE = 'A session: reading the timeline, replying, a bookmark, a muted word, searching, a peer and its tree';

interface Step {
  readonly press?: readonly string[];
  readonly type?: string;
  /** What is on the screen then. */
  readonly shows: RegExp | string;
  readonly seconds?: number;
}

const steps: readonly Step[] = [
  { shows: /you · timeline[\s\S]*Bienvenue[\s\S]*✓/, seconds: 3 },
  { press: ['k'], shows: /❯ +↳ Özge/, seconds: 0.7 },
  { press: ['k'], shows: /❯ +↳ Chiara/, seconds: 0.7 },
  { press: ['k', 'k'], shows: /❯ Bram/, seconds: 1 },
  { press: ['Enter'], shows: 'conversation', seconds: 2.5 },
  { press: ['r'], shows: 'Your reply', seconds: 0.8 },
  ...['The baker ', 'next door, ', 'singing at five ', 'in the morning. 🥐'].map((type) => ({
    type,
    shows: type.trim(),
    seconds: 0.5,
  })),
  { press: ['Enter'], shows: 'Published', seconds: 2.5 },
  { press: ['Escape'], shows: 'you · timeline', seconds: 1.5 },
  { press: ['b'], shows: 'Bookmarked', seconds: 1.5 },
  { press: ['B'], shows: /bookmarks[\s\S]*★/, seconds: 1.5 },
  { press: ['Escape'], shows: 'you · timeline', seconds: 0.5 },
  { press: ['W'], shows: 'Mute messages with the word:', seconds: 0.6 },
  { type: 'clavier', shows: 'word: clavier', seconds: 0.8 },
  { press: ['Enter'], shows: 'Messages with “clavier” are muted', seconds: 2.5 },
  { press: ['z'], shows: 'clavier 🐞', seconds: 2 },
  { press: ['/'], shows: 'Search for:', seconds: 0.6 },
  { type: 'mesanges', shows: 'mesanges', seconds: 0.8 },
  { press: ['Enter'], shows: /\d messages with “mesanges”/, seconds: 2.5 },
  { press: ['Escape'], shows: 'you · timeline', seconds: 0.6 },
  { press: ['w'], shows: /Aline +following +online/, seconds: 1.5 },
  { press: ['Enter'], shows: 'fingerprint', seconds: 3 },
  { press: ['t'], shows: 'tree of Aline', seconds: 3 },
  { press: ['Escape'], shows: 'fingerprint', seconds: 0.5 },
  { press: ['Escape'], shows: /Aline +following/, seconds: 0.5 },
  { press: ['Escape'], shows: 'you · timeline', seconds: 0.6 },
  { press: ['?'], shows: /Moving[\s\S]*Messages/, seconds: 2.5 },
];

using terminal = new Terminal(['demo'], { columns: COLUMNS, rows: ROWS });
const frames: Frame[] = [];
for (const { press, type, shows, seconds = 1 } of steps) {
  if (press !== undefined) terminal.press(...press);
  if (type !== undefined) terminal.type(type);
  await terminal.shows(shows);
  // The line of keys is drawn last.
  await setTimeout(300);
  frames.push({ screen: terminal.screen({ escapes: true }), seconds });
}
writeFileSync(
  join(import.meta.dirname, '../../docs/session.svg'),
  movingPicture(TITLE, frames, { columns: COLUMNS, rows: ROWS }),
);
