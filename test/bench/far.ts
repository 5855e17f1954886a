/**
 * `node test/bench/far.ts MESSAGES SEEDS LOSS…`: messages a second over a round trip of 50 ms, of which so much of the datagrams is lost
 * each way. Peers on the virtual network, in its time: the figures say how well the round trips are used, whatever the machine. As JSON.
 */
import { calm } from '../../src/simulation/virtual-network.ts';
import { World } from '../support/world.ts';

/** Messages a second, over the seeds. */
export interface FarFigures {
  readonly loss: number;
  readonly slowest: number;
  readonly median: number;
  readonly fastest: number;
}

const ROUND_TRIP_MS = 50;

async function download(messages: number, loss: number, seed: number): Promise<number> {
  const world = new World(seed, { ...calm, minDelayMs: ROUND_TRIP_MS / 2, maxDelayMs: ROUND_TRIP_MS / 2, loss });
  await world.startDirectory();
  const [alice, bob] = [await world.addPeer('alice', { bulk: true }), await world.addPeer('bob', { bulk: true })];
  for (const { peer } of [alice, bob]) await world.settle(peer.whenListed(), 600_000);
  for (let date = 1; date < messages; date++) {
    const body = `message ${date} `.padEnd(200, 'murmure ');
    alice.store.publish('alice', { date, inReplyTo: null, body }, world.clock.now());
  }
  // The peer notices what others have written into its store now and then; its own posts at once.
  alice.peer.post('the last one');
  await world.clock.advance(1_000);
  const report = await world.settle(bob.peer.sync('alice'), 3_600_000);
  await world.close();
  if (report.newMessages !== messages) throw new Error(JSON.stringify(report));
  return (1_000 * messages) / report.durationMs;
}

const [messages = 10_000, seeds = 5, ...losses] = process.argv.slice(2).map(Number);
const figures: FarFigures[] = [];
for (const loss of losses) {
  const rates: number[] = [];
  for (let seed = 1; seed <= seeds; seed++) rates.push(await download(messages, loss, seed));
  rates.sort((a, b) => a - b);
  const [slowest = 0, fastest = 0] = [rates[0], rates.at(-1)];
  figures.push({ loss, slowest, median: rates[Math.floor(rates.length / 2)] ?? 0, fastest });
}
process.stdout.write(`${JSON.stringify(figures)}\n`);
