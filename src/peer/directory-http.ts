/**
 * The HTTPS side of a directory (protocol §3): where its UDP sockets are, who is listed, and registering.
 * Every answer is foreign: bounded in time and size while it arrives, validated before it is believed, and redirects are
 * not followed. Nothing is retried here: whoever asks knows when asking again makes sense.
 */
import ky from 'ky';
import { safeLine } from '../feed/safe-text.ts';
import type { PublicKey } from '../identity/public-key.ts';
import type { Decoded } from '../wire/decoded.ts';
import { MurmureError } from '../wire/murmure-error.ts';
import { isValidName, whyInvalidName } from '../wire/name.ts';
import type { SocketAddress } from '../wire/socket-address.ts';
import {
  type DirectoryPeer,
  MAX_ANSWER_BYTES,
  MAX_PEERS_BYTES,
  readAddresses,
  readPeer,
  readPeers,
  readServerKey,
} from './directory-answers.ts';
import { invalidAnswer, notADirectory, refused, timedOut, unreachable } from './directory-failure.ts';
import { trustCertificate } from './trust-certificate.ts';

export type { DirectoryPeer } from './directory-answers.ts';

export interface DirectoryHttpOptions {
  /** `https:` URL; a path is kept in front of those of the protocol. */
  readonly url: string | URL;
  /** Certificates in PEM, trusted besides those that Node trusts; by the whole process. */
  readonly ca?: string | undefined;
  /** For one request, its answer included. Default 10 s. */
  readonly timeoutMs?: number | undefined;
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
  /** The names listed now, valid ones only, at most 100,000. */
  peers(signal?: AbortSignal): Promise<string[]>;
  /** Undefined if the directory does not list the name now. */
  peer(name: string, signal?: AbortSignal): Promise<DirectoryPeer | undefined>;
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
/** What the reference directory says, status 400, of a name that has another key (protocol §3). */
const BAD_KEY = 'bad key';

/** @throws MurmureError `usage` for a URL that is not `https:`, or a `ca` that is not a certificate */
export function createDirectoryHttp({ url, ca, timeoutMs = DEFAULT_TIMEOUT_MS }: DirectoryHttpOptions): DirectoryHttp {
  const base = parseBase(url);
  if (ca !== undefined) trustCertificate(ca);
  // The deadline here covers the body too, which ky's own timeout does not.
  const http = ky.create({ retry: 0, timeout: false, throwHttpErrors: false, redirect: 'manual' });

  const ask = async ({ path, signal, json, limit = MAX_ANSWER_BYTES }: Question): Promise<Answer> => {
    const target = `${base}${path}`;
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), timeoutMs);
    try {
      const response = await http(target, {
        ...(json === undefined ? {} : { method: 'POST', json }),
        signal: signal === undefined ? deadline.signal : AbortSignal.any([signal, deadline.signal]),
      });
      const bytes = await readBody(response, limit);
      if (bytes === undefined) throw invalidAnswer(target, `it is longer than ${limit} bytes`);
      return { url: target, response, bytes };
    } catch (error) {
      if (signal?.aborted) throw interruption(signal.reason);
      if (deadline.signal.aborted) throw timedOut(target, timeoutMs);
      throw error instanceof MurmureError ? error : unreachable(target, error);
    } finally {
      clearTimeout(timer);
    }
  };

  return {
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

    peers: async (signal) => valid(await ask({ path: '/peers/', signal, limit: MAX_PEERS_BYTES }), readPeers),

    peer: async (name, signal) => {
      // Nobody has an invalid name; and a URL cannot express the valid names "." and "..", percent-encoded or not.
      if (!isValidName(name) || name === '.' || name === '..') return undefined;
      const answer = await ask({ path: `/peers/${encodeURIComponent(name)}`, signal });
      return answer.response.status === 404 ? undefined : valid(answer, (bytes) => readPeer(bytes, name));
    },
  };
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
