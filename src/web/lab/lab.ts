/** The lab: a directory and its peers in this page, what a person may do to them, and how their time passes. */
import { signal } from '@preact/signals';
import type { PeerFact } from '../../peer/peer.ts';
import { type NatKind, natKinds } from '../../simulation/nat.ts';
import type { VirtualHost } from '../../simulation/virtual-host.ts';
import type { VirtualPeer } from '../../simulation/world.ts';
import { Crossings } from '../crossings.ts';
import type { MomentPlace, Run } from '../run.ts';
import { LabWorld } from './lab-world.ts';
import { MemoryStore } from './memory-store.ts';
import type { Scenario, ScenarioPeer } from './scenarios.ts';

export type NatName = keyof typeof natKinds | 'open';
export const MOST_PEERS = 6;
export const DIRECTORY = 'directory';
const NAMES = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank'];

export interface Weather {
  readonly delayMs: number;
  readonly loss: number;
  readonly duplication: number;
}

/** What the panes are drawn anew for, beside the runs. */
export const changed = signal(0);
export const isPlaying = signal(true);
/** Virtual milliseconds for each of ours. */
export const speed = signal(1);

/** Moments of each run that are kept. */
const MOST_KEPT = 30_000;
/** Of computing, between two pictures. */
const SLICE_MS = 10;

interface Member {
  readonly at: VirtualPeer;
  nat: NatName;
  posts: number;
}

export class Lab {
  readonly scenario: Scenario;
  readonly world: LabWorld;
  readonly crossings = new Crossings();
  /** By name. BOUNDED by MOST_PEERS. */
  readonly members = new Map<string, Member>();
  weather: Weather;
  isOver = false;
  #nextIp = 1;
  #startMs = 0;
  readonly #onChange: (gone: ReadonlyMap<Run, number>) => void;

  /** `onChange` is told how many moments of each run are kept no more. */
  constructor(scenario: Scenario, onChange: (gone: ReadonlyMap<Run, number>) => void) {
    this.scenario = scenario;
    this.world = new LabWorld(scenario.seed ?? 1);
    this.#onChange = onChange;
    this.weather = { delayMs: 40, loss: 0, duplication: 0, ...scenario.weather };
    this.world.network.loses = ({ from, to, bytes }) =>
      this.world.isCut(from.ip, to.ip) || (scenario.loses?.(this, { from, to, bytes }) ?? false);
    this.setWeather({});
  }

  /** Until everybody is listed, and has read whom they follow: what is shown begins there. */
  async begin(): Promise<void> {
    const { world, scenario } = this;
    await world.startDirectory();
    for (const peer of scenario.peers) await this.add(peer);
    for (const { peer } of world.peers) await world.settle(peer.whenListed());
    for (const { name, follows = [] } of scenario.peers) {
      for (const author of follows) await world.settle(this.#member(name).at.peer.sync(author));
    }
    // What is still on its way arrives.
    await world.clock.advance(500);
    this.#startMs = world.clock.elapsedMs;
    world.countFrom(world.clock.now());
    for (const { atMs, does } of scenario.course) world.clock.after(atMs, () => does(this));
    this.#show();
  }

  get elapsedMs(): number {
    return this.world.clock.elapsedMs - this.#startMs;
  }

  get isDirectoryUp(): boolean {
    return !this.world.isDirectoryDown;
  }

  /** Lets time pass for as long as somebody looks. `nextPicture`: when the browser draws next, by its clock. */
  async play(nextPicture: () => Promise<number>): Promise<void> {
    let before = performance.now();
    while (!this.isOver) {
      const now = await nextPicture();
      const dueMs = Math.min(100, now - before) * speed.value;
      before = now;
      if (isPlaying.value) await this.#advance(dueMs);
    }
    await this.world.close();
  }

  /** Until something happens next, at most a minute. */
  async step(): Promise<void> {
    isPlaying.value = false;
    const count = () => this.world.runs.reduce((sum, { moments, forgotten }) => sum + moments.length + forgotten, 0);
    const before = count();
    await this.world.clock.runUntil(() => count() > before, { limitMs: 60_000 }).catch(() => {});
    this.#show();
  }

  /** Until that moment has come, or for ten minutes of their time. */
  async reach({ run, at }: MomentPlace): Promise<void> {
    isPlaying.value = false;
    const hasCome = () => {
      const of = this.world.runs[run];
      return of !== undefined && of.moments.length + of.forgotten > at;
    };
    await this.world.clock.runUntil(hasCome, { limitMs: 600_000 }).catch(() => {});
    this.#show();
  }

  async #advance(ms: number): Promise<void> {
    const untilMs = performance.now() + SLICE_MS;
    const part = Math.max(1, ms / 20);
    for (let left = ms; left > 0 && performance.now() < untilMs; left -= part) {
      await this.world.clock.advance(Math.min(part, left));
    }
    this.#show();
  }

  #show(): void {
    this.crossings.follow(this.world.runs);
    this.#onChange(new Map(this.world.runs.map((run) => [run, run.forget(MOST_KEPT)])));
  }

  async add({ name, follows = [], written = 0, nat = 'open' }: ScenarioPeer): Promise<void> {
    const { world } = this;
    const host = world.network.addHost([]);
    const store = new MemoryStore();
    const nowMs = world.clock.now();
    for (let i = 1; i <= written; i++) {
      store.publish(name, { date: i, inReplyTo: null, body: `Message ${i} of ${name}` }, nowMs);
    }
    this.#connect(host, nat);
    const onFact = (fact: PeerFact) => this.#hear(name, fact);
    const at = await world.addPeer(name, { host, follow: follows, store: world.storeFor(name, store), onFact });
    this.members.set(name, { at, nat, posts: 0 });
    this.world.tellStored(name, at.peer);
  }

  /** One more, that reads all others. */
  async addAnother(): Promise<void> {
    const name = NAMES.find((it) => !this.members.has(it));
    if (name === undefined) return;
    await this.add({ name, follows: [...this.members.keys()] });
    this.note(name, 'joins');
  }

  setWeather(weather: Partial<Weather>): void {
    this.weather = { ...this.weather, ...weather };
    const { delayMs, loss, duplication } = this.weather;
    this.world.network.weather = { minDelayMs: delayMs, maxDelayMs: Math.round(delayMs * 1.3), loss, duplication };
    this.#changed();
  }

  post(name: string): void {
    const member = this.#member(name);
    member.posts += 1;
    member.at.peer.post(`Post ${member.posts} of ${name}`);
    this.note(name, 'posts');
  }

  follow(name: string, author: string): void {
    this.note(name, `follows ${author}`);
    this.#member(name).at.peer.follow(author);
  }

  /** As after a power cut. */
  async restart(name: string): Promise<void> {
    const { at } = this.#member(name);
    this.note(name, 'is killed and restarted');
    this.world.kill(at);
    await this.world.restart(at);
    this.world.tellStored(name, at.peer);
    this.#changed();
  }

  setSleeping(name: string, isAsleep: boolean): void {
    const { host } = this.#member(name).at;
    if (isAsleep) host.sleep();
    else host.wake();
    this.note(name, isAsleep ? 'closes the lid' : 'opens the lid');
  }

  setLying(name: string, lies: boolean): void {
    if (lies) this.world.liars.add(name);
    else this.world.liars.delete(name);
    this.note(name, lies ? 'lies from now on' : 'is honest again');
  }

  setCutOff(name: string, isCutOff: boolean): void {
    const host = this.#hostOf(name);
    if (isCutOff) this.world.cutOff.add(host);
    else this.world.cutOff.delete(host);
    this.note(name, isCutOff ? 'is cut off' : 'is no longer cut off');
  }

  isCutOff(name: string): boolean {
    return this.world.cutOff.has(this.#hostOf(name));
  }

  /** To another address, behind a NAT of its own of this kind or in the open. */
  move(name: string, nat: NatName): void {
    const member = this.#member(name);
    this.#connect(member.at.host, nat);
    member.nat = nat;
    this.note(name, nat === 'open' ? 'has another address' : 'is behind another NAT');
  }

  async setDirectoryUp(isUp: boolean): Promise<void> {
    this.world.isDirectoryDown = !isUp;
    this.note(DIRECTORY, isUp ? 'starts again' : 'stops');
    if (isUp) await this.world.restartDirectory();
    else this.world.stopDirectory();
    this.#changed();
  }

  note(name: string, says: string): void {
    // In the order in which they began.
    for (const begun of this.world.runs) this.crossings.laneOf(begun);
    const run = this.world.runs.findLast(({ header }) => header.name === name);
    if (run !== undefined) this.crossings.note(run, this.world.clock.now(), says);
    this.#changed();
  }

  #hear(name: string, fact: PeerFact): void {
    if (fact.type !== 'sync.finished') return;
    const { peer, status, newMessages, withdrawnMessages, error } = fact.report;
    if (status === 'failed') this.note(name, `could not read ${peer}: ${error?.message ?? 'no answer'}`);
    else if (newMessages > 0) this.note(name, `has ${newMessages} new from ${peer}`);
    else if (withdrawnMessages > 0) this.note(name, `no longer has ${withdrawnMessages} from ${peer}`);
  }

  #connect(host: VirtualHost, nat: NatName): void {
    const outer = this.#address();
    const kind: NatKind | undefined = nat === 'open' ? undefined : natKinds[nat];
    if (kind === undefined) host.moveTo({ ip: outer });
    else host.moveTo({ ip: '192.168.0.2', nat: this.world.network.addNat({ ip: outer, kind }) });
    this.world.know(host);
  }

  #address(): string {
    return `203.0.113.${this.#nextIp++}`;
  }

  #hostOf(name: string): VirtualHost {
    return name === DIRECTORY ? this.world.directoryHost : this.#member(name).at.host;
  }

  #member(name: string): Member {
    const member = this.members.get(name);
    if (member === undefined) throw new Error(`nobody in the lab is called ${name}`);
    return member;
  }

  #changed(): void {
    changed.value += 1;
  }
}
