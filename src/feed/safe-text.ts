/**
 * Text from strangers, made safe to show (protocol §9): bodies, names and Error texts pass here before a terminal or a
 * JSON output sees them. What could move the cursor, recolour, reorder, hide or impersonate goes; what a person wrote
 * stays, in any script.
 *
 * The steps build on each other: each one sees what the earlier ones left, and running all of it twice changes nothing.
 */

/** Marks on one base character; real writing systems get by with fewer, "zalgo" text does not. */
const MAX_MARKS = 8;

/** Nothing to do for most text ever posted. */
const PLAIN = /^[\n -~]*$/;

const LINE_BREAKS = /\r\n|[\r\v\f\u0085\u2028\u2029]/g;

/**
 * Terminal control sequences as a whole, or their parameters would remain as litter. ECMA-48 in its 7-bit and 8-bit
 * forms: CSI, then the strings (OSC, DCS, SOS, PM, APC) up to their terminator, then the short ones. Each class
 * excludes what may follow it, so that no input takes more than linear time.
 */
const CONTROL_SEQUENCES = new RegExp(
  [
    '(?:\\x1b\\[|\\x9b)[0-?]*[ -/]*[@-~]',
    '(?:\\x1b[\\]PX^_]|[\\x9d\\x90\\x98\\x9e\\x9f])[^\\x07\\x1b\\x80-\\x9f]*(?:\\x07|\\x1b\\\\|\\x9c)',
    '\\x1b[ -/]*[0-~]',
  ].join('|'),
  'g',
);

/**
 * Characters that are never shown but act on what is: controls except the newline; bidi marks, embeddings, overrides
 * and isolates; zero-width ones, fillers and tags (all "default ignorable" in Unicode's terms); interlinear
 * annotations. Variation selectors and the joiner are default ignorable too, but have honest uses: they get rules of
 * their own below.
 */
const INVISIBLES = /(?!\n|\u200d|\p{Variation_Selector})[\p{Cc}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu;

/** Variation selectors that do not follow a visible character; any number of them can be stacked to smuggle data. */
const STRAY_VARIATION_SELECTORS = /(?<![^\p{M}\p{Z}\p{Cc}\p{Cf}])\p{Variation_Selector}/gu;

/** Zero-width joiners, except those that make one emoji out of two. */
const STRAY_JOINERS =
  /(?<!\p{Extended_Pictographic}[\ufe0f\p{Emoji_Modifier}]?)\u200d|\u200d(?!\p{Extended_Pictographic})/gu;

const EXCESS_MARKS = new RegExp(`(\\p{M}{${MAX_MARKS}})\\p{M}+`, 'gu');

/**
 * A text of any number of lines, safe to show. The result has no C0 or C1 control but `\n`, no bidi control, nothing
 * zero-width except joiners and variation selectors where emoji and scripts need them, and no lone surrogate (each
 * becomes U+FFFD, as do noncharacters). Every kind of line break becomes `\n`, a tab a space. Idempotent.
 */
export function safeText(text: string): string {
  if (PLAIN.test(text)) return text;
  return text
    .toWellFormed()
    .replace(/\p{Noncharacter_Code_Point}/gu, '\ufffd')
    .replace(LINE_BREAKS, '\n')
    .replaceAll('\t', ' ')
    .replace(CONTROL_SEQUENCES, '')
    .replace(INVISIBLES, '')
    .replace(STRAY_JOINERS, '')
    .replace(STRAY_VARIATION_SELECTORS, '')
    .replace(EXCESS_MARKS, '$1');
}

/**
 * As `safeText`, on one line: each run of line breaks becomes a space. With a `limit` (at least 1), at most so many
 * code points, the last one `…` if something was cut; a cut never goes through what a reader sees as one character. For
 * names and Error texts.
 */
export function safeLine(text: string, limit = Number.POSITIVE_INFINITY): string {
  const line = safeText(text).replace(/\n+/g, ' ');
  return line.length <= limit ? line : shorten(line, limit);
}

/** Made when it is needed: that takes longer than all else that is loaded with this file. */
let graphemes: Intl.Segmenter | undefined;

function shorten(line: string, limit: number): string {
  let fits = 0;
  let count = 0;
  graphemes ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  for (const { segment, index } of graphemes.segment(line)) {
    count += Array.from(segment).length;
    if (count > limit) return `${line.slice(0, fits)}…`;
    // One place is held back for the ellipsis, until it is clear whether it is needed.
    if (count < limit) fits = index + segment.length;
  }
  return line;
}
