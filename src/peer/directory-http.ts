/**
 * The HTTPS side of a directory (protocol §3): where its UDP sockets are, who is listed, and registering.
 * Every answer is foreign: it is bounded in time and size while it arrives, and validated before it is believed; redirects are
 * not followed. A question is asked again only where that cannot fail for the same reason: when a connection that was kept
 * open turns out to be closed, or when the directory says how few seconds to wait.
 */
import ky, { type AfterResponseState } from 'ky';
import { safeLine } from '../feed/safe-text.ts';
import type { PublicKey } from '../identity/public-key.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import type { Decoded } from '../wire/decoded.ts';
import { MurmureError } from '../wire/murmure-error.ts';
import { isValidName, whyInvalidName } from '../wire/name.ts';
import type { SocketAddress } from '../wire/socket-address.ts';
import {
  type Changes,
  type DirectoryPeer,
  MAX_ANSWER_BYTES,
  MAX_CHANGES_BYTES,
  MAX_PEERS_BYTES,
  type ReadPeers,
  readAddresses,
  readChanges,
  readNames,
  readPeer,
  readPeers,
  readServerKey,
} from './directory-answers.ts';
import { invalidAnswer, isConnectionLost, notADirectory, refused, timedOut, unreachable } from './directory-failure.ts';
import { DirectoryLookUps } from './directory-look-ups.ts';
import { createTransport } from './directory-transport.ts';
import { fitting } from './names-in-url.ts';

export type { Changes, DirectoryPeer } from './directory-answers.ts';

export interface DirectoryHttpOptions {
  /** `https:` URL; a path is kept in front of those of the protocol. */
  readonly url: string | URL;
  /** Certificates in PEM, which this client trusts besides those that Node trusts. */
  readonly ca?: string | undefined;
  /** For one request, its answer included. Default 10 s. */
  readonly timeoutMs?: number | undefined;
  /** Default: the system's. */
  readonly clock?: Clock | undefined;
}

/**
 * Every method rejects with a MurmureError: `directory-unreachable`; `invalid-data` for an answer that breaks the protocol;
 * `interrupted` when the signal is aborted, unless its reason is a MurmureError of its own.
 */
export interface DirectoryHttp {
  /** The directory's UDP addresses, in its order (IPv4 first). Entries that are no address are dropped; never empty. */
  udpAddresses(signal?: AbortSignal): Promise<SocketAddress[]>;
  /** Undefined if the directory does not sign. */
  serverKey(signal?: AbortSignal): Promise<PublicKey | undefined>;
  /** Binds the name to the key. Also rejects with `authentication` if it is bound to another one, `usage` for an invalid name. */
  register(name: string, key: PublicKey | undefined, signal?: AbortSignal): Promise<void>;
  /** The peers listed now, at most 100,000, without those that the directory describes wrongly. */
  peers(signal?: AbortSignal): Promise<DirectoryPeer[]>;
  /** Undefined if the directory does not list the name now. Look-ups that are made together go in one request. */
  peer(name: string, signal?: AbortSignal): Promise<DirectoryPeer | undefined>;
  /**
   * What has changed in the list of these names since this cursor; an empty one asks where the list stands. Others may be told of as well.
   * Undefined: this directory has no cursors; it is not asked again.
   */
  changes(cursor: string, names: readonly string[], signal?: AbortSignal): Promise<Changes | undefined>;
  /** This machine is somewhere else now: connections that are open lead nowhere. */
  forgetConnections?(): void;
}

/** A client over real connections, which also tells what it has seen of the directory. */
export interface DirectoryHttpClient extends DirectoryHttp {
  /** How far the directory's clock was ahead of this computer's at its last answer, to about a second. */
  readonly clockOffsetMs: number | undefined;
  /** When the directory's certificate expires, in Unix ms; undefined before one was trusted. */
  readonly certificateExpiresMs: number | undefined;
}

interface Question {
  readonly path: string;
  readonly signal: AbortSignal | undefined;
  readonly json?: unknown;
  readonly limit?: number;
}

interface Answer {
  readonly url: string;
  readonly response: Response;
  readonly bytes: Uint8Array;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_RETRIES = 2;
/** About what has changed: whoever follows more than a thousand peers asks about everybody instead. */
const MAX_QUESTIONS = 10;
/** The longest that is waited for a directory that answers 429 or 503; whoever asked may still be waiting then. */
const MAX_RETRY_AFTER_S = 5;
/** What the reference directory says, status 400, of a name that has another key (protocol §3). */
const BAD_KEY = 'bad key';

/** @throws MurmureError `usage` for a URL that is not `https:`, a `ca` that is not a certificate, or a proxy that is not a URL */
export function createDirectoryHttp(options: DirectoryHttpOptions): DirectoryHttpClient {
  const { ca, timeoutMs = DEFAULT_TIMEOUT_MS, clock = systemClock } = options;
  const base = parseBase(options.url);
  let clockOffsetMs: number | undefined;
  let certificateExpiresMs: number | undefined;
  let hasCursors = true;
  const transport = createTransport({
    url: new URL(base),
    ca,
    onCertificate: ({ valid_to }) => {
      certificateExpiresMs = Date.parse(valid_to);
    },
  });
  const http = ky.create({
    fetch: transport.fetch,
    // The deadline here covers the body too, which ky's own timeout does not.
    timeout: false,
    throwHttpErrors: false,
    redirect: 'manual',
    retry: { limit: MAX_RETRIES, delay: () => 0, shouldRetry: ({ error }) => isConnectionLost(error) },
    hooks: { afterResponse: [retryIfAskedTo] },
  });

  const ask = async ({ path, signal, json, limit = MAX_ANSWER_BYTES }: Question): Promise<Answer> => {
    const target = `${base}${path}`;
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      const response = await http(target, {
        ...(json === undefined ? {} : { method: 'POST', json }),
        signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
      });
      clockOffsetMs = offsetOf(response, clock.now()) ?? clockOffsetMs;
      const bytes = await readBody(response, limit);
      if (bytes === undefined) throw invalidAnswer(target, `it is longer than ${limit} bytes`);
      return { url: target, response, bytes };
    } catch (error) {
      if (signal?.aborted) throw interruption(signal.reason);
      if (deadline.aborted) throw timedOut(target, timeoutMs);
      throw error instanceof MurmureError ? error : unreachable(target, error, transport.proxy);
    }
  };

  const askForNames = async (signal: AbortSignal | undefined) =>
    namesIn(await ask({ path: '/peers/', signal, limit: MAX_PEERS_BYTES }));

  const lookUps = new DirectoryLookUps(
    {
      several: async (names, signal) => {
        const query = names.map((name) => `&name=${encodeURIComponent(name)}`).join('');
        const answer = await ask({ path: `/peers?format=json${query}`, signal, limit: MAX_PEERS_BYTES });
        const found = peersIn(answer);
        if (found === undefined) return undefined;
        return new Map(
          [...found].map(([name, peer]) => [name, peer.ok ? peer.value : invalidAnswer(answer.url, peer.why)]),
        );
      },
      one: async (name, signal) => {
        const answer = await ask({ path: `/peers/${encodeURIComponent(name)}`, signal });
        return answer.response.status === 404 ? undefined : valid(answer, (bytes) => readPeer(bytes, name));
      },
      names: askForNames,
    },
    clock,
  );

  const lookUp = async (name: string, signal: AbortSignal | undefined, isSingle: boolean) => {
    // Nobody has an invalid name; and a URL cannot express the valid names "." and "..", percent-encoded or not.
    if (!isValidName(name) || name === '.' || name === '..') return undefined;
    try {
      return await lookUps.peer(name, { signal, isSingle });
    } catch (error) {
      throw signal?.aborted ? interruption(signal.reason) : error;
    }
  };

  const askForChanges = async (
    cursor: string,
    of: string,
    signal: AbortSignal | undefined,
  ): Promise<Changes | undefined> => {
    const path = `/peers?format=json&changes=only&since=${encodeURIComponent(cursor)}${of}`;
    try {
      return changesIn(await ask({ path, signal, limit: MAX_CHANGES_BYTES }));
    } catch (error) {
      // It is too long. Looking up by name whom one wants costs less.
      if (!(error instanceof MurmureError) || error.code !== 'invalid-data') throw error;
      return cursor === '' ? undefined : askForChanges('', of, signal);
    }
  };

  return {
    get clockOffsetMs() {
      return clockOffsetMs;
    },

    get certificateExpiresMs() {
      return certificateExpiresMs;
    },

    forgetConnections: () => transport.forgetConnections(),

    udpAddresses: async (signal) => {
      const answer = await ask({ path: '/udp-address', signal });
      if (!answer.response.ok) throw refused(answer.url, answer.response);
      const addresses = readAddresses(answer.bytes);
      if (!addresses.ok) throw notADirectory(answer.url, `it answered ${addresses.why}`);
      if (addresses.value.length === 0) throw invalidAnswer(answer.url, 'there is no usable UDP address in it');
      return addresses.value;
    },

    serverKey: async (signal) => {
      const answer = await ask({ path: '/server-key', signal });
      return answer.response.status === 404 ? undefined : valid(answer, readServerKey);
    },

    register: async (name, key, signal) => {
      const why = whyInvalidName(name);
      if (why !== undefined) throw new MurmureError('usage', `this name cannot be registered: ${why}`);
      const json = key === undefined ? { name } : { name, key };
      const { url: target, response, bytes } = await ask({ path: '/register', signal, json });
      if (response.ok) return;
      if (response.status !== 400) throw refused(target, response);
      const text = safeLine(new TextDecoder().decode(bytes), 200);
      if (text.includes(BAD_KEY)) throw nameTaken(name, target);
      const message = `the directory refused to register ${safeLine(name)} at ${target}: "${text}"; choose another name, or ask whoever runs it`;
      throw new MurmureError('invalid-data', message);
    },

    peers: async (signal) => {
      const answer = await ask({ path: '/peers?format=json', signal, limit: MAX_PEERS_BYTES });
      const listed = peersIn(answer);
      if (listed !== undefined) return [...listed.values()].flatMap((found) => (found.ok ? [found.value] : []));
      const names = answer.response.ok ? namesIn(answer) : await askForNames(signal);
      const found = await Promise.all(names.map((name) => lookUp(name, signal, true).catch(ignoreInvalid)));
      return found.filter((peer) => peer !== undefined);
    },

    peer: (name, signal) => lookUp(name, signal, false),

    changes: async (cursor, names, signal) => {
      if (!hasCursors) return undefined;
      const answers: Changes[] = [];
      for (const of of questionsAbout(names)) {
        const changes = await askForChanges(cursor, of, signal);
        hasCursors = changes !== undefined;
        if (changes === undefined || changes.isExpired) return changes;
        answers.push(changes);
      }
      // Whoever changed after the first answer is told again next time.
      return {
        cursor: answers[0]?.cursor ?? cursor,
        isExpired: false,
        peers: answers.flatMap(({ peers }) => peers),
        removed: answers.flatMap(({ removed }) => removed),
      };
    },
  };
}

/** One for every hundred names. A directory that does not know `of` tells about everybody. */
function questionsAbout(names: readonly string[]): string[] {
  const questions: string[] = [];
  let rest = names;
  do {
    const some = rest.slice(0, fitting(rest));
    questions.push(some.map((name) => `&of=${encodeURIComponent(name)}`).join('') || '&of=');
    rest = rest.slice(some.length);
  } while (rest.length > 0);
  return questions.length > MAX_QUESTIONS ? [''] : questions;
}

function parseBase(url: string | URL): string {
  const parsed = URL.parse(String(url));
  if (parsed === null) {
    throw usageError(`"${safeLine(String(url), 200)}" is not a URL; write for example https://directory.example:8443`);
  }
  if (parsed.protocol !== 'https:') {
    throw usageError(`a directory is asked over https:, not ${parsed.protocol} as in ${parsed.href}; write https://…`);
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw usageError(`the URL of a directory has neither user nor password; write https://${parsed.host}`);
  }
  return parsed.origin + parsed.pathname.replace(/\/+$/, '');
}

function usageError(message: string): MurmureError {
  return new MurmureError('usage', message);
}

function valid<T>({ url, response, bytes }: Answer, read: (bytes: Uint8Array) => Decoded<T>): T {
  if (!response.ok) throw refused(url, response);
  const value = read(bytes);
  if (!value.ok) throw invalidAnswer(url, value.why);
  return value.value;
}

/** Undefined for a directory that has no such route, or that leaves the query aside and gives its text list. */
function peersIn(answer: Answer): ReadPeers | undefined {
  const { url, response, bytes } = answer;
  if (response.status === 404 || response.status === 400) return undefined;
  if (!response.ok) throw refused(url, response);
  const peers = readPeers(bytes);
  if (peers.ok) return peers.value;
  namesIn(answer);
  return undefined;
}

/** Undefined for a directory that has no such route, or that leaves the query aside. */
function changesIn(answer: Answer): Changes | undefined {
  const { url, response, bytes } = answer;
  if (response.status === 404 || response.status === 400) return undefined;
  if (!response.ok) throw refused(url, response);
  const changes = readChanges(bytes);
  if (changes.ok) return changes.value;
  if (!readPeers(bytes).ok) namesIn(answer);
  return undefined;
}

/** Whatever is not a list of names must not pass for an empty one. */
function namesIn({ url, response, bytes }: Answer): string[] {
  if (!response.ok) throw refused(url, response);
  if (/html/i.test(response.headers.get('content-type') ?? '')) throw notADirectory(url, 'it answered a web page');
  const names = readNames(bytes);
  if (!names.ok) throw notADirectory(url, `it answered ${names.why}`);
  return names.value;
}

/** One peer that is described wrongly does not hide the others. */
function ignoreInvalid(error: unknown): undefined {
  if (!(error instanceof MurmureError) || error.code !== 'invalid-data') throw error;
}

/** A directory that is asked too often says when to ask again. */
function retryIfAskedTo({ response, retryCount }: AfterResponseState) {
  const waitS = Number(response.headers.get('retry-after') ?? Number.NaN);
  const isBusy = response.status === 429 || response.status === 503;
  if (isBusy && waitS >= 0 && waitS <= MAX_RETRY_AFTER_S && retryCount < MAX_RETRIES) {
    return ky.retry({ delay: waitS * 1000 });
  }
  return undefined;
}

function offsetOf(response: Response, nowMs: number): number | undefined {
  const dateMs = Date.parse(response.headers.get('date') ?? '');
  return Number.isNaN(dateMs) ? undefined : dateMs - nowMs;
}

/** Undefined, and the rest is not waited for, once it is more than `limit` bytes; unpacked ones if it is compressed. */
async function readBody({ body }: Response, limit: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    // Leaving the loop cancels the stream.
    if (size > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

function nameTaken(name: string, url: string): MurmureError {
  const message = `the name ${safeLine(name)} is taken by another key at ${url}; use the key that it was registered with, or choose another name`;
  return new MurmureError('authentication', message);
}

function interruption(reason: unknown): MurmureError {
  if (reason instanceof MurmureError) return reason;
  return new MurmureError('interrupted', 'asking the directory was given up', { cause: reason });
}
