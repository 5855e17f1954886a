/** The peers of protocol §11, in our own words: what each does otherwise than others. `known-peer.ts` runs them. */
import type { Datagram } from '../../../src/wire/datagram.ts';

export interface Habits {
  /** Which types it signs; none: it registers without a key. */
  readonly signs: readonly Datagram['type'][];
  /** Of its own Hello. */
  readonly flags: number;
  /** Into its HelloReply, unread. */
  readonly copiesFlags: boolean;
  /** All its requests have the same id. */
  readonly hasOneId: boolean;
  readonly repeats: 'under the same id' | 'under a new id' | 'never';
  readonly copiesBytesOfId: 3 | 4;
  /** Whole datagrams, and message nodes, are filled up with zeros to so many bytes. */
  readonly padsDatagramsTo: number;
  readonly padsMessagesTo: number;
  /** Zeros behind a GetDatum that is not signed. */
  readonly zerosAfterGetDatum: number;
  /** From one answer to the next: it does one thing at a time. */
  readonly msPerAnswer: number;
  /** Posts something of its own accord so often. */
  readonly postsEveryMs: number | undefined;
  readonly tree: 'flat' | 'left-leaning chain';
  /** Stops for good when somebody who signs answers it without a signature. */
  readonly panicsUnsigned: boolean;
  readonly date: (unixSeconds: number) => number;
  readonly afterRestart: 'same name' | 'new name and key';
  readonly port: 'any' | 'always the same';
  /** Of a NatTraversalClient. */
  readonly traversalId: number;
}

const EPOCH_2022_S = Date.UTC(2022, 0, 1) / 1_000;

/** The 2022 reference peer: by the book. */
const reference: Habits = {
  signs: ['Hello', 'HelloReply', 'RootRequest', 'Root', 'GetDatum', 'Datum', 'NoDatum', 'NatTraversalClient', 'Error'],
  flags: 0,
  copiesFlags: false,
  hasOneId: false,
  repeats: 'under the same id',
  copiesBytesOfId: 4,
  padsDatagramsTo: 0,
  padsMessagesTo: 0,
  zerosAfterGetDatum: 0,
  msPerAnswer: 0,
  postsEveryMs: undefined,
  tree: 'flat',
  panicsUnsigned: false,
  date: (unixSeconds) => unixSeconds - EPOCH_2022_S,
  afterRestart: 'same name',
  port: 'any',
  traversalId: 0,
};

const a: Habits = {
  ...reference,
  signs: ['Hello', 'HelloReply', 'RootRequest', 'Root'],
  flags: 0x08,
  hasOneId: true,
  zerosAfterGetDatum: 64,
  msPerAnswer: 2_000,
  panicsUnsigned: true,
  // The four ASCII digits of a year.
  date: () => 0x32303233,
};

const b: Habits = {
  ...reference,
  signs: [],
  repeats: 'under a new id',
  msPerAnswer: 3_000,
  postsEveryMs: 2_000,
  tree: 'left-leaning chain',
  traversalId: 0x1234,
};

const c: Habits = {
  ...reference,
  signs: ['Hello', 'HelloReply'],
  copiesFlags: true,
  repeats: 'never',
  copiesBytesOfId: 3,
  padsDatagramsTo: 1_128,
  padsMessagesTo: 1_024,
  date: (unixSeconds) => unixSeconds,
  afterRestart: 'new name and key',
  port: 'always the same',
};

export const knownPeers = { reference, A: a, B: b, C: c } as const satisfies Record<string, Habits>;
