/** A peer that is another one by and by: run by another process, and by this one when that has ended. Who listens need not notice. */
import type { SyncReport, Wish } from '../../index.ts';
import type { HomePeer } from '../../local-api/home-peer.ts';
import { FactListeners } from '../../peer/fact-listeners.ts';
import type { MurmureError } from '../../wire/murmure-error.ts';
import type { DoOffline } from './offline-wishes.ts';

export class ChangingPeer implements HomePeer {
  readonly #listeners = new FactListeners();
  readonly on: HomePeer['on'] = this.#listeners.on;
  #peer: HomePeer;
  readonly #doOffline: DoOffline;
  #stopListening: () => void;

  /** `doOffline`: what can be done while nobody runs it. */
  constructor(peer: HomePeer, doOffline: DoOffline = () => false) {
    this.#peer = peer;
    this.#doOffline = doOffline;
    this.#stopListening = this.#listenTo(peer);
  }

  use(peer: HomePeer): void {
    this.#stopListening();
    this.#peer = peer;
    this.#stopListening = this.#listenTo(peer);
  }

  /** Something that the person should know, though no peer tells it. */
  warn(message: string): void {
    this.#listeners.tell({ type: 'peer.warning', message });
  }

  get name(): string {
    return this.#peer.name;
  }

  get publicKey(): string {
    return this.#peer.publicKey;
  }

  get addresses(): HomePeer['addresses'] {
    return this.#peer.addresses;
  }

  get root(): string {
    return this.#peer.root;
  }

  get sessions(): HomePeer['sessions'] {
    return this.#peer.sessions;
  }

  get silent(): HomePeer['silent'] {
    return this.#peer.silent;
  }

  get unlisted(): HomePeer['unlisted'] {
    return this.#peer.unlisted;
  }

  get unreachedReaders(): HomePeer['unreachedReaders'] {
    return this.#peer.unreachedReaders;
  }

  get directory(): HomePeer['directory'] {
    return this.#peer.directory;
  }

  get traffic(): HomePeer['traffic'] {
    return this.#peer.traffic;
  }

  get ended(): MurmureError | undefined {
    return this.#peer.ended;
  }

  ask(wish: Wish): void {
    const isOver = this.#peer.ended !== undefined;
    if (isOver && this.#doOffline(wish, (answer) => this.#listeners.tell(answer))) return;
    this.#peer.ask(wish);
  }

  sync(...args: Parameters<HomePeer['sync']>): Promise<SyncReport> {
    return this.#peer.sync(...args);
  }

  whenListed(signal?: AbortSignal): Promise<void> {
    return this.#peer.whenListed(signal);
  }

  directoryPeers(signal?: AbortSignal): ReturnType<HomePeer['directoryPeers']> {
    return this.#peer.directoryPeers(signal);
  }

  contactWith(name: string): ReturnType<HomePeer['contactWith']> {
    return this.#peer.contactWith(name);
  }

  syncUnderWay(name: string): ReturnType<HomePeer['syncUnderWay']> {
    return this.#peer.syncUnderWay(name);
  }

  explain(name: string): ReturnType<HomePeer['explain']> {
    return this.#peer.explain(name);
  }

  #listenTo(peer: HomePeer): () => void {
    return peer.on('*', (fact) => this.#listeners.tell(fact));
  }
}
