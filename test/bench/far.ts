/**
 * `node test/bench/far.ts MESSAGES LOSS…`: messages a second over a round trip of 50 ms, of which so much of the datagrams is lost each
 * way. Peers on the virtual network, in its time: the figures say how well the round trips are used, whatever the machine. As JSON.
 */
import { calm } from '../support/network/virtual-network.ts';
import { World } from '../support/world.ts';

export interface FarFigures {
  readonly loss: number;
  readonly messagesPerSecond: number;
  readonly retransmissions: number;
}

const ROUND_TRIP_MS = 50;

async function download(messages: number, loss: number): Promise<FarFigures> {
  const world = new World(1, { ...calm, minDelayMs: ROUND_TRIP_MS / 2, maxDelayMs: ROUND_TRIP_MS / 2, loss });
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
  return { loss, messagesPerSecond: (1_000 * messages) / report.durationMs, retransmissions: report.retransmissions };
}

const [messages = 10_000, ...losses] = process.argv.slice(2).map(Number);
const figures: FarFigures[] = [];
for (const loss of losses) figures.push(await download(messages, loss));
process.stdout.write(`${JSON.stringify(figures)}\n`);
