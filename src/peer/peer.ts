/** What a peer offers to a program: its options, its calls, and what it tells. */
import type { InspectionEvent } from 'xstate';
import type { Random } from '../../machines/effects.ts';
import type { HistoryCheck, SyncReport } from '../../machines/events.ts';
import type { PeerFact as MachineFact } from '../../machines/peer-events.ts';
import type { Wish } from '../../machines/wishes.ts';
import type { Message } from '../feed/message.ts';
import type { KeyPair } from '../identity/key-pair.ts';
import type { PublicKey } from '../identity/public-key.ts';
import type { Line } from '../inspector/lines.ts';
import type { Explanation } from '../journal/explain.ts';
import type { JournalSink } from '../journal/recorder.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Network } from '../runtime/network.ts';
import type { Sign, Verify } from '../runtime/shared-effects.ts';
import type { MessageQuery, Store } from '../store/store.ts';
import type { Hash } from '../wire/hash.ts';
import type { SocketAddress } from '../wire/socket-address.ts';
import type { DirectoryHttp, DirectoryPeer } from './directory-http.ts';
import type { StoreFact } from './peer-dependencies.ts';
import type { DirectoryStanding, PeerStatus } from './status.ts';

export type PeerFact =
  | Exclude<MachineFact, { type: 'sync.started' | 'sync.finished' | 'ping.finished' }>
  /** `natTraversal`: the directory was asked to have this peer open its NAT. */
  | (Extract<MachineFact, { type: 'ping.finished' }> & { readonly natTraversal: boolean })
  | { readonly type: 'sync.finished'; readonly report: SyncReport }
  | StoreFact;

export interface PeerOptions {
  readonly name: string;
  readonly keyPair: Pick<KeyPair, 'publicKey' | 'sign'>;
  readonly store: Store;
  /** `https:` URL of the directory. */
  readonly directory: string | URL;
  /** Certificate in PEM, trusted for the directory besides the system's. */
  readonly ca?: string | undefined;
  /** Local addresses, "HOST:PORT"; port 0 for any free one. Default: every IPv4 and every IPv6 address. */
  readonly udp?: readonly string[] | undefined;
  /** Ports to try first, in this order, where `udp` asks for any free one. Default none. */
  readonly preferredPorts?: readonly number[] | undefined;
  /** False: this peer only asks, and does not register. Default true. */
  readonly register?: boolean | undefined;
  /** False: nobody learns the own root from this peer, neither asked nor unasked. Default true. */
  readonly publish?: boolean | undefined;
  /**
   * True: those who may know a later history of ours are asked before others learn the own root, and another program that publishes under
   * this name and key is looked for. If there is either, this peer only reads from then on, and says so as `publishing.stopped`. Default false.
   */
  readonly guarded?: boolean | undefined;
  /** Others are asked only about own trees of more messages than this: its owner has given up what is later than the trees before. Default 0. */
  readonly givenUp?: number | undefined;
  /** False: nodes are neither asked for nor served in bulk, as by a peer that has no extensions (protocol §10). Default true. */
  readonly bulk?: boolean | undefined;
  /** Messages a feed may have before its walk ends. Default 1,000,000 (protocol §9). */
  readonly quota?: number | undefined;
  /** Writes down what enters, so that the run can be replayed: see `createJournalFile`. Closed with the peer. */
  readonly journal?: JournalSink | undefined;
  /** Remembers the latest transitions, for `explain`. Costs some speed; default false. */
  readonly explain?: boolean | undefined;
  /** Gets XState's inspection events of all machines, as `createActor` would give them. Slows the peer down. */
  readonly inspect?: ((event: InspectionEvent) => void) | undefined;
  /** What the outside is, where it is not the real one: for tests and replays. */
  readonly environment?: Partial<PeerEnvironment> | undefined;
}

export interface PeerEnvironment {
  readonly clock: Clock;
  readonly random: Random;
  /** 32 bytes, from which all randomness comes when a journal is written. Default: from the system. */
  readonly seed: Uint8Array;
  readonly network: Network;
  readonly http: DirectoryHttp;
  readonly sign: Sign;
  readonly verify: Verify;
}

export interface Traffic {
  readonly received: number;
  readonly sent: number;
  /** Of the received ones, by reason: malformed, answers to no request, answers that do not fit. */
  readonly dropped: Readonly<Record<string, number>>;
}

export interface Contact {
  readonly status: 'none' | 'locating' | 'greeting' | 'established';
  readonly addresses: readonly SocketAddress[];
}

export interface Peer extends AsyncDisposable {
  readonly name: string;
  readonly publicKey: PublicKey;
  /** Local UDP addresses, ports as bound. */
  readonly addresses: readonly SocketAddress[];
  /** Root of the own tree. */
  readonly root: Hash;
  /** Datagrams since the start, over all sockets. */
  readonly traffic: Traffic;
  /** Sessions held now, by direction (protocol §5): established ones outgoing, remembered ones incoming. */
  readonly sessions: { readonly outgoing: number; readonly incoming: number };
  readonly directory: DirectoryStanding;
  /** Followed peers that do not answer, though the directory lists them. */
  readonly silent: readonly string[];
  /** Followed peers that the directory does not list and that are not in session, so they are probably offline. */
  readonly unlisted: readonly string[];
  /** Peers that have read from here within the last day and do not answer, so that nothing can be pushed to them. */
  readonly unreachedReaders: readonly string[];
  /** Paths of all actors that are alive, sorted: "peer/outgoing-session.alice/request.0". */
  readonly actors: readonly string[];
  /**
   * Resolves once the directory lists this peer (protocol §3, §5): while it cannot be reached, the peer goes on trying, and says so in
   * facts. @throws MurmureError `authentication` if it has the name under another key; the signal's reason; `interrupted` once closed
   */
  whenListed(signal?: AbortSignal): Promise<void>;
  /**
   * Publishes a message (protocol §2), and pushes the new root to all with whom there is a session (§5). `inReplyTo`: hash of the message
   * answered. @throws MurmureError `usage` for more than 985 bytes of UTF-8, `unexpected` if the store cannot be written,
   * or what `publishing.stopped` says
   */
  post(text: string, options?: { readonly inReplyTo?: Hash | undefined }): { readonly hash: Hash; readonly root: Hash };
  /**
   * Downloads what is new from one peer (protocol §2, §5, §6). What the network and the other side do ends in the report, never in a
   * rejection. @throws the signal's reason; MurmureError `interrupted` once closed
   */
  sync(name: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<SyncReport>;
  /** Each session, and each followed peer. With thousands of them it takes milliseconds: not for every fact. */
  status(): PeerStatus;
  /** How far a download that is under way is, and what it has cost until now; undefined: there is none from this peer. */
  syncUnderWay(name: string): Omit<SyncReport, 'status' | 'error'> | undefined;
  /** Where the session with this peer is; `addresses`: where it is established, or where Hello was said without an answer until now. */
  contactWith(name: string): Contact;
  /**
   * Asks all followed peers whether they know a later history of the own feed than the store has, as when that was restored from a backup:
   * publishing would then take the newer messages back. None, if nobody is followed. Whoever does not answer is
   * `unreachable` after the last repeat of what it is asked (protocol §6). @throws MurmureError `interrupted` once closed
   */
  checkHistory(): Promise<readonly HistoryCheck[]>;
  /** Names, addresses and keys that the directory lists now (protocol §3). @throws MurmureError `directory-unreachable`, `invalid-data` */
  directoryPeers(signal?: AbortSignal): Promise<DirectoryPeer[]>;
  /** Why the sessions and the download with this peer are where they are; nothing without the option `explain`. */
  explain(name: string): readonly Explanation[];
  /**
   * Tells every step of every actor from now on, beginning with where each of them stands, as the inspector's page reads it: until the
   * function that it returns is called. Slows the peer down meanwhile.
   */
  watch(tell: (line: Line) => void): () => void;
  /** Says Hello to an address whose owner need not be known (protocol §5); what comes of it is told in facts. */
  hello(address: SocketAddress): void;
  /**
   * Downloads now, at every push, and every minute what is new from this peer; remembered in the store. Ends in `follow.changed`, or in
   * `wish.failed` for a name that nobody else can have.
   */
  follow(name: string): void;
  /** No longer; what is there stays. */
  unfollow(name: string): void;
  /**
   * Accepts this key in the place of the one that is pinned (protocol §7), and asks the peer anew if it is followed. `unsigned`: its Roots
   * are believed without a signature as long as it has this key (§4). Another process may do the same in the store.
   */
  trust(name: string, key: PublicKey, options?: { readonly unsigned?: boolean | undefined }): void;
  /** Leaves the peer's messages out of the timeline; they are downloaded all the same. Ends as `follow` does, in `mute.changed`. */
  mute(name: string): void;
  unmute(name: string): void;
  /**
   * Takes one of the own messages back (protocol §2), and pushes the new root. Who has read it has read it. Resolves to the root without it.
   * @throws MurmureError `usage` if the own tree has no such message, `unexpected` if the store cannot be written, `interrupted` once closed
   */
  withdraw(hash: Hash): Promise<{ readonly root: Hash }>;
  /** Stored messages, newest last, safe to show, with dates in ISO 8601 UTC. Default: the newest 50 of all feeds, the own one included. */
  messages(query?: MessageQuery): readonly Message[];
  /** As `messages`: what the peer itself and those it follows wrote, without those who are muted, and without muted words and conversations. */
  timeline(query?: Omit<MessageQuery, 'authors'>): readonly Message[];
  /**
   * Sends the root actor an event that asks for something: plain data, as a front end does, in this process or another. What comes of
   * it is told in facts, which name the wish by its ticket. @throws MurmureError `interrupted` once closed
   */
  ask(wish: Wish): void;
  /** Calls back for each fact of this type, `*` for all. Returns the way to stop that. */
  on<T extends PeerFact['type'] | '*'>(
    type: T,
    listener: (fact: T extends '*' ? PeerFact : Extract<PeerFact, { type: T }>) => void,
  ): () => void;
  /** Releases sockets and timers, and writes down what is not yet; the store is the caller's to close. Twice is as once. */
  close(): Promise<void>;
}
