/** Takes what a terminal sends apart: keys, which are pressed one after the other, and pastes, each of which is one text. */

/** What is between the two was pasted, says a terminal that was asked to tell (xterm, "bracketed paste mode"). */
const BEGIN = '\u001B[200~';
const END = '\u001B[201~';
const ESCAPE = '\u001B';
const CTRL_C = '\u0003';

/** Nobody types a line, its end, and the next line at once: so much of it, in one piece, was pasted. */
const LEAST_WITH_LINES = 16;
/** Nor so much of a line. */
const LEAST = 200;
/** A terminal hands over a long paste in several pieces, which are this close to one another. */
const NEXT_PIECE_MS = 100;
/** Characters that are kept of one paste. BOUNDED memory and work, whatever is pasted; the rest is counted. */
export const MOST_PASTED = 16_384;

/** A line, its end, and something in the next line. */
const LINES = /[^\r\n][\r\n]+[^\r\n]/;
const CONTROL = /(?!\n)\p{Cc}/gu;

export interface Paste {
  /** Without control characters but `\n`. */
  readonly text: string;
  /** Characters that there were beyond that. */
  readonly cut: number;
}

/** Keys as the terminal sends them, or a paste. */
export type Input = string | Paste;

export class PasteFinder {
  /** Of the paste that has begun and not ended; undefined: none has. BOUNDED by MOST_PASTED. */
  #pasted: string | undefined;
  #cut = 0;
  /** What may be the beginning of a mark, whose rest is in the next piece. */
  #held = '';
  #lastPieceMs = Number.NEGATIVE_INFINITY;

  /** `guesses`: what is too much to be typed is a paste, also from a terminal that does not tell. */
  split(piece: string, { guesses, nowMs }: { readonly guesses: boolean; readonly nowMs: number }): Input[] {
    // A key that is pressed comes alone: the end of the paste was lost.
    if (this.#pasted !== undefined && piece === CTRL_C) {
      this.#pasted = undefined;
      this.#held = '';
      return [piece];
    }
    if (guesses && this.#isGuessed(piece, nowMs)) {
      this.#lastPieceMs = nowMs;
      return [pasteOf(piece, 0)];
    }
    const found: Input[] = [];
    let rest = this.#held + piece;
    this.#held = '';
    while (rest !== '') {
      const mark = this.#pasted === undefined ? BEGIN : END;
      const at = rest.indexOf(mark);
      const held = at === -1 ? beginningOf(mark, rest, this.#pasted === undefined ? SHORTEST_HELD : 1) : 0;
      const before = at === -1 ? rest.slice(0, rest.length - held) : rest.slice(0, at);
      this.#held = at === -1 ? rest.slice(rest.length - held) : '';
      rest = at === -1 ? '' : rest.slice(at + mark.length);
      if (this.#pasted === undefined) {
        if (before !== '') found.push(before);
        if (at !== -1) this.#begin();
      } else {
        this.#keep(before);
        if (at !== -1) found.push(this.#end());
      }
    }
    return found;
  }

  #begin(): void {
    this.#pasted = '';
    this.#cut = 0;
  }

  #keep(text: string): void {
    const pasted = this.#pasted ?? '';
    const kept = cutAt(text, MOST_PASTED - pasted.length);
    this.#pasted = pasted + kept;
    this.#cut += text.length - kept.length;
  }

  #end(): Paste {
    const paste = pasteOf(this.#pasted ?? '', this.#cut);
    this.#pasted = undefined;
    return paste;
  }

  #isGuessed(piece: string, nowMs: number): boolean {
    if (this.#pasted !== undefined || this.#held !== '' || piece.includes(ESCAPE) || piece.includes(CTRL_C))
      return false;
    // One letter alone is a key.
    if (nowMs - this.#lastPieceMs < NEXT_PIECE_MS && piece.length > 1) return true;
    return piece.length >= LEAST || (piece.length >= LEAST_WITH_LINES && LINES.test(piece));
  }
}

/** Less of a mark may be a key: Escape, or Alt-[. */
const SHORTEST_HELD = 3;

/** How many characters at the end of `text` begin the mark. */
function beginningOf(mark: string, text: string, least: number): number {
  for (let length = Math.min(mark.length - 1, text.length); length >= least; length -= 1) {
    if (text.endsWith(mark.slice(0, length))) return length;
  }
  return 0;
}

/** A terminal sends an Enter for each line. */
function pasteOf(text: string, cut: number): Paste {
  const kept = cutAt(text, MOST_PASTED);
  const shown = kept.replace(/\r\n?/g, '\n').replaceAll('\t', ' ').replace(CONTROL, '');
  return { text: shown, cut: cut + text.length - kept.length };
}

/** Not in the middle of a character. */
export function cutAt(text: string, length: number): string {
  if (text.length <= length) return text;
  const kept = text.slice(0, Math.max(0, length));
  return kept.isWellFormed() ? kept : kept.slice(0, -1);
}
