/** The other side of the local API: asks the peer that another process runs on this home. */
import ky, { HTTPError, type KyInstance } from 'ky';
import { Agent, fetch as undiciFetch } from 'undici';
import * as v from 'valibot';
import type { Wish, WishAnswer } from '../../machines/wishes.ts';
import type { DirectoryPeer } from '../peer/directory-http.ts';
import { isSame, randomSecret } from '../runtime/secrets.ts';
import { MurmureError } from '../wire/murmure-error.ts';
import { type LocalAddress, readAddressFile } from './address-file.ts';
import { proofOf } from './proof.ts';
import {
  Dealings,
  DirectoryPeers,
  ErrorBody,
  type LocalDealings,
  type LocalStatus,
  Proof,
  Status,
  WishAnswerSchema,
} from './schemas.ts';

/** What a process that is alive answers in. */
const PATIENCE_MS = 5_000;
/** The directory may take its time. */
const LONG_PATIENCE_MS = 30_000;

/**
 * The peer that runs on a home, as `file` says. Undefined if there is none: no file, nobody at that address, or somebody who cannot prove
 * that the file is theirs. @throws MurmureError `in-use` if it does not answer, or not in our way
 */
export async function findLocalApi(file: string): Promise<LocalApi | undefined> {
  const address = readAddressFile(file);
  if (address === undefined) return undefined;
  const api = new LocalApi(address);
  if (await api.isGenuine()) return api;
  await api.close();
  return undefined;
}

export class LocalApi {
  /** Of the process that runs the peer. */
  readonly process: number;
  readonly #address: LocalAddress;
  readonly #agent = new Agent({ connections: 4, bodyTimeout: 0, connect: { timeout: PATIENCE_MS } });
  readonly #http: KyInstance;

  constructor(address: LocalAddress) {
    this.#address = address;
    this.process = address.process;
    this.#http = ky.create({
      baseUrl: address.url,
      retry: 0,
      timeout: PATIENCE_MS,
      redirect: 'error',
      // A proxy that the environment names has nothing to do with this.
      fetch: (input, init) => this.#fetch(input, init),
    });
  }

  /** Before this, nothing that is anybody's business is sent. @throws MurmureError `in-use` */
  async isGenuine(): Promise<boolean> {
    const { token, url } = this.#address;
    const nonce = randomSecret();
    try {
      const given = v.safeParse(Proof, await this.#http.post('/v1/proof', { json: { nonce } }).json());
      return given.success && isSame(given.output.proof, proofOf(token, nonce, url));
    } catch (error) {
      // Whoever has taken the port of a process that is gone may stay silent.
      if (isTimeout(error) && isRunning(this.process)) throw this.#notAnswering();
      // Nobody is there, or somebody who speaks otherwise.
      return false;
    }
  }

  async status(): Promise<LocalStatus> {
    return this.#understood(Status, await this.#ask(() => this.#http.get('/v1/status', this.#withToken()).json()));
  }

  /** What is going on with this peer. */
  async dealings(name: string): Promise<LocalDealings> {
    const path = `/v1/peers/${encodeURIComponent(name)}`;
    return this.#understood(Dealings, await this.#ask(() => this.#http.get(path, this.#withToken()).json()));
  }

  async directoryPeers(): Promise<DirectoryPeer[]> {
    const options = { ...this.#withToken(), timeout: LONG_PATIENCE_MS };
    const found = await this.#ask(() => this.#http.get('/v1/directory/peers', options).json());
    return this.#understood(DirectoryPeers, found).peers;
  }

  /** The answer of a wish that has a ticket. */
  async wish(wish: Wish): Promise<WishAnswer | undefined> {
    const options = { ...this.#withToken(), json: wish, timeout: LONG_PATIENCE_MS };
    const answer = await this.#ask(() => this.#http.post('/v1/wishes', options).json());
    return 'ticket' in wish && wish.ticket !== '' ? this.#understood(WishAnswerSchema, answer) : undefined;
  }

  /** The stream of events, until it is ended from either side. */
  async events(signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    return this.#stream('/v1/events', signal);
  }

  /** What all actors do from now on, as the inspector's page reads it. */
  async inspection(signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    return this.#stream('/v1/inspection', signal);
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #stream(path: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const { body } = await this.#ask(() => this.#http.get(path, { ...this.#withToken(), signal }));
    if (body === null) throw this.#notUnderstood('no events');
    return body;
  }

  #withToken() {
    return { headers: { authorization: `Bearer ${this.#address.token}` } };
  }

  async #fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    const request = new Request(input, init);
    const response = await undiciFetch(request.url, {
      method: request.method,
      headers: [...request.headers],
      body: request.body === null ? null : await request.arrayBuffer(),
      redirect: 'error',
      signal: request.signal,
      dispatcher: this.#agent,
    });
    // The same class, of another release than the one that Node has built in.
    return response as unknown as Response;
  }

  async #ask<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      if (isTimeout(error)) throw this.#notAnswering();
      const refused = error instanceof HTTPError ? refusal(error) : undefined;
      // One that is ending answers that it was interrupted, but this command was not.
      throw refused !== undefined && refused.code !== 'interrupted' ? refused : hasEnded(this.process);
    }
  }

  #understood<T extends v.GenericSchema>(schema: T, value: unknown): v.InferOutput<T> {
    const parsed = v.safeParse(schema, value);
    if (parsed.success) return parsed.output;
    throw this.#notUnderstood(v.summarize(parsed.issues));
  }

  #notAnswering(): MurmureError {
    return new MurmureError(
      'in-use',
      `the murmure that runs on this home (process ${this.process}) does not answer: resume it if it was stopped, or end it`,
    );
  }

  #notUnderstood(why: string): MurmureError {
    return new MurmureError(
      'in-use',
      `the murmure that runs on this home (process ${this.process}) is a different version than this one (${why}): restart it`,
    );
  }
}

/** What was asked of it may have been done, or not. */
export function hasEnded(process: number): MurmureError {
  return new MurmureError(
    'unexpected',
    `the murmure that ran on this home (process ${process}) has ended: check with "murmure timeline" what was done, and try again`,
  );
}

function refusal(error: HTTPError): MurmureError {
  const parsed = v.safeParse(ErrorBody, error.data);
  if (!parsed.success)
    return new MurmureError('unexpected', `the running peer answered with HTTP status ${error.response.status}`);
  const { code, message: why } = parsed.output.error;
  return new MurmureError(code, why);
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError';
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
