/** Local addresses as users give them: HOST:PORT, the host a name or an IP, IPv6 in brackets. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { canonicalIp, formatAddress } from '../../wire/socket-address.ts';
import { UsageError } from '../errors.ts';

const HOST_PORT = /^(?:\[(?<ipv6>[0-9a-f:.]+)\]|(?<host>[^:[\]\s]+)):(?<port>\d{1,5})$/i;

/** The same address as IP:PORT. @throws UsageError, also for a name that nobody knows */
export async function resolveHostPort(option: string, text: string): Promise<string> {
  const { ipv6, host = ipv6, port } = HOST_PORT.exec(text)?.groups ?? {};
  if (host === undefined || Number(port) > 65_535 || (isMeantAsIp(host) && isIP(host) === 0)) {
    throw new UsageError(`${option} takes HOST:PORT, for example 127.0.0.1:0 or [::]:8443, not "${text}"`);
  }
  return formatAddress({ ip: await resolveHost(option, host), port: Number(port) });
}

/** Each as above. @throws UsageError, also for one that is named twice */
export async function resolveHostPorts(option: string, texts: readonly string[]): Promise<string[]> {
  const addresses = await Promise.all(texts.map((text) => resolveHostPort(option, text)));
  const twice = addresses.find((address, index) => !address.endsWith(':0') && addresses.indexOf(address) !== index);
  if (twice !== undefined) throw new UsageError(`${option} names ${twice} twice`);
  return addresses;
}

/** No name has a colon, or ends with a number (RFC 3696 §2). */
function isMeantAsIp(host: string): boolean {
  return host.includes(':') || /(?:^|\.)\d+$/.test(host);
}

async function resolveHost(option: string, host: string): Promise<string> {
  const ip = canonicalIp(host);
  if (ip !== undefined) return ip;
  try {
    return (await lookup(host)).address;
  } catch {
    throw new UsageError(`${option}: there is no address for the host "${host}"`);
  }
}
