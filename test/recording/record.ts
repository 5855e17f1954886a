/**
 * `npm run recording`: records the demo at a real terminal, as the moving picture in the README. Somebody presses the keys below,
 * and each screen that comes of it is a frame.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Terminal } from '../support/terminal.ts';
import { type Frame, movingPicture } from './moving-picture.ts';

/** Wide enough for the conversation beside the list. */
const COLUMNS = 112;
const ROWS = 28;
const TITLE =
  'A session: a mention is answered later and changed before anybody sees it; then a bookmark, a search, a muted word, a peer and its tree';

interface Step {
  readonly press?: readonly string[];
  readonly type?: string;
  /** What is on the screen then. */
  readonly shows: RegExp | string;
  readonly seconds?: number;
}

const steps: readonly Step[] = [
  { shows: /you · timeline[\s\S]*Bienvenue[\s\S]*✓[\s\S]*@ 1 notification/, seconds: 3 },
  { press: ['@'], shows: /notifications[\s\S]*qu’est-ce/, seconds: 2 },
  { press: ['r'], shows: 'Your reply', seconds: 0.8 },
  ...['The baker ', 'next door, ', 'singing at five ', 'in the morning.'].map((type) => ({
    type,
    shows: type.trim(),
    seconds: 0.5,
  })),
  { press: ['C-t'], shows: 'seen after 30 seconds', seconds: 1.5 },
  { press: ['Enter'], shows: 'Others see it from', seconds: 2.5 },
  { press: ['Z'], shows: 'Your reply', seconds: 1 },
  { type: ' 🥐', shows: '🥐', seconds: 0.8 },
  { press: ['Enter'], shows: 'Published', seconds: 1.5 },
  { press: ['Escape'], shows: 'you · timeline', seconds: 2.5 },
  { press: ['k'], shows: 'you · timeline', seconds: 0.7 },
  { press: ['b'], shows: 'Bookmarked', seconds: 2 },
  { press: ['/'], shows: 'Search for:', seconds: 0.6 },
  { type: 'mesanges', shows: 'mesanges', seconds: 0.8 },
  { press: ['Enter'], shows: /\d messages with “mesanges”/, seconds: 2 },
  { press: ['Escape'], shows: 'you · timeline', seconds: 0.5 },
  { press: ['W'], shows: 'Mute messages with the word:', seconds: 0.8 },
  { type: 'miette', shows: 'miette', seconds: 0.8 },
  { press: ['Enter'], shows: /\d muted: z shows them/, seconds: 2 },
  { press: ['w'], shows: /Aline +following +online/, seconds: 2.5 },
  { press: ['Enter'], shows: 'fingerprint', seconds: 2 },
  { press: ['t'], shows: 'tree of Aline', seconds: 2.5 },
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
