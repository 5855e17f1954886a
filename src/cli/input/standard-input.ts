/** Standard input, as text. */
import { InvalidFileError } from '../errors.ts';
import type { InputStream } from '../streams.ts';

/** All of it, without the line break at its end. @throws InvalidFileError if it is not UTF-8 */
export async function readText(stdin: InputStream): Promise<string> {
  let text = '';
  for await (const piece of decoded(stdin)) text += piece;
  return text.replace(/\r?\n$/, '');
}

/** Line by line as they come, without their line breaks, empty ones left out. @throws InvalidFileError if it is not UTF-8 */
export async function* readLines(stdin: InputStream): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of decoded(stdin)) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.map((line) => line.trim()).filter((line) => line !== '');
  }
  if (rest.trim() !== '') yield rest.trim();
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
