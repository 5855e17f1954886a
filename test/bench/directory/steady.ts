/**
 * `node test/bench/directory/steady.ts [PEERS]`: so many peers (100,000) are listed at one directory with SQLite and do what registered
 * peers do in a minute: renew their registration, send RootRequests, and a third of them keep-alives, as often as peers do (`PER_HOUR`). Prints
 * how much of a core's time the directory uses for that, which other work on the machine hardly changes. All peers have one key, and do
 * not ask what has changed.
 */
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { timing } from '../../../machines/timing.ts';
import { fileNames } from '../../../src/directory/file-names.ts';
import { createKeyFile } from '../../../src/identity/key-file.ts';
import { generateKeyPair } from '../../../src/identity/key-pair.ts';
import { cpuSeconds, memoryOf, startInstance } from './instances.ts';
import type { Done, SteadyInput } from './steady-peers.ts';

/** A process may have so many sockets open. */
const PEERS_A_PROCESS = 15_000;
/** A new address is asked once more after a minute: that is over then. */
const SETTLING_MS = timing.probePause + 15_000;

const MEASURED_MS = 60_000;

const count = Number(process.argv[2] ?? 100_000);
const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const say = (text: string) => process.stdout.write(`${text}\n`);
const secondsSince = (startMs: number) => (performance.now() - startMs) / 1_000;

await using resources = new AsyncDisposableStack();
const folder = mkdtempSync(join(tmpdir(), 'murmure-bench-'));
resources.defer(() => rmSync(folder, { recursive: true, force: true }));
const home = join(folder, 'directory');
mkdirSync(home);
const keyFile = join(folder, 'key.pem');
const keyPair = await generateKeyPair();
await createKeyFile(keyFile, keyPair);
execFileSync(process.execPath, [
  file('fill.ts'),
  `sqlite:${join(home, fileNames.registry)}`,
  '0',
  `${count}`,
  keyPair.publicKey,
]);
const directory = resources.use(await startInstance(home, undefined));
const processes: ChildProcess[] = [];
resources.defer(() => {
  for (const child of processes) child.kill('SIGKILL');
});
const startMs = performance.now();
const { url, udp, ca } = directory;
for (let from = 0; from < count; from += PEERS_A_PROCESS) {
  const input: SteadyInput = {
    url,
    udp,
    ca,
    keyFile,
    from,
    count: Math.min(PEERS_A_PROCESS, count - from),
    measuredMs: MEASURED_MS,
  };
  const child = fork(file('steady-peers.ts'), [JSON.stringify(input)]);
  processes.push(child);
  await once(child, 'message');
  process.stderr.write(`${from + input.count} peers after ${secondsSince(startMs).toFixed(0)} s\n`);
}
say(`${count} peers proven: ${(count / secondsSince(startMs)).toFixed(0)} a second`);
await new Promise((resolve) => setTimeout(resolve, SETTLING_MS));

const cpu = cpuSeconds([directory.pid]);
const all = await Promise.all(
  processes.map(async (child) => {
    child.send('go');
    const [done] = await once(child, 'message');
    return done as Done;
  }),
);
const [used, seconds] = [cpuSeconds([directory.pid]) - cpu, MEASURED_MS / 1_000];
const sum = (pick: (done: Done) => number) => all.reduce((total, done) => total + pick(done), 0);
for (const what of ['renewals', 'roots', 'keepAlives'] as const)
  say(`${what}: ${(sum((done) => done[what]) / seconds).toFixed(0)} a second`);
say(`failed, or not answered in the end: ${sum(({ failed }) => failed)}`);
const megabytes = Math.round(memoryOf(directory.pid).now / 1e6);
say(`the directory uses ${((100 * used) / seconds).toFixed(1)} % of a core, and ${megabytes} MB`);
