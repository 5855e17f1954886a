/** Reads a stream of events line by line, with distrust of its size alone: who sends it has proven to be ours. */
import * as v from 'valibot';
import { EventLine } from './schemas.ts';

/** A first download tells of a thousand messages at once. */
const MAX_LINE = 16 * 1024 * 1024;

export type LocalEvent = v.InferOutput<typeof EventLine>;

/** Lines that this version does not know are left out. Ends when the stream does, or breaks off. */
export async function* eventLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<LocalEvent> {
  for await (const line of linesOf(stream)) {
    const event = eventIn(line);
    if (event !== undefined) yield event;
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  let rest = '';
  while (rest.length <= MAX_LINE) {
    const { value } = await reader.read().catch(() => ({ value: undefined }));
    if (value === undefined) return;
    const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

function eventIn(line: string): LocalEvent | undefined {
  try {
    const parsed = v.safeParse(EventLine, JSON.parse(line));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}
