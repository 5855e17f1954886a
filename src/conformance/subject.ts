/** Who is examined, and what the checks have learnt of it together. */
import { randomBytes } from 'node:crypto';
import type { Random } from '../../machines/effects.ts';
import { generateKeyPair, type KeyPair } from '../identity/key-pair.ts';
import type { PublicKey } from '../identity/public-key.ts';
import type { DirectoryHttp } from '../peer/directory-http.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Network } from '../runtime/network.ts';
import { BULK_FLAG } from '../wire/bulk.ts';
import type { Datagram } from '../wire/datagram.ts';
import { type Hash, hashOf, isEmptyRoot } from '../wire/hash.ts';
import { decodeNode } from '../wire/node.ts';
import type { SocketAddress } from '../wire/socket-address.ts';
import type { Role } from './check.ts';
import { type Heard, Probe } from './probe.ts';

/** Asks the directory's HTTPS side as it stands, without any of our client's kindness. */
export type Https = (path: string, request?: HttpsRequest) => Promise<HttpsAnswer>;

export interface HttpsRequest {
  readonly method?: 'GET' | 'POST';
  readonly body?: string;
  readonly contentType?: string;
}

export interface HttpsAnswer {
  readonly status: number;
  readonly bytes: Uint8Array;
  readonly text: string;
}

export interface Identity {
  readonly name: string;
  readonly keyPair: KeyPair;
}

export interface SubjectOptions extends Identity {
  readonly role: Role;
  readonly address: SocketAddress;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  /** Whoever is needed beside us: as we are, somebody new. */
  readonly another: () => Promise<Identity>;
  /** Where it looks keys up; of a directory, its own HTTPS side. Undefined: none is known. */
  readonly directory?: Pick<DirectoryHttp, 'register' | 'udpAddresses' | 'peer' | 'serverKey'> | undefined;
  readonly https?: Https | undefined;
  /** Its key, if the directory cannot tell. */
  readonly key?: PublicKey | undefined;
  /** Local IP address of our sockets. Default: any. */
  readonly bind?: string;
}

export interface Tree {
  readonly root: Heard;
  readonly nodes: ReadonlyMap<Hash, Uint8Array>;
}

/** A few of its nodes tell what it publishes; known programs take seconds for each. */
const MOST_NODES = 16;
const LISTING_TRIES = 20;
const LISTING_PAUSE_MS = 250;
const CALM_TRIES = 3;
const PROOF_MS = 1_500;

export class Subject {
  readonly options: SubjectOptions;
  readonly #probes: Probe[] = [];
  #session: Promise<Session | undefined> | undefined;
  #tree: Promise<Tree | undefined> | undefined;
  #listed: Promise<Probe | undefined> | undefined;

  constructor(options: SubjectOptions) {
    this.options = options;
  }

  get role(): Role {
    return this.options.role;
  }

  /** A socket that has said nothing yet; under another name and key, if they are given. */
  async probe(as: Partial<Identity & { address: SocketAddress; flags: number }> = {}): Promise<Probe> {
    const { address, network, clock, random, name, keyPair, bind } = this.options;
    const { address: target = address, flags = BULK_FLAG, ...who } = as;
    const probe = await Probe.open({ target, name, keyPair, network, clock, random, bind, flags, ...who });
    this.#probes.push(probe);
    return probe;
  }

  close(): void {
    for (const probe of this.#probes) probe.close();
  }

  /** Our session with it, in which most checks ask; undefined: it does not answer Hello. */
  session(): Promise<Session | undefined> {
    this.#session ??= this.#open();
    return this.#session;
  }

  async #open(): Promise<Session | undefined> {
    await this.listed();
    const probe = await this.probe();
    const reply = await probe.askHello();
    if (reply?.datagram.type !== 'HelloReply') return undefined;
    // Its own Hello follows, if it has one.
    await probe.until(() => probe.heard.some(({ datagram }) => datagram.type === 'Hello'), PROOF_MS);
    await probe.wait(PROOF_MS / 3);
    return { probe, reply: { ...reply, datagram: reply.datagram } };
  }

  /** Registered where it looks keys up, so that it knows ours; false: that cannot be done. */
  async listed(): Promise<boolean> {
    this.#listed ??= this.register(this.options);
    return (await this.#listed) !== undefined;
  }

  /** The socket whose address is listed for this name now; undefined: that cannot be done. */
  async register({ name, keyPair }: Identity): Promise<Probe | undefined> {
    const { directory } = this.options;
    if (directory === undefined) return undefined;
    await directory.register(name, keyPair.publicKey);
    const [address] = await directory.udpAddresses();
    if (address === undefined) return undefined;
    const probe = await this.probe({ address, name, keyPair });
    await probe.askHello();
    for (let tries = 0; tries < LISTING_TRIES; tries++) {
      if ((await directory.peer(name)) !== undefined) return probe;
      await probe.wait(LISTING_PAUSE_MS);
    }
    return undefined;
  }

  /** Waits until it has done what it was asked, which takes some programs long; false: it answers our session no more. */
  async isCalm(): Promise<boolean> {
    const session = await this.#session;
    if (session === undefined) return true;
    for (let tries = 0; tries < CALM_TRIES; tries++) {
      if ((await session.probe.askHello()) !== undefined) return true;
    }
    return false;
  }

  /** Undefined: it has none, or nobody can tell. */
  async key(): Promise<PublicKey | undefined> {
    const { key, directory, role } = this.options;
    if (key !== undefined || directory === undefined) return key;
    if (role === 'directory') return directory.serverKey();
    const name = (await this.session())?.reply.datagram.name;
    return name === undefined ? undefined : (await directory.peer(name))?.key;
  }

  /** Its root, and what is nearest below. Undefined: it gives no root. */
  tree(): Promise<Tree | undefined> {
    this.#tree ??= this.#fetch();
    return this.#tree;
  }

  async #fetch(): Promise<Tree | undefined> {
    const session = await this.session();
    const root = await session?.probe.ask({ type: 'RootRequest' });
    if (session === undefined || root?.datagram.type !== 'Root') return undefined;
    const nodes = new Map<Hash, Uint8Array>();
    const wanted = isEmptyRoot(root.datagram.hash) ? [] : [root.datagram.hash];
    for (let hash = wanted.shift(); hash !== undefined && nodes.size < MOST_NODES; hash = wanted.shift()) {
      const answer = await session.probe.ask({ type: 'GetDatum', hash });
      if (answer?.datagram.type !== 'Datum') continue;
      const { value } = answer.datagram;
      nodes.set(hash, value);
      const node = decodeNode(value);
      // Newest last: the rest of the way down to one message is seen as well.
      if (node.ok && node.value.kind === 'internal' && hashOf(value) === hash)
        wanted.push(...node.value.children.filter((child) => !nodes.has(child)));
    }
    return { root, nodes };
  }
}

type Greeting = Datagram & { readonly type: 'Hello' | 'HelloReply' };

export interface Session {
  readonly probe: Probe;
  readonly reply: Heard & { readonly datagram: Greeting };
}

/** A name that nobody else has. */
export function newName(): string {
  return `conformance-${randomBytes(6).toString('hex')}`;
}

export async function newIdentity(): Promise<Identity> {
  return { name: newName(), keyPair: await generateKeyPair() };
}
