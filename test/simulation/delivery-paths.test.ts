/**
 * Protocol §5 and §8: what lies between author and reader fails for minutes, or a NAT gets another address, while both reach the directory
 * over HTTPS. Nobody tells them when it is over; what was posted meanwhile is there within ten seconds all the same.
 */
import { describe, expect, test } from 'vitest';
import { type Nat, natKinds } from '../../src/simulation/nat.ts';
import type { VirtualHost } from '../../src/simulation/virtual-host.ts';
import { MINUTE, postAndWait, SECOND, waitFor } from '../support/delivery/arrivals.ts';
import { World } from '../support/world.ts';

/** Where a peer is, as the directory sees it. */
interface Home {
  readonly ip: string;
  readonly host: VirtualHost;
  readonly nat: Nat | undefined;
}

interface Setting {
  readonly world: World;
  readonly author: Home;
  readonly reader: Home;
}

interface Trouble {
  /** Who is behind a NAT. */
  readonly hidden: 'nobody' | 'author' | 'reader' | 'both';
  readonly isMutual?: boolean;
  readonly lastsMs: number;
  begin(setting: Setting): void;
  end(setting: Setting): void;
}

/** Hardly any two of the timers of a minute are as far apart as these. */
const offsets = (count: number) => Array.from({ length: count }, (_, index) => (index * MINUTE) / count + index * 370);

function home(world: World, last: number, isHidden: boolean): Home {
  const ip = `203.0.113.${last}`;
  if (!isHidden) return { ip, host: world.network.addHost([ip]), nat: undefined };
  const nat = world.network.addNat({ ip, kind: natKinds.portRestricted });
  return { ip, host: world.network.addHost([{ ip: `192.168.${last}.2`, nat }]), nat };
}

/** A post comes in the middle of it. @returns how long after its end it arrived, ms */
async function arrivalAfter({ hidden, isMutual, lastsMs, begin, end }: Trouble, offsetMs: number, seed: number) {
  const world = new World(seed, { loss: 0, duplication: 0, minDelayMs: 10, maxDelayMs: 60 }, { isLong: true });
  await world.startDirectory();
  const isHidden = (who: string) => hidden === 'both' || hidden === who;
  const setting = { world, author: home(world, 1, isHidden('author')), reader: home(world, 2, isHidden('reader')) };
  const follow = isMutual ? ['reader'] : [];
  const author = await world.addPeer('author', { guarded: true, follow, host: setting.author.host });
  const reader = await world.addPeer('reader', { guarded: true, follow: ['author'], host: setting.reader.host });
  for (const { peer } of [author, reader]) await world.settle(peer.whenListed());
  await world.clock.advance(2 * MINUTE + offsetMs);
  await postAndWait(world, author, reader, 'before');
  await world.clock.advance(20 * SECOND);
  begin(setting);
  await world.clock.advance(lastsMs / 2);
  author.peer.post('missed');
  await world.clock.advance(lastsMs / 2);
  end(setting);
  const delayMs = await waitFor(world, author, reader, 'missed');
  await world.close();
  return delayMs;
}

async function arrivals(trouble: Trouble, offsetCount: number): Promise<number[]> {
  const delays: number[] = [];
  for (const [index, offsetMs] of offsets(offsetCount).entries()) {
    delays.push(await arrivalAfter(trouble, offsetMs, index + 1));
  }
  return delays;
}

const lateOnes = (delays: readonly number[]) => delays.filter((delayMs) => delayMs > 10 * SECOND);

const heal = ({ world }: Setting) => {
  world.network.loses = () => false;
};

/** Nothing passes between the two, or in one direction only. */
const cut = (isOneWay = false): Pick<Trouble, 'begin' | 'end'> => ({
  begin: ({ world, author, reader }) => {
    world.network.loses = ({ from, to }) =>
      (from.ip === author.ip && to.ip === reader.ip) || (!isOneWay && from.ip === reader.ip && to.ip === author.ip);
  },
  end: heal,
});

/** A firewall between this one and everybody else drops all UDP. */
const deaf = (who: 'author' | 'reader'): Pick<Trouble, 'begin' | 'end'> => ({
  begin: ({ world, [who]: { ip } }) => {
    world.network.loses = ({ from, to }) => from.ip === ip || to.ip === ip;
  },
  end: heal,
});

/** The provider renews the address of the NAT; the machine behind it does not notice. */
const renewed = (...whose: ('author' | 'reader')[]): Pick<Trouble, 'begin' | 'end'> => ({
  begin: () => {},
  end: (setting) => {
    for (const [index, who] of whose.entries()) {
      const { nat } = setting[who];
      if (nat !== undefined) setting.world.network.readdress(nat, `198.51.100.${index + 1}`);
    }
  },
});

describe('a post arrives within ten seconds of when', () => {
  test.each<readonly [string, Trouble]>([
    ['the path between author and reader works again', { hidden: 'nobody', lastsMs: 100 * SECOND, ...cut() }],
    ['that between two NATs works again', { hidden: 'both', lastsMs: 100 * SECOND, ...cut() }],
    ['UDP of the author works again', { hidden: 'both', lastsMs: 70 * SECOND, ...deaf('author') }],
    [
      'the NAT of the author has another address, and the reader is behind one',
      { hidden: 'both', lastsMs: 0, ...renewed('author') },
    ],
  ])('%s, however that lies to all timers', async (_, trouble) => {
    expect(lateOnes(await arrivals(trouble, 12))).toEqual([]);
  });

  test.each<readonly [string, Trouble]>([
    ['the path to a hidden author works again', { hidden: 'author', lastsMs: 100 * SECOND, ...cut() }],
    ['what the author sends reaches the reader again', { hidden: 'reader', lastsMs: 25 * SECOND, ...cut(true) }],
    [
      'the path between two that follow each other works again',
      { hidden: 'both', isMutual: true, lastsMs: 70 * SECOND, ...cut() },
    ],
    ['UDP of the reader works again', { hidden: 'author', lastsMs: 100 * SECOND, ...deaf('reader') }],
    ['the NAT of the reader has another address', { hidden: 'both', lastsMs: 0, ...renewed('reader') }],
    ['both NATs have other addresses', { hidden: 'both', isMutual: true, lastsMs: 0, ...renewed('author', 'reader') }],
  ])('%s', async (_, trouble) => {
    expect(lateOnes(await arrivals(trouble, 4))).toEqual([]);
  });
});
