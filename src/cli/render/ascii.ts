/** For terminals whose locale is not UTF-8: what they cannot show is replaced by what comes near. */
import { Writable } from 'node:stream';
import width from 'fast-string-width';
import type { Environment } from '../streams.ts';

const REPLACED: Readonly<Record<string, string>> = {
  '…': '.',
  '–': '-',
  '—': '-',
  '─': '-',
  '«': '"',
  '»': '"',
  '“': '"',
  '”': '"',
  '‘': "'",
  '’': "'",
  '·': '|',
  '•': '*',
  '★': '#',
  '│': '|',
  '↳': '>',
  '→': '>',
  '❯': '>',
  '↵': '<',
  '⏎': '<',
  '✓': '+',
  '✔': '+',
  '✗': 'x',
  '↑': '^',
  '↓': 'v',
  ß: 's',
  æ: 'e',
  œ: 'o',
  ø: 'o',
  ı: 'i',
};

const NOT_ASCII = /[^\p{ASCII}]\p{M}*/gu;

/** As many columns wide as before. Escape sequences stay. */
export function toAscii(text: string): string {
  return text.replace(NOT_ASCII, (letter) => {
    const [base = ''] = letter.normalize('NFD');
    const replacement = REPLACED[base] ?? (base < '\u0080' ? base : '?');
    return replacement.padEnd(width(letter), '?').slice(0, width(letter));
  });
}

/** POSIX: the first of these that is set decides. None at all says nothing, and terminals of today know UTF-8. */
export function isUtf8({ LC_ALL, LC_CTYPE, LANG }: Environment): boolean {
  const locale = LC_ALL || LC_CTYPE || LANG;
  return locale === undefined || locale === '' || /utf-?8/i.test(locale);
}

/** The terminal, as a stream that writes nothing but ASCII to it. */
export function asciiTerminal(terminal: NodeJS.WriteStream): NodeJS.WriteStream {
  const stream = new Writable({
    decodeStrings: false,
    write: (chunk: Buffer | string, _encoding, done) => {
      terminal.write(toAscii(String(chunk)));
      done();
    },
  });
  // Whoever is piped into it ends it, as nobody ends the terminal itself.
  stream.end = () => stream;
  terminal.on('resize', () => stream.emit('resize'));
  const size = { columns: { get: () => terminal.columns }, rows: { get: () => terminal.rows } };
  return Object.defineProperties(stream, { ...size, isTTY: { value: true } }) as unknown as NodeJS.WriteStream;
}
