/**
 * Does one thing with a store, and says what is done: `worker.ts JOB FILE NUMBER`. Whatever it has said is to be there after a power cut.
 */
import { writeSync } from 'node:fs';
import { openSqliteStore } from '../../../src/store/sqlite-store.ts';
import type { Store } from '../../../src/store/store.ts';
import { NOON, NOON_MS } from '../../unit/store/support-trees.ts';
import { feedOf } from './feeds.ts';

const [job = '', file = '', number = '0'] = process.argv.slice(2);
const say = (said: Said) => writeSync(1, `${JSON.stringify(said)}\n`);

export type Said =
  | { readonly posted: string }
  /** It may be done before it is said to be. */
  | { readonly withdrawing: string }
  | { readonly withdrawn: string }
  | { readonly adopted: number }
  | { readonly done: Job };

const jobs = {
  post(store: Store, round: number) {
    for (let i = 0; i < 4; i++) {
      const message = { date: NOON + round, inReplyTo: null, body: `message ${round}.${i} word` };
      say({ posted: store.publish('alice', message, NOON_MS).hash });
    }
  },
  withdraw(store: Store) {
    const some = store.messages({ authors: ['alice'], limit: 2 });
    for (const { hash } of some) {
      say({ withdrawing: hash });
      if (store.withdraw('alice', hash, NOON_MS) !== undefined) say({ withdrawn: hash });
    }
  },
  adopt(store: Store, version: number) {
    const { root, nodes } = feedOf(version);
    store.beginWalk('bob', root, NOON_MS);
    for (let at = 0; at < nodes.length; at += 64) store.putNodes(nodes.slice(at, at + 64));
    const input = { feed: 'bob', root, nowMs: NOON_MS, authenticated: true, quota: 1_000, mayWithdraw: true };
    let adoption = store.adopt(input);
    while (adoption.status === 'underway') adoption = store.adopt(input);
    if (adoption.status !== 'adopted') throw new Error(adoption.status);
    store.endWalk('bob');
    say({ adopted: version });
  },
  collect(store: Store) {
    store.collectGarbage();
  },
  /** By opening it. */
  migrate() {},
};

export type Job = keyof typeof jobs;

const store = openSqliteStore(file, { adoptionStep: 64 });
jobs[job as Job](store, Number(number));
store.close();
say({ done: job as Job });
