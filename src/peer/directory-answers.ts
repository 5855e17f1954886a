/** What a directory answers (protocol §3), read with distrust: bytes in, values or a reason out. */
import * as v from 'valibot';
import { type PublicKey, parsePublicKey, publicKeyFromBytes } from '../identity/public-key.ts';
import { type Decoded, decodedAs, malformed } from '../wire/decoded.ts';
import { isValidName } from '../wire/name.ts';
import { canonicalIp, type SocketAddress, sameAddress } from '../wire/socket-address.ts';

/** Bytes of one answer. */
export const MAX_ANSWER_BYTES = 64 * 1024;
/** Bytes of a list of peers: 100,000 with two addresses and a key each. */
export const MAX_PEERS_BYTES = 32 * 1024 * 1024;
export const MAX_PEERS = 100_000;
/** Bytes of what changed, asked for every few seconds: more than a thousand peers. */
export const MAX_CHANGES_BYTES = 256 * 1024;
const MAX_CURSOR_CHARACTERS = 200;
/** Objects, arrays and what is in them: 100,000 peers with a key and three addresses each have 13 of them. */
const MAX_PARTS = 16 * MAX_PEERS;
const [COMMA, BRACKET, BRACE] = Buffer.from(',[{');
/** Addresses of one peer or directory; each of them gets datagrams from us, and others chose them. */
export const MAX_ADDRESSES = 32;

export interface DirectoryPeer {
  readonly name: string;
  readonly addresses: SocketAddress[];
  /** Left out: the peer has none, it does not sign. */
  readonly key?: PublicKey;
}

/** Members in any letter case. */
const members = <T extends v.ObjectEntries>(entries: T) =>
  v.pipe(
    v.record(v.string(), v.unknown()),
    v.transform((found) =>
      Object.fromEntries(Object.entries(found).map(([name, value]) => [name.toLowerCase(), value])),
    ),
    v.object(entries),
  );

const Address = members({ ip: v.string(), port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)) });
/** `null` is how Go writes an empty list. */
const Addresses = v.nullable(v.array(v.unknown()));
const Peer = members({
  name: v.nullish(v.string()),
  username: v.nullish(v.string()),
  addresses: Addresses,
  key: v.nullish(v.string()),
});

const Peers = members({ peers: v.nullable(v.array(v.unknown())) });
const ChangesSince = members({
  cursor: v.pipe(v.string(), v.nonEmpty(), v.maxLength(MAX_CURSOR_CHARACTERS)),
  complete: v.boolean(),
  expired: v.optional(v.boolean(), false),
  removed: v.nullable(v.array(v.unknown())),
});

/** The usable ones of `[{"ip","port"}]`, in the order given, without repeats. */
export function readAddresses(bytes: Uint8Array): Decoded<SocketAddress[]> {
  const found = v.safeParse(Addresses, parseJson(bytes));
  return found.success ? decodedAs(usableAddresses(found.output)) : malformed('not a list of addresses');
}

/** The peer `name`. A key that is none is an error, never "no key": that would make a signed session an unsigned one. */
export function readPeer(bytes: Uint8Array, name: string): Decoded<DirectoryPeer> {
  const found = v.safeParse(Peer, parseJson(bytes));
  if (!found.success) return malformed('not a description of a peer');
  const { name: named, username } = found.output;
  if ((named ?? username ?? name) !== name) return malformed('a description of another peer');
  return peerFrom(found.output, name);
}

function peerFrom(
  { addresses: entries, key: keyText }: v.InferOutput<typeof Peer>,
  name: string,
): Decoded<DirectoryPeer> {
  const addresses = usableAddresses(entries);
  if (keyText === '' || keyText === null || keyText === undefined) return decodedAs({ name, addresses });
  const key = parsePublicKey(keyText);
  return key.ok ? decodedAs({ name, addresses, key: key.value }) : malformed(`a key that is none: ${key.why}`);
}

/** Peers by name; what makes an entry unusable stands in its place. */
export type ReadPeers = ReadonlyMap<string, Decoded<DirectoryPeer>>;

/** `{"peers":[…]}`, each entry as in `readPeer`; the first of several for one name. At most 100,000 entries are read. */
export function readPeers(bytes: Uint8Array): Decoded<ReadPeers> {
  const found = v.safeParse(Peers, parseJson(bytes));
  if (!found.success) return malformed('not a list of peers');
  const peers = new Map<string, Decoded<DirectoryPeer>>();
  for (const entry of (found.output.peers ?? []).slice(0, MAX_PEERS)) {
    const peer = v.safeParse(Peer, entry);
    if (!peer.success) return malformed('a list with something else than peers in it');
    const name = peer.output.name ?? peer.output.username ?? '';
    if (isValidName(name) && !peers.has(name)) peers.set(name, peerFrom(peer.output, name));
  }
  return decodedAs(peers);
}

/** What a directory says has changed in its list. */
export interface Changes {
  /** Where the list stands now. */
  readonly cursor: string;
  /** The cursor that was asked with has expired: nobody knows what changed before this one. Then nothing else is told. */
  readonly isExpired: boolean;
  /** Those who were proven, or whose addresses changed, without those that are described wrongly. */
  readonly peers: readonly DirectoryPeer[];
  /** Names that are listed no more. */
  readonly removed: readonly string[];
}

/** `{"cursor","complete","peers","removed"}`. */
export function readChanges(bytes: Uint8Array): Decoded<Changes> {
  const found = v.safeParse(ChangesSince, parseJson(bytes));
  const peers = readPeers(bytes);
  if (!found.success || !peers.ok) return malformed('not a list of changes');
  const { cursor, complete, expired, removed } = found.output;
  if (complete || expired) return decodedAs({ cursor, isExpired: true, peers: [], removed: [] });
  return decodedAs({
    cursor,
    isExpired: false,
    peers: [...peers.value.values()].flatMap((peer) => (peer.ok ? [peer.value] : [])),
    removed: (removed ?? []).filter((name) => typeof name === 'string'),
  });
}

/**
 * The valid names of a text list, one a line, in the order given, without repeats; lines past the 100,000th are not read.
 * Foreign directories may list names that are none here; where most lines are such, it is not a list of names.
 */
export function readNames(bytes: Uint8Array): Decoded<string[]> {
  const text = utf8(bytes);
  if (text === undefined) return malformed('what is not text');
  if (/^\s*[[{]/.test(text) && parseJson(bytes) !== undefined) return malformed('JSON that is no list of peers');
  const names = new Set<string>();
  let valid = 0;
  let invalid = 0;
  let start = 0;
  for (let line = 0; line < MAX_PEERS && start < text.length; line++) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const name = text.slice(start, text[end - 1] === '\r' ? end - 1 : end);
    if (isValidName(name)) {
      names.add(name);
      valid += 1;
    } else if (name !== '') invalid += 1;
    start = end + 1;
  }
  return invalid > valid ? malformed('what is not a list of names') : decodedAs([...names]);
}

/** X‖Y. */
export function readServerKey(bytes: Uint8Array): Decoded<PublicKey> {
  return publicKeyFromBytes(bytes);
}

function usableAddresses(entries: readonly unknown[] | null): SocketAddress[] {
  const addresses: SocketAddress[] = [];
  for (const entry of entries ?? []) {
    if (addresses.length >= MAX_ADDRESSES) break;
    const parsed = v.safeParse(Address, entry);
    const ip = parsed.success ? canonicalIp(parsed.output.ip) : undefined;
    if (!parsed.success || ip === undefined || isNobodys(ip)) continue;
    const address = { ip, port: parsed.output.port };
    if (!addresses.some((other) => sameAddress(other, address))) addresses.push(address);
  }
  return addresses;
}

/** Unspecified, multicast and broadcast addresses: nobody answers from one, and many may hear what is sent there. */
function isNobodys(ip: string): boolean {
  return /^(?:0\.|22[4-9]\.|23\d\.|255\.255\.255\.255$|::$|ff[0-9a-f]{2}:)/.test(ip);
}

/** Undefined for what is not JSON, or too intricate. */
function parseJson(bytes: Uint8Array): unknown {
  if (isIntricate(bytes)) return undefined;
  try {
    return JSON.parse(utf8(bytes) ?? '');
  } catch {
    return undefined;
  }
}

/** 32 MB of brackets would keep the parser busy for seconds, and take a gigabyte of memory. */
function isIntricate(bytes: Uint8Array): boolean {
  let parts = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === COMMA || byte === BRACKET || byte === BRACE) parts += 1;
  }
  return parts > MAX_PARTS;
}

/** Undefined for what is not UTF-8. */
function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
