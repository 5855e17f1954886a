/** Local addresses as users give them: HOST:PORT, the host a name or an IP, IPv6 in brackets. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { formatAddress } from '../wire/socket-address.ts';
import { UsageError } from './errors.ts';

const HOST_PORT = /^(?:\[(?<ipv6>[0-9a-f:.]+)\]|(?<host>[^:[\]\s]+)):(?<port>\d{1,5})$/i;

/** The same address as IP:PORT. @throws UsageError, also for a name that nobody knows */
export async function resolveHostPort(option: string, text: string): Promise<string> {
  const { ipv6, host = ipv6, port } = HOST_PORT.exec(text)?.groups ?? {};
  if (host === undefined || Number(port) > 65_535) {
    throw new UsageError(`${option} takes HOST:PORT, for example 127.0.0.1:0 or [::]:8443, not "${text}"`);
  }
  return formatAddress({ ip: await resolveHost(option, host), port: Number(port) });
}

/** @throws UsageError */
export function resolveHostPorts(option: string, texts: readonly string[]): Promise<string[]> {
  return Promise.all(texts.map((text) => resolveHostPort(option, text)));
}

async function resolveHost(option: string, host: string): Promise<string> {
  if (isIP(host) !== 0) return host;
  try {
    return (await lookup(host)).address;
  } catch {
    throw new UsageError(`${option}: no address is known for the host "${host}"`);
  }
}
