/** Where the page has its runs from: from itself, if it is a file that holds them, else from the server that it came from. */
import type { Line } from '../inspector/lines.ts';
import type { Reference } from '../inspector/reference.ts';
import { fromBase64 } from '../wire/base64.ts';

export interface Source {
  readonly reference: Reference;
  /** The lines of each run, as they come. */
  readonly runs: readonly AsyncIterable<readonly Line[]>[];
}

export async function openSource(): Promise<Source> {
  const reference = document.getElementById('reference')?.textContent;
  const runs = [...document.querySelectorAll('script[type="application/x-murmure-run"]')];
  if (reference && runs.length > 0) {
    return {
      reference: JSON.parse(reference),
      runs: runs.map(({ textContent }) => linesOf(unpack(textContent ?? ''))),
    };
  }
  const token = await takeToken();
  const page = (await (await ask('v1/page', token)).json()) as { reference: Reference; runs: number };
  const places = Array.from({ length: page.runs }, (_, i) => `v1/runs/${i}`);
  return { reference: page.reference, runs: places.map((place) => served(place, token)) };
}

async function* served(place: string, token: string): AsyncGenerator<readonly Line[]> {
  const { body } = await ask(place, token);
  if (body !== null) yield* linesOf(body);
}

/** From the link, which nobody is to see in the address bar. Reloading needs it again: the tab keeps it. */
async function takeToken(): Promise<string> {
  const parts = location.hash.slice(1).split('&');
  // What has a name is the place at which to stand.
  const given = parts.find((part) => !part.includes('=')) ?? '';
  const [, code] = /^code\.([\w-]{43})$/.exec(given) ?? [];
  if (given !== '') history.replaceState(null, '', `#${parts.filter((part) => part !== given).join('&')}`);
  if (code !== undefined) {
    const { token } = (await (await ask('v1/token', `Code ${code}`)).json()) as { token: string };
    sessionStorage.setItem('token', token);
  } else if (given !== '') sessionStorage.setItem('token', given);
  return `Bearer ${sessionStorage.getItem('token') ?? ''}`;
}

async function ask(place: string, authorization: string): Promise<Response> {
  const response = await fetch(place, { headers: { authorization } });
  if (response.ok) return response;
  const { error } = (await response.json().catch(() => ({}))) as { error?: { message: string } };
  throw new Error(error?.message ?? `the server answered with status ${response.status}`);
}

function unpack(base64: string): ReadableStream<Uint8Array> {
  return new Blob([fromBase64(base64)]).stream().pipeThrough(new DecompressionStream('gzip'));
}

/** Lines that are read in one go. */
const AT_ONCE = 500;

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<readonly Line[]> {
  const reader = stream.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const texts = (rest + value).split('\n');
    rest = texts.pop() ?? '';
    for (let at = 0; at < texts.length; at += AT_ONCE) {
      yield texts.slice(at, at + AT_ONCE).map((text) => JSON.parse(text) as Line);
    }
  }
}
