/**
 * Which of the addresses that a directory lists for a peer are tried (protocol §5). A private one is somebody else’s machine, if it is any,
 * unless it lies in a subnet of ours, or the directory is at a private address itself, and so in our network.
 */
import { encodeSocketAddress, hostOf, isIPv6, type SocketAddress } from '../wire/socket-address.ts';

const privateNetworks = (
  [
    ['10.0.0.0', 8],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
    ['169.254.0.0', 16],
    ['127.0.0.0', 8],
    ['fc00::', 7],
    ['fe80::', 10],
    ['::1', 128],
  ] as const
).map(([ip, bits]) => ({ network: encodeSocketAddress({ ip, port: 0 }), bits }));

function isPrivate(address: SocketAddress): boolean {
  const bytes = encodeSocketAddress(address);
  return privateNetworks.some(({ network, bits }) => network.length === bytes.length && agree(network, bytes, bits));
}

function agree(one: Uint8Array, other: Uint8Array, bits: number): boolean {
  for (let at = 0; 8 * at < bits; at++) {
    const rest = Math.max(0, 8 * (at + 1) - bits);
    if (((one[at] ?? 0) ^ (other[at] ?? 0)) >> rest !== 0) return false;
  }
  return true;
}

/** 24 bits of an IPv4 address, 64 of IPv6. */
function subnetOf(address: SocketAddress): string {
  return isIPv6(address) ? hostOf(address) : address.ip.slice(0, address.ip.lastIndexOf('.'));
}

export interface Here {
  /** Of the directory; none: not known yet. */
  readonly directory: readonly SocketAddress[];
  readonly localIps: readonly string[];
}

export function withinReach(listed: readonly SocketAddress[], { directory, localIps }: Here): readonly SocketAddress[] {
  if (directory.length === 0 || directory.some(isPrivate)) return listed;
  const own = new Set(localIps.map((ip) => subnetOf({ ip, port: 0 })));
  return listed.filter((address) => !isPrivate(address) || own.has(subnetOf(address)));
}
