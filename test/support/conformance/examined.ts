/** Who is examined for docs/conformance.md: our own programs, and those of protocol §11. */
import type { Check } from '../../../src/conformance/check.ts';
import { httpsChecks } from '../../../src/conformance/checks/https.ts';
import { plainHttps } from '../../../src/conformance/plain-https.ts';
import { type Result, runChecks } from '../../../src/conformance/run-checks.ts';
import { newIdentity, Subject, type SubjectOptions } from '../../../src/conformance/subject.ts';
import { createDirectory } from '../../../src/directory/create-directory.ts';
import { createDirectoryHttp } from '../../../src/peer/directory-http.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { createSystemRandom } from '../../../src/runtime/random.ts';
import { createUdpNetwork } from '../../../src/runtime/udp-network.ts';
import type { SocketAddress } from '../../../src/wire/socket-address.ts';
import { type Habits, knownPeers } from '../known-peers/habits.ts';
import { KnownPeer } from '../known-peers/known-peer.ts';
import { World } from '../world.ts';

export type Marks = ReadonlyMap<Check['id'], Result['status']>;

const OWN_IP = '203.0.113.9';
const HOURS = 3 * 3_600_000;

/** All checks that need no HTTPS, in virtual time. */
export async function examine(
  world: World,
  options: Pick<SubjectOptions, 'role' | 'address' | 'directory' | 'key'>,
): Promise<Marks> {
  const host = world.network.hostAt(OWN_IP);
  let identities = 0;
  // Signed on the thread: else it would take real time, which virtual time does not wait for.
  const another = async () => {
    identities += 1;
    const name = `examiner ${identities}`;
    const { keyPair, sign } = await world.identity(name);
    return { name, keyPair: { ...keyPair, publicKey: keyPair.publicKey, sign, toPem: () => keyPair.toPem() } };
  };
  const subject = new Subject({
    ...options,
    ...(await another()),
    another,
    network: host,
    clock: host.clock,
    random: world.random.fork('examiner'),
    bind: OWN_IP,
  });
  const marks = new Map<string, Result['status']>();
  const all = async () => {
    for await (const { id, status } of runChecks(subject)) if (status !== 'skipped') marks.set(id, status);
  };
  await world.settle(all(), HOURS);
  return marks;
}

async function examineOwnPeer(): Promise<Marks> {
  const world = new World(15);
  await world.startDirectory();
  const ours = await world.addPeer('ours');
  await world.settle(ours.peer.whenListed());
  // More than one datagram of an answer holds, and more than one level.
  for (let i = 0; i < 40; i++) ours.peer.post(`message ${i}, ${'which is long '.repeat(20)}`);
  const [address] = ours.peer.addresses;
  if (address === undefined) throw new Error('it has no address');
  const marks = await examine(world, { role: 'peer', address, directory: world.httpFor(world.network.hostAt(OWN_IP)) });
  await world.close();
  return marks;
}

/** Its HTTPS side on a real port, everything else in virtual time. */
async function examineOwnDirectory(): Promise<Marks> {
  const world = new World(15);
  await world.startDirectory();
  const directory = world.httpFor(world.network.hostAt(OWN_IP));
  const marks = await examine(world, { role: 'directory', address: world.directoryAddress, directory });
  await world.close();
  return new Map([...marks, ...(await examineHttps())]);
}

async function examineHttps(): Promise<Marks> {
  await using running = await createDirectory({ listen: '127.0.0.1:0', udp: ['127.0.0.1:0'] });
  const { url, ca } = running;
  const subject = new Subject({
    role: 'directory',
    address: running.udp[0] as SocketAddress,
    network: createUdpNetwork(),
    clock: systemClock,
    random: createSystemRandom(),
    ...(await newIdentity()),
    another: newIdentity,
    directory: createDirectoryHttp({ url, ca }),
    https: plainHttps(url, ca),
  });
  const marks = new Map<string, Result['status']>();
  const isHttps = ({ id }: Check) => httpsChecks.some((check) => check.id === id);
  for await (const { id, status } of runChecks(subject, { only: isHttps })) marks.set(id, status);
  return marks;
}

async function examineKnownPeer(habits: Habits): Promise<Marks> {
  const world = new World(15);
  await world.startDirectory();
  const theirs = new KnownPeer(
    world,
    'theirs',
    { ...habits, postsEveryMs: undefined },
    world.network.addHost(['203.0.113.1']),
  );
  for (let i = 0; i < 20; i++) theirs.post(`message ${i}`);
  await world.settle(theirs.start());
  const { keyPair } = await world.identity('theirs');
  const key = habits.signs.length > 0 ? { key: keyPair.publicKey } : {};
  const marks = await examine(world, { role: 'peer', address: theirs.address, ...key });
  theirs.stop();
  await world.close();
  return marks;
}

/** By column of the matrix. */
export const examined = {
  peer: examineOwnPeer,
  directory: examineOwnDirectory,
  reference: () => examineKnownPeer(knownPeers.reference),
  A: () => examineKnownPeer(knownPeers.A),
  B: () => examineKnownPeer(knownPeers.B),
  C: () => examineKnownPeer(knownPeers.C),
} satisfies Readonly<Record<string, () => Promise<Marks>>>;
