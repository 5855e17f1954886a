/**
 * What goes over the local API (docs/local-api.md), as both sides check it. The types are those of the peer itself: a schema that no
 * longer fits them does not compile.
 */
import * as v from 'valibot';
import type { Failure } from '../../machines/events.ts';
import type { Wish, WishAnswer } from '../../machines/wishes.ts';
import type { Explanation } from '../journal/explain.ts';
import type { DirectoryPeer } from '../peer/directory-http.ts';
import type { Contact, Peer, PeerFact } from '../peer/peer.ts';
import type { DirectoryStanding, PeerStatus } from '../peer/status.ts';

/** Of the whole conversation; another number is not understood. */
export const API_VERSION = 1;

/** Hashes that one wish may name. */
export const MAX_HASHES = 1_000;
/** Bytes of a text are checked where it is published; this keeps what nobody could publish out of the peer. */
const MAX_TEXT = 10_000;

/** What is stored or sent as UTF-8 has to be text: half a surrogate pair would become another character. */
const shortText = (most: number) =>
  v.pipe(
    v.string(),
    v.maxLength(most),
    v.check((value) => value.isWellFormed(), 'not well-formed: there is half a surrogate pair in it'),
  );
const text = shortText(MAX_TEXT);
const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'not 64 lower-case hexadecimal digits'));
const publicKey = v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]{86}$/, 'not a public key in base64'));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const ms = v.number();
/** What a Date can hold (ECMA-262, 21.4.1.1), from 1970 on. */
const dateMs = v.pipe(v.number(), v.minValue(0), v.maxValue(8.64e15));
const base64url = (bytes: number) =>
  v.pipe(
    v.string(),
    v.regex(new RegExp(`^[A-Za-z0-9_-]{${Math.ceil((bytes * 4) / 3)}}$`), `not ${bytes} bytes in base64url`),
  );

const address = v.object({ ip: v.pipe(v.string(), v.ip()), port: v.pipe(count, v.maxValue(65_535)) });
const failure = v.object({
  code: v.picklist([
    'unexpected',
    'usage',
    'directory-unreachable',
    'peer-unknown',
    'peer-unreachable',
    'authentication',
    'invalid-data',
    'in-use',
    'interrupted',
  ]),
  message: v.string(),
}) satisfies v.GenericSchema<unknown, Failure>;

/** The file in the home, of mode 0600. */
export const AddressFile = v.object({
  api: v.literal(API_VERSION),
  url: v.pipe(v.string(), v.regex(/^http:\/\/127\.0\.0\.1:\d{1,5}$/)),
  token: base64url(32),
  process: count,
});

export const Challenge = v.strictObject({ nonce: base64url(32) });
export const Proof = v.object({ proof: base64url(32) });

const ticket = v.pipe(v.string(), v.maxLength(200));
const name = shortText(1_024);
const markKind = v.picklist(['word', 'conversation', 'bookmark', 'notice']);
const subject = v.pipe(shortText(1_024), v.regex(/\S/, 'empty'));

export const WishSchema = v.variant('type', [
  v.strictObject({ type: v.literal('post.wanted'), text, inReplyTo: v.nullable(hash), ticket }),
  v.strictObject({ type: v.literal('withdrawal.wanted'), hash, ticket }),
  v.strictObject({ type: v.literal('schedule.wanted'), text, inReplyTo: v.nullable(hash), dueMs: dateMs, ticket }),
  v.strictObject({ type: v.literal('unschedule.wanted'), id: count, ticket }),
  v.strictObject({ type: v.literal('block.wanted'), name, blocked: v.boolean(), ticket }),
  v.strictObject({ type: v.literal('follow.wanted'), name, following: v.boolean(), ticket }),
  v.strictObject({ type: v.literal('trust.wanted'), name, key: publicKey, ticket }),
  v.strictObject({
    type: v.literal('mute.wanted'),
    name,
    muted: v.boolean(),
    untilMs: v.exactOptional(dateMs),
    ticket,
  }),
  v.strictObject({
    type: v.literal('mark.wanted'),
    kind: markKind,
    subject,
    marked: v.boolean(),
    untilMs: v.exactOptional(dateMs),
    ticket,
  }),
  v.strictObject({
    type: v.literal('read.wanted'),
    hashes: v.union([v.pipe(v.array(hash), v.maxLength(MAX_HASHES)), v.literal('all')]),
    ticket,
  }),
  v.strictObject({ type: v.literal('sync.wanted'), name }),
  v.strictObject({ type: v.literal('ping.wanted'), name }),
  v.strictObject({ type: v.literal('hello.wanted'), address: v.strictObject(address.entries) }),
]) satisfies v.GenericSchema<unknown, Wish>;

const answers = [
  v.object({ type: v.literal('message.published'), hash, root: hash, ticket }),
  v.object({ type: v.literal('message.withdrawn'), hash, root: hash, ticket }),
  v.object({ type: v.literal('message.scheduled'), id: count, dueMs: ms, ticket }),
  v.object({
    type: v.literal('message.unscheduled'),
    id: count,
    text: v.string(),
    inReplyTo: v.nullable(hash),
    ticket,
  }),
  v.object({ type: v.literal('block.changed'), name, blocked: v.boolean(), ticket }),
  v.object({ type: v.literal('follow.changed'), name, following: v.boolean(), ticket }),
  v.object({ type: v.literal('mute.changed'), name, muted: v.boolean(), ticket }),
  v.object({ type: v.literal('mark.changed'), kind: markKind, subject, marked: v.boolean(), ticket }),
  v.object({ type: v.literal('key.accepted'), name, key: publicKey, ticket }),
  v.object({ type: v.literal('messages.read'), count, ticket }),
  v.object({ type: v.literal('wish.failed'), failure, ticket }),
] as const;
export const WishAnswerSchema = v.variant('type', [...answers]) satisfies v.GenericSchema<unknown, WishAnswer>;

const syncCounts = {
  peer: name,
  root: v.nullable(hash),
  newMessages: count,
  withdrawnMessages: count,
  totalMessages: count,
  nodesFetched: count,
  bytesFetched: count,
  datagramsSent: count,
  retransmissions: count,
  durationMs: ms,
};
const syncReport = v.object({
  ...syncCounts,
  status: v.picklist(['updated', 'unchanged', 'failed']),
  error: v.exactOptional(failure),
});

const message = v.object({
  hash,
  author: name,
  date: v.nullable(v.string()),
  receivedAt: v.string(),
  inReplyTo: v.nullable(hash),
  body: v.string(),
  authenticated: v.boolean(),
  read: v.boolean(),
  future: v.exactOptional(v.literal(true)),
});

export const FactSchema = v.variant('type', [
  v.object({ type: v.literal('socket.bound'), index: count, address }),
  v.object({ type: v.literal('socket.failed'), why: v.string() }),
  v.object({ type: v.literal('network.changed'), why: v.picklist(['start', 'sleep', 'clock', 'addresses']) }),
  v.object({ type: v.literal('peer.listed'), addresses: v.array(address) }),
  v.object({ type: v.literal('directory.unreachable'), failure, retryInMs: ms }),
  v.object({ type: v.literal('root.published'), root: hash }),
  v.object({
    type: v.literal('session.opened'),
    direction: v.picklist(['outgoing', 'incoming']),
    name,
    address,
    authenticated: v.boolean(),
  }),
  v.object({ type: v.literal('session.failed'), name, address: v.exactOptional(address), failure }),
  v.object({ type: v.literal('peer.silent'), name, address }),
  v.object({ type: v.literal('peer.answers'), name, address }),
  v.object({ type: v.literal('sync.progressed'), peer: name, nodesFetched: count, nodesWanted: count }),
  v.object({ type: v.literal('sync.finished'), report: syncReport }),
  v.object({
    type: v.literal('ping.finished'),
    natTraversal: v.boolean(),
    peer: name,
    address: v.nullable(address),
    authenticated: v.boolean(),
    roundTripMs: v.nullable(ms),
    failure: v.exactOptional(failure),
  }),
  v.object({ type: v.literal('trust.changed'), name }),
  v.object({
    type: v.literal('history.checked'),
    check: v.object({
      peer: name,
      outcome: v.picklist(['later', 'same', 'unknown', 'unreachable']),
      failure: v.exactOptional(failure),
    }),
  }),
  v.object({ type: v.literal('publishing.stopped'), failure }),
  v.object({
    type: v.literal('error.received'),
    from: address,
    name: v.optional(name, () => undefined),
    text: v.string(),
  }),
  v.object({ type: v.literal('peer.warning'), message: v.string() }),
  v.object({ type: v.literal('messages.received'), peer: name, hashes: v.array(hash), messages: v.array(message) }),
  v.object({ type: v.literal('history.wentBack'), name, root: hash }),
  v.object({ type: v.literal('key.changed'), name }),
  ...answers,
]) satisfies v.GenericSchema<unknown, PeerFact>;

const directory = v.object({
  status: v.picklist(['connecting', 'connected', 'unreachable', 'unlisted']),
  listed: v.array(address),
  answeredMs: v.nullable(ms),
  failure: v.nullable(failure),
}) satisfies v.GenericSchema<unknown, DirectoryStanding>;

/** What changes all the time, and how one knows that the other side is there. */
export const Beat = v.object({
  addresses: v.array(address),
  root: hash,
  sessions: v.object({ outgoing: count, incoming: count }),
  directory,
  /** Left out by earlier versions. */
  silent: v.optional(v.array(name), () => []),
  unlisted: v.optional(v.array(name), () => []),
  unreachedReaders: v.optional(v.array(name), () => []),
  traffic: v.object({ received: count, sent: count, dropped: v.record(v.string(), count) }),
}) satisfies v.GenericSchema<
  unknown,
  Pick<Peer, 'addresses' | 'root' | 'sessions' | 'directory' | 'silent' | 'unlisted' | 'unreachedReaders' | 'traffic'>
>;

/** A line of the stream of events. */
export const EventLine = v.union([v.object({ beat: Beat }), v.object({ fact: FactSchema })]);

const peerStatus = v.object({
  sessions: v.array(
    v.object({
      peer: name,
      isDirectory: v.boolean(),
      direction: v.picklist(['outgoing', 'incoming']),
      address,
      proven: v.boolean(),
    }),
  ),
  following: v.array(
    v.object({
      peer: name,
      state: v.picklist(['downloading', 'waiting', 'idle', 'silent', 'absent']),
      lastSyncMs: v.nullable(ms),
      nextPollMs: v.nullable(ms),
      failure: v.nullable(failure),
    }),
  ),
  readers: v.optional(v.array(v.object({ peer: name, state: v.picklist(['idle', 'silent']) })), () => []),
  retirement: v.nullable(failure),
}) satisfies v.GenericSchema<unknown, PeerStatus>;

export const Status = v.object({
  name,
  publicKey: v.string(),
  /** Of murmure. */
  version: v.string(),
  /** Which command runs the peer. */
  runBy: v.picklist(['serve', 'front-end']),
  process: count,
  startedMs: ms,
  /** URL */
  directoryUrl: v.string(),
  addresses: v.array(address),
  root: hash,
  directory,
  ...peerStatus.entries,
});

const transition = v.object({
  atMs: ms,
  seq: count,
  actor: v.string(),
  event: v.string(),
  guard: v.exactOptional(v.string()),
  from: v.string(),
  to: v.string(),
  actions: v.array(v.string()),
});
const explanation = v.object({
  actor: v.string(),
  state: v.string(),
  sentences: v.array(v.string()),
  transitions: v.array(transition),
}) satisfies v.GenericSchema<unknown, Explanation>;

/** What is going on with one other peer. */
export const Dealings = v.object({
  contact: v.object({
    status: v.picklist(['none', 'locating', 'greeting', 'established']),
    addresses: v.array(address),
  }) satisfies v.GenericSchema<unknown, Contact>,
  underWay: v.nullable(v.object(syncCounts)),
  explanations: v.array(explanation),
});

export const DirectoryPeers = v.object({
  peers: v.array(
    v.object({ name, addresses: v.array(address), key: v.exactOptional(v.string()) }),
  ) satisfies v.GenericSchema<unknown, DirectoryPeer[]>,
});

export const ErrorBody = v.object({ error: failure });

/** As it is sent. */
export type Sent<T> = T extends object ? { readonly [K in keyof T]: Sent<T[K]> } : T;

export type RunBy = v.InferOutput<typeof Status>['runBy'];
export type LocalStatus = v.InferOutput<typeof Status>;
export type LocalBeat = v.InferOutput<typeof Beat>;
export type LocalDealings = v.InferOutput<typeof Dealings>;
