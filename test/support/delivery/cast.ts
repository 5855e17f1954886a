/** Who takes part in a run: twelve peers of several kinds, where each of them is, and whom it follows. */
import { natKinds } from '../../../src/simulation/nat.ts';
import type { VirtualHost } from '../../../src/simulation/virtual-host.ts';
import type { World } from '../world.ts';

export interface Role {
  readonly name: string;
  /** Nobody can open a way to it: only those that it follows itself can reach it (protocol §8 has no relay). */
  readonly isClosed?: boolean;
  /** What happens to it, besides what happens to all. */
  readonly habit?: 'moves' | 'sleeps' | 'restarts' | 'sets its clock';
  readonly follows: readonly string[];
  /** Gives it a host; `isBehindNat` false: all are in the open. */
  readonly host: (world: World, isBehindNat: boolean) => VirtualHost;
}

type Kind = keyof typeof natKinds;

function open(index: number, ...others: string[]): Role['host'] {
  return (world) => world.network.addHost([`203.0.113.${index}`, ...others], started(index));
}

function behind(index: number, kind: Kind): Role['host'] {
  return (world, isBehindNat) => {
    if (!isBehindNat) return open(index)(world, false);
    const nat = world.network.addNat({ ip: `203.0.113.${index}`, kind: natKinds[kind] });
    return world.network.addHost([{ ip: `192.168.${index}.2`, nat }], started(index));
  };
}

/** Each host was switched on at another time: one's monotonic time is of no use to another. */
function started(index: number): { readonly monotonicStartMs: number } {
  return { monotonicStartMs: index * 86_400_000 };
}

/** The reader is followed by nobody; otherwise who follows is followed by some, not always by the same ones. */
export const cast: readonly Role[] = [
  { name: 'open', host: open(1), follows: ['cone', 'mover', 'restarter', 'symmetric'] },
  { name: 'quiet', host: open(2), follows: ['open', 'clock', 'two'] },
  { name: 'reader', host: open(3), follows: ['open', 'restarter', 'sleeper', 'cone', 'restricted'] },
  { name: 'two', host: open(4, '198.51.100.4'), follows: ['open', 'mover'] },
  { name: 'cone', host: behind(5, 'fullCone'), follows: ['restricted', 'quiet', 'restarter'] },
  { name: 'restricted', host: behind(6, 'addressRestricted'), follows: ['cone', 'open', 'hidden'] },
  { name: 'hidden', host: behind(7, 'addressRestricted'), follows: ['restricted', 'two'] },
  { name: 'symmetric', host: behind(8, 'symmetric'), isClosed: true, follows: ['open', 'two', 'restarter'] },
  { name: 'mover', host: open(9), habit: 'moves', follows: ['open', 'sleeper', 'clock'] },
  { name: 'sleeper', host: open(10), habit: 'sleeps', follows: ['mover', 'quiet', 'cone'] },
  { name: 'restarter', host: open(11), habit: 'restarts', follows: ['open', 'two', 'sleeper'] },
  { name: 'clock', host: open(12), habit: 'sets its clock', follows: ['restarter', 'open', 'sleeper'] },
];

export function followersOf(author: string): string[] {
  return cast.filter(({ follows }) => follows.includes(author)).map(({ name }) => name);
}
