/** What each command prints with --json, line by line, as docs/cli.md documents it. Whatever is not in it must not be printed. */
import * as v from 'valibot';

const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const publicKey = v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]{86}$/));
const fingerprint = v.pipe(v.string(), v.regex(/^([0-9A-Z]{4}-){4}[0-9A-Z]{4}$/));
const date = v.pipe(v.string(), v.isoTimestamp());
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const ms = v.pipe(v.number(), v.minValue(0));
const address = v.strictObject({ ip: v.pipe(v.string(), v.ip()), port: v.pipe(v.number(), v.integer()) });

const failure = v.strictObject({
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
});
const error = v.strictObject({ error: failure });

const doubts = { looksLike: v.optional(v.string()), hidden: v.optional(v.array(v.string())) };

const messageFields = {
  ...doubts,
  hash,
  author: v.string(),
  date: v.nullable(date),
  receivedAt: date,
  inReplyTo: v.nullable(hash),
  body: v.string(),
  authenticated: v.boolean(),
  read: v.boolean(),
  future: v.optional(v.literal(true)),
  mentionsYou: v.optional(v.literal(true)),
  mutedBy: v.optional(v.picklist(['peer', 'word', 'conversation'])),
};
const message = v.strictObject(messageFields);

const syncFields = {
  peer: v.string(),
  status: v.picklist(['updated', 'unchanged', 'failed']),
  root: v.nullable(hash),
  newMessages: count,
  withdrawnMessages: count,
  totalMessages: count,
  nodesFetched: count,
  bytesFetched: count,
  datagramsSent: count,
  retransmissions: count,
  durationMs: ms,
  error: v.optional(failure),
};

const follow = v.strictObject({ peer: v.string(), following: v.boolean(), quota: v.optional(count) });
const block = v.strictObject({ peer: v.string(), blocked: v.boolean() });
const mute = v.union([
  v.strictObject({ peer: v.string(), muted: v.boolean(), until: v.optional(date) }),
  v.strictObject({ word: v.string(), muted: v.boolean(), until: v.optional(date) }),
  v.strictObject({ thread: hash, muted: v.boolean(), until: v.optional(date) }),
]);
const notification = v.strictObject({ ...messageFields, kind: v.picklist(['reply', 'mention']), new: v.boolean() });
const list = v.strictObject({ list: v.string(), peers: v.array(v.string()) });

const malformed = v.strictObject({ malformed: v.string() });
const node = v.variant('kind', [
  v.strictObject({
    kind: v.literal('message'),
    hash,
    date,
    seconds: count,
    inReplyTo: v.nullable(hash),
    body: v.string(),
  }),
  v.strictObject({ kind: v.literal('internal'), hash, children: v.array(hash) }),
  v.strictObject({ kind: v.literal('unknown'), hash, type: count }),
]);
const datagram = v.strictObject({
  id: count,
  type: v.string(),
  code: count,
  flags: v.optional(count),
  name: v.optional(v.string()),
  hash: v.optional(hash),
  hashMatches: v.optional(v.boolean()),
  node: v.optional(v.union([node, malformed])),
  text: v.optional(v.string()),
  proof: v.optional(count),
  gap: v.optional(count),
  grant: v.optional(count),
  entries: v.optional(
    v.array(v.union([v.strictObject({ hash }), v.strictObject({ parent: hash, children: v.array(count) })])),
  ),
  sequence: v.optional(count),
  last: v.optional(v.boolean()),
  items: v.optional(
    v.array(
      v.strictObject({
        entry: count,
        child: count,
        node: v.optional(v.union([node, malformed])),
        none: v.optional(v.picklist(['absent', 'large'])),
      }),
    ),
  ),
  address: v.optional(v.string()),
  body: v.optional(v.string()),
  signed: v.boolean(),
  signatureValid: v.optional(v.boolean()),
});

const identityFields = { name: v.string(), fingerprint, publicKey };

const transition = v.strictObject({
  atMs: ms,
  seq: count,
  actor: v.string(),
  event: v.string(),
  guard: v.optional(v.string()),
  from: v.string(),
  to: v.string(),
  actions: v.array(v.string()),
});
const replayed = v.strictObject({
  events: count,
  datagrams: count,
  identical: v.boolean(),
  firstDifference: v.optional(
    v.strictObject({
      seq: count,
      actor: v.string(),
      before: v.string(),
      event: v.string(),
      expected: v.string(),
      got: v.string(),
    }),
  ),
  cut: v.optional(v.string()),
  versions: v.array(v.string()),
  html: v.optional(v.string()),
});

/** By command; of what `serve` tells, the events themselves are as open as what a peer may tell. */
const created = v.strictObject({ ...identityFields, home: v.string() });

const setting = v.strictObject({
  setting: v.string(),
  value: v.union([v.string(), v.number(), v.boolean(), v.array(v.string()), v.null()]),
  from: v.picklist(['flag', 'environment', 'file', 'default']),
  source: v.nullable(v.string()),
});

export const schemas: Readonly<Record<string, v.GenericSchema>> = {
  demo: message,
  init: created,
  'directory backup': v.strictObject({ bindings: count }),
  'directory restore': v.strictObject({ bindings: count, skipped: count }),
  'directory migrate': v.strictObject({ bindings: count, skipped: count }),
  directory: v.strictObject({
    event: v.literal('ready'),
    url: v.pipe(v.string(), v.url()),
    udp: v.array(address),
    ca: v.string(),
    serverKey: v.string(),
  }),
  serve: v.union([
    v.strictObject({ event: v.literal('ready'), name: v.string(), udp: v.array(address), root: hash }),
    v.strictObject({ event: v.literal('inspector'), url: v.pipe(v.string(), v.url()) }),
    v.looseObject({ event: v.pipe(v.string(), v.regex(/^\w+\.\w+$/)), at: date }),
  ]),
  status: v.strictObject({
    name: v.string(),
    version: v.string(),
    runBy: v.picklist(['serve', 'front-end']),
    process: count,
    startedAt: date,
    uptimeMs: ms,
    root: hash,
    udp: v.array(address),
    listed: v.array(address),
    directory: v.strictObject({
      url: v.string(),
      status: v.picklist(['connecting', 'connected', 'unreachable', 'unlisted']),
      lastAnswer: v.nullable(date),
      error: v.nullable(failure),
    }),
    sessions: v.array(
      v.strictObject({
        peer: v.string(),
        isDirectory: v.boolean(),
        outgoing: v.array(address),
        incoming: v.array(address),
      }),
    ),
    following: v.array(
      v.strictObject({
        peer: v.string(),
        state: v.picklist(['downloading', 'waiting', 'idle', 'silent', 'absent']),
        lastSync: v.nullable(date),
        nextPoll: v.nullable(date),
        error: v.nullable(failure),
      }),
    ),
    readers: v.array(v.strictObject({ peer: v.string(), state: v.picklist(['idle', 'silent']) })),
    publishing: v.boolean(),
    error: v.nullable(failure),
  }),
  post: v.union([v.strictObject({ ...messageFields, root: hash }), v.strictObject({ scheduled: date, id: count })]),
  timeline: message,
  show: message,
  search: message,
  watch: message,
  thread: v.strictObject({ ...messageFields, depth: count }),
  withdraw: v.union([
    v.strictObject({ hash, root: hash }),
    v.strictObject({ id: count, body: v.string(), inReplyTo: v.nullable(hash) }),
  ]),
  tree: v.strictObject({
    depth: count,
    hash,
    kind: v.picklist(['internal', 'message', 'unknown', 'malformed', 'missing']),
    children: count,
    text: v.nullable(v.string()),
  }),
  peers: v.strictObject({
    ...doubts,
    name: v.string(),
    addresses: v.array(address),
    key: v.nullable(v.string()),
    following: v.boolean(),
  }),
  sync: v.strictObject(syncFields),
  follow,
  unfollow: follow,
  following: v.strictObject({
    peer: v.string(),
    following: v.literal(true),
    quota: v.nullable(count),
    muted: v.boolean(),
    root: v.nullable(hash),
    messages: count,
    lastSync: v.nullable(date),
    state: v.nullable(v.picklist(['downloading', 'waiting', 'idle', 'silent', 'absent'])),
    error: v.nullable(failure),
  }),
  mute,
  unmute: mute,
  notifications: notification,
  mentions: notification,
  unread: message,
  bookmark: v.strictObject({ hash, bookmarked: v.boolean() }),
  bookmarks: message,
  'list show': list,
  'list add': list,
  'list remove': list,
  block,
  unblock: block,
  trust: v.strictObject({ peer: v.string(), fingerprint, before: v.nullable(fingerprint) }),
  ping: v.strictObject({
    peer: v.string(),
    address: v.nullable(address),
    authenticated: v.boolean(),
    natTraversal: v.boolean(),
    sent: count,
    roundTripsMs: v.array(ms),
    minMs: v.nullable(ms),
    averageMs: v.nullable(ms),
    maxMs: v.nullable(ms),
  }),
  verify: v.strictObject({
    nodes: count,
    messages: count,
    damaged: v.array(v.strictObject({ hash: v.nullable(hash), why: v.string() })),
  }),
  doctor: v.strictObject({
    check: v.picklist([
      'node',
      'date',
      'home',
      'key',
      'database',
      'publishing',
      'ipv4',
      'ipv6',
      'certificate',
      'directory',
      'clock',
      'udp',
    ]),
    status: v.picklist(['ok', 'failed', 'skipped']),
    detail: v.string(),
    advice: v.nullable(v.string()),
  }),
  'service install': v.strictObject({ file: v.string(), start: v.array(v.string()) }),
  'config show': setting,
  'config get': setting,
  'config set': setting,
  'config unset': setting,
  'profile list': v.strictObject({
    profile: v.string(),
    name: v.nullable(v.string()),
    home: v.string(),
    current: v.boolean(),
  }),
  'profile create': created,
  'profile use': v.strictObject({ profile: v.nullable(v.string()), home: v.string() }),
  completion: v.strictObject({ shell: v.picklist(['bash', 'zsh', 'fish']), script: v.string() }),
  'key show': v.strictObject({
    ...identityFields,
    pem: v.pipe(v.string(), v.startsWith('-----BEGIN PUBLIC KEY-----')),
    encrypted: v.boolean(),
  }),
  'key export': v.strictObject({ file: v.string(), name: v.string(), messages: count, following: count }),
  'key import': v.strictObject({ ...identityFields, home: v.string(), messages: count, following: count }),
  'key resume': v.strictObject({ name: v.string(), resumed: v.boolean() }),
  'key passphrase': v.strictObject({ encrypted: v.boolean() }),
  conformance: v.strictObject({
    id: v.string(),
    section: v.string(),
    level: v.picklist(['MUST', 'SHOULD']),
    status: v.picklist(['passed', 'failed', 'skipped']),
    detail: v.string(),
  }),
  decode: v.union([malformed, node, datagram]),
  export: v.strictObject({ files: v.array(v.string()) }),
  diagrams: v.strictObject({ file: v.string() }),
  inspect: v.strictObject({ url: v.pipe(v.string(), v.url()) }),
  lab: v.strictObject({ page: v.string(), url: v.pipe(v.string(), v.url()) }),
  replay: v.union([
    replayed,
    transition,
    v.strictObject({ seq: count, actors: v.array(v.strictObject({ actor: v.string(), state: v.string() })) }),
    v.strictObject({
      seq: count,
      atMs: ms,
      event: v.string(),
      actor: v.optional(v.string()),
      effect: v.optional(v.string()),
    }),
    v.strictObject({ events: count, kept: v.array(count), replays: count }),
  ]),
  why: v.strictObject({
    actor: v.string(),
    state: v.string(),
    sentences: v.array(v.string()),
    transitions: v.array(transition),
  }),
};

/** Of commands that have some; the first is meant where none is named. */
const SUBCOMMANDS: Readonly<Record<string, readonly string[]>> = {
  key: ['show', 'export', 'import', 'resume', 'passphrase'],
  config: ['show', 'get', 'set', 'unset'],
  profile: ['list', 'create', 'use'],
  service: ['install'],
  list: ['show', 'add', 'remove'],
};

/** The words of `argv` that name the command, as `schemas` has it. */
function commandOf([first = '', second = '']: readonly string[]): string {
  const [fallback, ...others] = SUBCOMMANDS[first] ?? [];
  return fallback === undefined ? first : `${first} ${[fallback, ...others].includes(second) ? second : fallback}`;
}

/** What is wrong with what a command printed with --json, or undefined. */
export function whyNotAsDocumented(argv: readonly string[], stdout: string): string | undefined {
  const schema = schemas[commandOf(argv)];
  if (schema === undefined) return undefined;
  const lines = stdout.split('\n').filter(Boolean);
  for (const [index, line] of lines.entries()) {
    const value: unknown = JSON.parse(line);
    const isLast = index === lines.length - 1;
    if (isLast && v.is(error, value)) continue;
    const { success, issues } = v.safeParse(schema, value);
    if (!success) return `${line}\n${v.summarize(issues as [v.BaseIssue<unknown>])}`;
  }
  return undefined;
}
