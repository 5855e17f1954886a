/** Standard input, as text. */
import { InvalidFileError } from '../errors.ts';
import type { InputStream } from '../streams.ts';

/** Characters: far more than a message or a datagram in hexadecimal may have. BOUNDED memory, whatever is piped in. */
const MOST = 2 ** 18;

/** All of it, without the line break at its end. @throws InvalidFileError if it is not UTF-8, or too long to mean anything */
export async function readText(stdin: InputStream): Promise<string> {
  let text = '';
  for await (const piece of decoded(stdin)) text = bounded(text + piece);
  return text.replace(/\r?\n$/, '');
}

/** Line by line as they come, without their line breaks, empty ones left out. @throws InvalidFileError if it is not UTF-8, or a line is too long */
export async function* readLines(stdin: InputStream): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of decoded(stdin)) {
    // Only what is new is looked through: a long line may come in many pieces.
    const [end = '', ...lines] = piece.split('\n');
    rest = bounded(rest + end);
    const last = lines.pop();
    if (last === undefined) continue;
    yield* [rest, ...lines].map((line) => line.trim()).filter((line) => line !== '');
    rest = last;
  }
  if (rest.trim() !== '') yield rest.trim();
}

function bounded(text: string): string {
  if (text.length <= MOST) return text;
  throw new InvalidFileError(
    'standard input',
    `there is a text of more than ${MOST.toLocaleString('en')} characters in it`,
  );
}

async function* decoded(stdin: InputStream): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const chunk of stdin) yield typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    yield decoder.decode();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new InvalidFileError('standard input', 'it is not UTF-8');
  }
}
