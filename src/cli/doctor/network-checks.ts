/** Which kinds of internet address this machine has. */
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { createUdpNetwork } from '../../runtime/udp-network.ts';
import { type Check, type Finding, failed, ok } from './check.ts';

const FAMILIES = [
  { name: 'IPv4', any: '0.0.0.0' },
  { name: 'IPv6', any: '::' },
] as const;

/** One of the two is enough, so one that is missing is worth a word, and no failure; both are. */
export function checkNetwork(): Check[] {
  const addresses = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
  const isOnline = addresses.some((address) => !address.internal && !isLinkLocal(address));
  return FAMILIES.map((family) => ({
    name: family.name.toLowerCase(),
    run: () => checkFamily(family, addresses, isOnline),
  }));
}

async function checkFamily(
  { name, any }: (typeof FAMILIES)[number],
  all: readonly NetworkInterfaceInfo[],
  isOnline: boolean,
): Promise<Finding> {
  const own = all.filter(({ family }) => family === name);
  const outward = own.filter((address) => !address.internal && !isLinkLocal(address));
  const addresses = outward.map(({ address }) => address).join(', ');
  const canBind = await tryBind(any);
  if (outward.length > 0 && canBind) return ok(addresses);
  if (outward.length > 0) {
    return failed(
      'unexpected',
      `no ${name} UDP socket can be opened`,
      'check whether a firewall or sandbox forbids it',
    );
  }
  if (isOnline) return ok(`no address: peers that only have ${name} cannot be reached directly`);
  const what = canBind && own.length > 0 ? 'only this machine' : 'nothing';
  return ok(`no address: ${what} can be reached over ${name}`, 'connect to a network to reach other machines');
}

function isLinkLocal({ address }: NetworkInterfaceInfo): boolean {
  return address.startsWith('fe80:') || address.startsWith('169.254.');
}

async function tryBind(ip: string): Promise<boolean> {
  try {
    const socket = await createUdpNetwork().open(
      { ip, port: 0 },
      () => {},
      () => {},
    );
    socket.close();
    return true;
  } catch {
    return false;
  }
}
