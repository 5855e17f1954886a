/**
 * Which of the addresses that a directory lists for a peer are tried (protocol §5). A private one is somebody else’s machine, if it is any,
 * unless it lies in a subnet of ours, or the directory is at a private address itself, and so in our network.
 */
import { BlockList } from 'node:net';
import { hostOf, isIPv6, type SocketAddress } from '../wire/socket-address.ts';

const privateNetworks = new BlockList();
for (const [network, bits] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
  ['127.0.0.0', 8],
] as const) {
  privateNetworks.addSubnet(network, bits);
}
for (const [network, bits] of [
  ['fc00::', 7],
  ['fe80::', 10],
  ['::1', 128],
] as const) {
  privateNetworks.addSubnet(network, bits, 'ipv6');
}

function isPrivate(address: SocketAddress): boolean {
  return privateNetworks.check(address.ip, isIPv6(address) ? 'ipv6' : 'ipv4');
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
