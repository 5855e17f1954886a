/** One download of alice's tree as peer, session and store see it, and what comes to it from them. */
import { createActor } from 'xstate';
import { merkleWalkMachine } from '../../machines/merkle-walk.machine.ts';
import type { LookedUp, MerkleWalkEvent } from '../../machines/merkle-walk-context.ts';
import type { Adoption } from '../../src/store/store.ts';
import { type Hash, hashOf } from '../../src/wire/hash.ts';
import { encodeInternal, encodeMessage } from '../../src/wire/node.ts';
import { Outside } from './outside.ts';

const message = (body: string) => encodeMessage({ date: 1, inReplyTo: null, body });
export const [first, second, third, fourth] = ['1', '2', '3', '4'].map(message) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
];
export const older = encodeInternal([hashOf(first), hashOf(second)]);
export const newer = encodeInternal([hashOf(third), hashOf(fourth)]);
export const tree = encodeInternal([hashOf(older), hashOf(newer)]);
export const root = hashOf(tree);
export const laterTree = encodeInternal([root, hashOf(first)]);
export const laterRoot = hashOf(laterTree);

const WINDOW = 2;
export const cost = { sent: 1, repeated: 0, window: WINDOW, isBulk: false, freed: 1 };
export const silence = { code: 'peer-unreachable', message: 'no answer' } as const;
export const adopted = {
  status: 'adopted',
  newMessages: 4,
  withdrawnMessages: 0,
  totalMessages: 4,
  added: [],
  wentBack: false,
} as const satisfies Adoption;

export class SeenWalk {
  readonly outside = new Outside();
  /** What was asked of the store, in order. */
  readonly asked: { readonly effect: string; readonly params: Record<string, unknown> }[] = [];
  readonly actor;

  constructor({ announced, quota = 100 }: { announced?: Hash; quota?: number } = {}) {
    const note = (effect: string) => (_: unknown, params: object) => this.asked.push({ effect, params: { ...params } });
    const machine = merkleWalkMachine.provide({
      actions: {
        beginWalk: note('beginWalk'),
        lookUp: note('lookUp'),
        keepNodes: note('keepNodes'),
        adoptTree: note('adoptTree'),
      },
    });
    const input = { name: 'alice', owner: this.outside.nobody('peer'), announced, quota, atMs: 0 };
    this.actor = createActor(machine, { input, clock: this.outside.clock }).start();
  }

  send(event: MerkleWalkEvent): void {
    this.actor.send(event);
  }

  ready(fields: object = {}): void {
    this.send({ type: 'session.ready', session: this.outside.nobody('session'), atMs: 1, ...cost, ...fields });
  }

  answerRoot(hash: Hash, fields: object = {}): void {
    this.send({ type: 'root.received', root: hash, authenticated: true, atMs: 2, ...cost, ...fields });
  }

  begun(fields: object = {}): void {
    this.send({ type: 'walk.begun', isCurrent: false, isSuperseded: false, totalMessages: 0, atMs: 3, ...fields });
  }

  found(...known: LookedUp[]): void {
    this.send({ type: 'nodes.lookedUp', found: known });
  }

  receive(values: readonly Uint8Array[], atMs = 4): void {
    this.send({
      type: 'nodes.received',
      nodes: values.map((value) => ({ hash: hashOf(value), value })),
      unserved: [],
      single: [],
      atMs,
      ...cost,
      freed: values.length,
    });
  }

  lack(hash: Hash): void {
    this.send({ type: 'nodes.absent', hashes: [hash], atMs: 4, ...cost });
  }

  fail(hash: Hash, { ticket = 0, isFinal = false } = {}): void {
    this.send({
      type: 'nodes.failed',
      hashes: [hash],
      ticket,
      isFinal,
      failure: silence,
      ...cost,
      sent: 5,
      repeated: 4,
    });
  }

  failRoot(isFinal = false): void {
    this.send({ type: 'root.failed', isFinal, failure: silence, ...cost });
  }

  adopt(adoption: Adoption): void {
    this.send({ type: 'tree.adopted', adoption, atMs: 5 });
  }

  wanted(): Hash[][] {
    return this.outside.events
      .filter(({ event }) => event.type === 'nodes.wanted')
      .map(({ event }) => event.hashes as Hash[]);
  }

  rootsWanted(): number {
    return this.outside.told.filter((text) => text === 'session: root.wanted').length;
  }

  paramsOf(effect: string): Record<string, unknown>[] {
    return this.asked.filter((call) => call.effect === effect).map(({ params }) => params);
  }

  keptHashes(): Hash[][] {
    return this.paramsOf('keepNodes').map(({ nodes }) => (nodes as { hash: Hash }[]).map(({ hash }) => hash));
  }

  report() {
    return this.actor.getSnapshot().output?.report;
  }
}

/** The root has come, and nothing of the tree is there. */
export function coldWalk(options: { quota?: number } = {}): SeenWalk {
  const walk = new SeenWalk(options);
  walk.ready();
  walk.answerRoot(root);
  walk.begun();
  walk.found();
  return walk;
}
