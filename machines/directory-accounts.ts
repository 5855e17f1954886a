/**
 * What the directory may send to addresses that nobody has proven (protocol §5, §9). A source is easily forged, so an address, and all
 * those of its host together, get at most three times the bytes that came from there; everything that goes there is charged. A
 * host has a small allowance beside that, once, for the first answers to short Hellos; it is not filled up again. As with sessions,
 * only the machine's actions change these maps.
 */
import { dropOldest } from '../src/merkle/bounded-map.ts';
import { isYounger } from '../src/wire/age.ts';
import { formatAddress, hostOf, type SocketAddress } from '../src/wire/socket-address.ts';
import { limits, timing } from './timing.ts';

/** Accounts kept; when there are more, those go first that heard least lately. */
const MAX_ACCOUNTS = 65_536;
/** Bytes: six short Hellos answered and their addresses asked, whatever they have paid. */
const ALLOWANCE = 1_024;
/** Of one host: a whole class registers from behind one address. */
const MAX_VOUCHERS = 64;

interface HostAccount {
  credit: number;
  allowance: number;
}

export interface Accounts {
  /** Bytes that may go to this address. BOUNDED by `MAX_ACCOUNTS`. */
  readonly addresses: Map<string, number>;
  /** BOUNDED by `MAX_ACCOUNTS`. */
  readonly hosts: Map<string, HostAccount>;
  /** Registrations from this host that came over HTTPS lately: TCP has proven that it is there. BOUNDED by `MAX_ACCOUNTS`. */
  readonly vouchers: Map<string, { readonly count: number; readonly atMs: number }>;
}

export const noAccounts = (): Accounts => ({ addresses: new Map(), hosts: new Map(), vouchers: new Map() });

/** Sets it as the latest entry. If there are too many, the earliest are removed. */
function keep<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  dropOldest(map, MAX_ACCOUNTS);
}

/** So many bytes came from there. */
export function credit({ addresses, hosts }: Accounts, from: SocketAddress, bytes: number): void {
  const [address, host] = [formatAddress(from), hostOf(from)];
  const earned = limits.amplification * bytes;
  const account = hosts.get(host) ?? { credit: 0, allowance: ALLOWANCE };
  keep(addresses, address, (addresses.get(address) ?? 0) + earned);
  keep(hosts, host, { ...account, credit: account.credit + earned });
}

/** May so many bytes go there? If so, they are charged. */
export function charge({ addresses, hosts }: Accounts, to: SocketAddress, bytes: number): boolean {
  const [address, host] = [formatAddress(to), hostOf(to)];
  const [own, shared] = [addresses.get(address) ?? 0, hosts.get(host)];
  if (own < bytes || shared === undefined || shared.credit < bytes) return false;
  addresses.set(address, own - bytes);
  shared.credit -= bytes;
  return true;
}

/** As `charge`, to what the host is allowed without having paid for it. */
export function chargeAllowance({ hosts }: Accounts, to: SocketAddress, bytes: number): boolean {
  const account = hosts.get(hostOf(to));
  if (account === undefined || account.allowance < bytes) return false;
  account.allowance -= bytes;
  return true;
}

/** A registration from there was accepted over HTTPS. */
export function vouch({ vouchers }: Accounts, host: string, atMs: number): void {
  const { count = 0 } = vouchers.get(host) ?? {};
  keep(vouchers, host, { count: Math.min(MAX_VOUCHERS, count + 1), atMs });
}

/** One Hello for each such registration goes to its host, whatever that has paid: programs with short Hellos are to be listed as well. */
export function spendVoucher({ vouchers }: Accounts, to: SocketAddress, atMs: number): boolean {
  const host = hostOf(to);
  const voucher = vouchers.get(host);
  if (voucher === undefined || voucher.count === 0 || !isYounger(voucher.atMs, timing.voucherLifetime, atMs))
    return false;
  vouchers.set(host, { ...voucher, count: voucher.count - 1 });
  return true;
}
