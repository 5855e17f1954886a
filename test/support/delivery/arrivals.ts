/** How long a post takes to a follower, in virtual time. */
import { bodiesOf } from '../scenarios.ts';
import type { VirtualPeer, World } from '../world.ts';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

/** Adds these peers in order, each following those named, and waits until all are listed and have had their first look at each other. */
export async function addListed(
  world: World,
  follows: Readonly<Record<string, readonly string[]>>,
): Promise<VirtualPeer[]> {
  const added: VirtualPeer[] = [];
  for (const [name, follow] of Object.entries(follows))
    added.push(await world.addPeer(name, { guarded: true, follow }));
  for (const { peer } of added) await world.settle(peer.whenListed());
  await world.clock.advance(2 * MINUTE);
  return added;
}

/** Posts now. Milliseconds until the follower has it. @throws Error after an hour without it */
export function postAndWait(world: World, author: VirtualPeer, follower: VirtualPeer, body: string): Promise<number> {
  author.peer.post(body);
  return waitFor(world, author, follower, body);
}

/** Milliseconds from now until the follower has it. @throws Error after an hour without it */
export async function waitFor(world: World, author: VirtualPeer, follower: VirtualPeer, body: string): Promise<number> {
  const fromMs = world.clock.elapsedMs;
  await world.until(() => bodiesOf(follower, author.peer.name).includes(body), HOUR);
  return world.clock.elapsedMs - fromMs;
}

/** Milliseconds from now until the peer tells that it is listed once more. @throws Error after an hour without it */
export async function waitForListing(world: World, { peer }: VirtualPeer): Promise<number> {
  const fromMs = world.clock.elapsedMs;
  let isListed = false;
  const stop = peer.on('peer.listed', () => {
    isListed = true;
  });
  await world.until(() => isListed, HOUR);
  stop();
  return world.clock.elapsedMs - fromMs;
}
