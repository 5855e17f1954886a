/** Socket addresses: on the wire the IP's 4 or 16 bytes and the port (protocol §4); here canonical text, so that equal means equal. */
import { type Decoded, decodedAs, malformed } from './decoded.ts';

export interface SocketAddress {
  /** IPv4 in dotted form, or IPv6 as in RFC 5952; an IPv4-mapped address is written as IPv4. */
  readonly ip: string;
  readonly port: number;
}

const IPV4_SIZE = 4;
const IPV6_SIZE = 16;
const PORT_SIZE = 2;

export function isIPv6({ ip }: SocketAddress): boolean {
  return ip.includes(':');
}

export function sameAddress(a: SocketAddress, b: SocketAddress): boolean {
  return a === b || (a.port === b.port && a.ip === b.ip);
}

/** Whose address it is, as far as that can be told: an IPv4 address, or an IPv6 network of 64 bits, all of which one host can use. */
export function hostOf({ ip }: SocketAddress): string {
  return (
    parseIPv6(ip)
      ?.slice(0, IPV6_SIZE / 2)
      .join('.') ?? ip
  );
}

/** "192.0.2.1:80", "[2001:db8::1]:80" */
export function formatAddress(address: SocketAddress): string {
  return isIPv6(address) ? `[${address.ip}]:${address.port}` : `${address.ip}:${address.port}`;
}

/** The other way round. */
export function parseAddress(text: string): Decoded<SocketAddress> {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  if (match === null) return malformed('an address is written 192.0.2.1:8080 or [2001:db8::1]:8080');
  const [, v6, v4, digits] = match;
  const ip = canonicalIp(v6 ?? v4 ?? '');
  if (ip === undefined || (v6 === undefined && !/^\d/.test(v4 ?? '')))
    return malformed(`${v6 ?? v4} is not an IP address`);
  const port = Number(digits);
  if (port > 65_535) return malformed(`${digits} is not a port: ports end at 65535`);
  return decodedAs({ ip, port });
}

/** The canonical text of an IP address; undefined if it is none. A zone ("%eth0") is cut off. */
export function canonicalIp(text: string): string | undefined {
  const bytes = parseIPv4(text) ?? parseIPv6(text.replace(/%.*$/, ''));
  return bytes === undefined ? undefined : formatIp(bytes);
}

/** 6 or 18 bytes. @throws RangeError if `ip` is no IP address */
export function encodeSocketAddress({ ip, port }: SocketAddress): Uint8Array {
  const bytes = parseIPv4(ip) ?? parseIPv6(ip);
  if (bytes === undefined) throw new RangeError(`not an IP address: ${JSON.stringify(ip)}`);
  return Uint8Array.of(...bytes, (port >>> 8) & 0xff, port & 0xff);
}

export function decodeSocketAddress(bytes: Uint8Array): Decoded<SocketAddress> {
  const size = bytes.length - PORT_SIZE;
  if (size !== IPV4_SIZE && size !== IPV6_SIZE) {
    return malformed(`a socket address has 6 or 18 bytes, this one has ${bytes.length}`);
  }
  const port = ((bytes[size] as number) << 8) | (bytes[size + 1] as number);
  return decodedAs({ ip: formatIp([...bytes.subarray(0, size)]), port });
}

function parseIPv4(text: string): number[] | undefined {
  const parts = text.split('.');
  if (parts.length !== IPV4_SIZE || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part))) return undefined;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

function parseIPv6(text: string): number[] | undefined {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (dotted !== null) {
    const v4 = parseIPv4(dotted[2] as string);
    if (v4 === undefined) return undefined;
    const [a, b, c, d] = v4 as [number, number, number, number];
    return parseIPv6(`${dotted[1]}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`);
  }
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => (half === '' ? [] : half.split(':'))) as [string[], string[] | undefined];
  const zeros = 8 - head.length - (tail?.length ?? 0);
  if (tail === undefined ? zeros !== 0 : zeros < 1) return undefined;
  const groups = [...head, ...new Array<string>(tail === undefined ? 0 : zeros).fill('0'), ...(tail ?? [])];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return groups.flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

function formatIp(bytes: readonly number[]): string {
  if (bytes.length === IPV4_SIZE) return bytes.join('.');
  const isMapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  if (isMapped) return bytes.slice(12).join('.');
  const groups: number[] = [];
  for (let i = 0; i < IPV6_SIZE; i += 2) groups.push(((bytes[i] as number) << 8) | (bytes[i + 1] as number));
  const { start, length } = longestZeros(groups);
  const hex = (some: number[]) => some.map((group) => group.toString(16)).join(':');
  return length < 2 ? hex(groups) : `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

/** RFC 5952 §4.2: the longest run of zero groups is shortened, the first one of equals. */
function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}

/** Of this machine itself. */
export function isLoopback({ ip }: SocketAddress): boolean {
  return ip.startsWith('127.') || ip === '::1';
}

/** For sorting: IPv4 first, as they are within a family. */
export function byFamily(left: SocketAddress, right: SocketAddress): number {
  return Number(isIPv6(left)) - Number(isIPv6(right));
}
