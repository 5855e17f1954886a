/** What the engine keeps of a name, as a text that the script reads as well: the binding in the first line, and a line for each address. */
import type { PublicKey } from '../../identity/public-key.ts';

export interface NameRecord {
  readonly key: PublicKey | undefined;
  /** Running time of the registry (protocol §3). */
  readonly provenRunningMs: number;
  /** Newest proof first. BOUNDED by `registryLimits.addressesPerName`. */
  readonly addresses: readonly AddressRecord[];
}

export interface AddressRecord {
  /** As `formatAddress` writes it. */
  readonly address: string;
  /** Times of the registry's own clock: see the script. */
  readonly provenMs: number;
  readonly answeredMs: number;
  /** The instances that proved it, the latest first: its NAT is open towards them. BOUNDED by the script, to four. */
  readonly provers: readonly string[];
}

const NO_KEY = '-';

export const keyField = (key: PublicKey | undefined): string => key ?? NO_KEY;

export function formatRecord({ key, provenRunningMs, addresses }: NameRecord): string {
  const lines = addresses.map(({ address, provenMs, answeredMs, provers }) =>
    [address, provenMs, answeredMs, provers.join(',')].join('\t'),
  );
  return [`${keyField(key)}\t${provenRunningMs}`, ...lines].join('\n');
}

/** Undefined for what no version of ours has written. */
export function parseRecord(text: string): NameRecord | undefined {
  const [first = '', ...lines] = text.split('\n');
  const [key = '', running] = first.split('\t');
  const addresses = lines.map((line): AddressRecord => {
    const [address = '', proven, answered, provers = ''] = line.split('\t');
    return {
      address,
      provenMs: Number(proven),
      answeredMs: Number(answered),
      provers: provers === '' ? [] : provers.split(','),
    };
  });
  const numbers = [Number(running), ...addresses.flatMap(({ provenMs, answeredMs }) => [provenMs, answeredMs])];
  if (key === '' || !numbers.every(Number.isFinite)) return undefined;
  return { key: key === NO_KEY ? undefined : (key as PublicKey), provenRunningMs: Number(running), addresses };
}
