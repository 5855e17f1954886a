/** One run by hand: `node test/support/delivery/main.ts SEED HOURS [TROUBLE… | all]` prints what arrived how late, and what it cost. */
import { describeReport } from './ledger.ts';
import { deliver } from './run.ts';
import { allTroubles, type Trouble } from './troubles.ts';

const [seed = '1', hours = '1', ...named] = process.argv.slice(2);
const unknown = named.filter((name) => name !== 'all' && !allTroubles.includes(name as Trouble));
if (unknown.length > 0) throw new Error(`no such trouble: ${unknown.join(', ')}; there are ${allTroubles.join(', ')}`);
const troubles = named.includes('all') ? allTroubles : (named as Trouble[]);
const report = await deliver({ seed: Number(seed), hours: Number(hours), troubles });
const { user, system } = process.cpuUsage();
process.stdout.write(`${describeReport(report)}\n${((user + system) / 1e6).toFixed(1)} s of CPU for ${hours} h\n`);
