/** Runs commands in this process, in homes of their own, with a network that is made up. */
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { homeAt } from '../../../src/cli/home/home.ts';
import { runCli } from '../../../src/cli/run-cli.ts';
import type { Environment, Prompts, Services } from '../../../src/cli/streams.ts';
import type { Directory, DirectoryOptions, Peer, PeerFact, PeerOptions, SyncReport } from '../../../src/index.ts';
import { openSqliteStore } from '../../../src/store/sqlite-store.ts';
import type { Store } from '../../../src/store/store.ts';
import { whyNotAsDocumented } from '../../support/cli-schemas.ts';

export interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** Each line of stdout, parsed. */
  // biome-ignore lint/suspicious/noExplicitAny: what a line holds is what a test is about
  readonly lines: Record<string, any>[];
}

export interface RunSettings {
  readonly stdin?: readonly (string | Uint8Array)[];
  readonly env?: Environment;
  readonly signal?: AbortSignal;
  readonly services?: Services;
  readonly nowMs?: () => number;
  readonly isTTY?: boolean;
  /** What a person answers. */
  readonly prompts?: Prompts;
  readonly onOutput?: (text: string) => void;
}

export async function run(argv: readonly string[], settings: RunSettings = {}): Promise<Run> {
  let out = '';
  let err = '';
  const { isTTY = false, onOutput = () => {} } = settings;
  const code = await runCli(argv, {
    stdout: {
      isTTY,
      write: (text) => {
        out += text;
        onOutput(out);
      },
    },
    stderr: {
      isTTY,
      write: (text) => {
        err += text;
        onOutput(err);
      },
    },
    stdin: pieces(settings.stdin ?? []),
    env: settings.env ?? {},
    services: settings.services ?? noNetwork,
    ...(settings.signal && { signal: settings.signal }),
    ...(settings.prompts && { prompts: settings.prompts }),
    ...(settings.nowMs && { nowMs: settings.nowMs }),
  });
  // Whatever a test is about: what comes out is what is documented.
  const isJson = (argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv).includes('--json');
  const wrong = isJson ? whyNotAsDocumented(argv, out) : undefined;
  if (wrong !== undefined) throw new Error(`not as documented in docs/cli.md: ${wrong}`);
  return {
    code,
    out,
    err,
    get lines() {
      return out
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line));
    },
  };
}

async function* pieces(chunks: readonly (string | Uint8Array)[]) {
  yield* chunks;
}

/** A folder that does not exist yet, removed after the test. */
export function freshFolder(): string {
  const parent = mkdtempSync(join(tmpdir(), 'murmure-test-'));
  onTestFinished(() => rm(parent, { recursive: true, force: true }));
  return join(parent, 'home');
}

/** A home with an identity. */
export async function initHome(name = 'alice'): Promise<string> {
  const home = freshFolder();
  const { code, err } = await run(['init', name, '--home', home]);
  if (code !== 0) throw new Error(err);
  return home;
}

/** What is asked of the home that a test has, and what else is put into it, as if it had been synced. */
export function inHome(home: () => string) {
  return {
    withStore<T>(work: (store: Store) => T): T {
      using store = openSqliteStore(homeAt(home()).storeFile);
      return work(store);
    },
    json: (...argv: string[]): Promise<Run> => run([...argv, '--home', home(), '--json']),
    human: (...argv: string[]): Promise<Run> => run([...argv, '--home', home()]),
  };
}

/** A person who gives these answers, one after the other. */
export function answers(...texts: readonly string[]): Prompts & { readonly asked: string[] } {
  const left = [...texts];
  const asked: string[] = [];
  const answer = async (question: string) => {
    asked.push(question);
    const text = left.shift();
    if (text === undefined) throw new Error(`nobody answers "${question}"`);
    return text;
  };
  return {
    asked,
    password: answer,
    confirm: async (question) => (await answer(question)) === 'yes',
    // As the real one: what is wrong is said, and the editor opens again.
    edit: async (question, complain) => {
      let text = await answer(question);
      for (let why = complain(text); why !== undefined; why = complain(text)) text = await answer(why);
      return text;
    },
  };
}

const unexpected = async (): Promise<never> => {
  throw new Error('this command should not use the network');
};
export const noNetwork: Services = { createPeer: unexpected, createDirectory: unexpected };

export const DIRECTORY = 'https://directory.example';

export interface FakePeer {
  readonly services: Services;
  /** What the peer was created with. */
  options(): PeerOptions;
  closed(): boolean;
  tell(fact: PeerFact): void;
}

/** A peer whose answers are given; what is not given, it does not do. */
export function fakePeer(behaviour: Partial<Omit<Peer, 'on'>>): FakePeer {
  let seen: PeerOptions | undefined;
  let closed = false;
  const listeners = new Set<(fact: PeerFact) => void>();
  const createPeer = async (options: PeerOptions): Promise<Peer> => {
    seen = options;
    return {
      name: options.name,
      addresses: [{ ip: '192.0.2.7', port: 4242 }],
      root: 'ab'.repeat(32),
      syncUnderWay: () => undefined,
      contactWith: () => ({ status: 'none', addresses: [] }),
      on: (type: string, listener: (fact: never) => void) => {
        const filtered = (fact: PeerFact) => (type === '*' || fact.type === type) && listener(fact as never);
        listeners.add(filtered);
        return () => listeners.delete(filtered);
      },
      ...behaviour,
      [Symbol.asyncDispose]: async () => {
        closed = true;
      },
    } as unknown as Peer;
  };
  return {
    services: { ...noNetwork, createPeer },
    options: () => seen as PeerOptions,
    closed: () => closed,
    tell: (fact) => {
      for (const listener of listeners) listener(fact);
    },
  };
}

export function fakeDirectory(
  directory: Partial<Directory>,
  onOptions: (options: DirectoryOptions) => void = () => {},
): Services {
  const createDirectory = async (options: DirectoryOptions = {}) => {
    onOptions(options);
    return { ...directory, [Symbol.asyncDispose]: async () => {} } as Directory;
  };
  return { ...noNetwork, createDirectory };
}

export function syncReport(peer: string, fields: Partial<SyncReport> = {}): SyncReport {
  return {
    peer,
    status: 'unchanged',
    root: 'cd'.repeat(32),
    newMessages: 0,
    withdrawnMessages: 0,
    totalMessages: 3,
    nodesFetched: 0,
    bytesFetched: 0,
    datagramsSent: 2,
    retransmissions: 0,
    durationMs: 12,
    ...fields,
  };
}
