/** The real program over the real kernel's networks: behind a NAT, and roaming. How long anything takes is left to the machine. */
import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { hasNamespaces, NetworkNamespace } from '../support/namespaces.ts';
import { type Finished, type Json, Programs, type Running } from '../support/program.ts';

/** Longer than a Linux NAT remembers what was not answered. */
const QUIET_MS = 45_000;

/** A directory in one network, and people who run the program wherever they are. */
class Setting {
  readonly #programs: Programs;
  readonly #directory: readonly string[];

  private constructor(programs: Programs, directory: readonly string[]) {
    this.#programs = programs;
    this.#directory = directory;
  }

  static async begin(programs: Programs, network: NetworkNamespace, ip: string): Promise<Setting> {
    const listen = ['--listen', `${ip}:8443`, '--udp', `${ip}:8443`];
    const argv = ['directory', '--json', '--home', programs.home('directory'), ...listen];
    const ready = await programs.startIn(network.enter, argv).event('ready');
    return new Setting(programs, ['--directory', ready.url as string, '--ca', ready.ca as string]);
  }

  async run(network: NetworkNamespace, name: string, ...command: string[]): Promise<Finished> {
    const running = this.#start(network, name, command);
    running.child.stdin.end();
    const finished = await running.finished;
    expect(finished, finished.stderr).toMatchObject({ code: 0 });
    return finished;
  }

  async serve(network: NetworkNamespace, name: string): Promise<Running> {
    const running = this.#start(network, name, ['serve']);
    await running.event('ready');
    await running.event('peer.listed');
    return running;
  }

  #start(network: NetworkNamespace, name: string, command: readonly string[]): Running {
    const flags = ['--json', '--home', this.#programs.home(name), ...this.#directory];
    return this.#programs.startIn(network.enter, [...command, ...flags]);
  }
}

/** Posts, and gives the message's hash. */
async function post(setting: Setting, network: NetworkNamespace, name: string, text: string): Promise<unknown> {
  return (await setting.run(network, name, 'post', text)).values[0]?.hash;
}

/** Waits until it is there, however long that takes. */
function arrival(at: Running, hash: unknown): Promise<Json> {
  return at.line(({ event, hashes }) => event === 'messages.received' && (hashes as unknown[]).includes(hash));
}

describe.skipIf(!hasNamespaces())('in network namespaces (skipped where the machine does not allow them)', () => {
  test('behind a NAT, after 45 s of quiet, a peer is reached and read, and reads what others post', async () => {
    await using outside = await NetworkNamespace.create();
    await using router = await outside.createBeside();
    await using home = await outside.createBeside();
    await outside.plugInto(router, 'wan 10.8.0.1/24', 'outer 10.8.0.254/24');
    await router.plugInto(home, 'inner 192.168.7.1/24', 'lan 192.168.7.2/24');
    await home.run('ip', 'route', 'add', 'default', 'via', '192.168.7.1');
    await router.translate('inner', 'outer');

    await using programs = new Programs();
    const setting = await Setting.begin(programs, outside, '10.8.0.1');
    await setting.run(outside, 'alice', 'init', 'alice');
    await setting.run(home, 'bob', 'init', 'bob');
    const first = await post(setting, home, 'bob', 'from behind the NAT');
    await setting.run(home, 'bob', 'follow', 'alice');
    const alice = await setting.serve(outside, 'alice');
    const bob = await setting.serve(home, 'bob');
    await setTimeout(QUIET_MS);

    await setting.run(outside, 'alice', 'follow', 'bob');
    await arrival(alice, first);
    await arrival(alice, await post(setting, home, 'bob', 'out'));
    await arrival(bob, await post(setting, outside, 'alice', 'in'));
  });

  test('a peer that roams to another address is listed there, and what it posts then arrives', async () => {
    await using outside = await NetworkNamespace.create();
    await using roaming = await outside.createBeside();
    await outside.plugInto(roaming, 'wan 10.9.0.1/24', 'wlan 10.9.0.2/24');

    await using programs = new Programs();
    const setting = await Setting.begin(programs, outside, '10.9.0.1');
    await setting.run(roaming, 'alice', 'init', 'alice');
    await setting.run(outside, 'bob', 'init', 'bob');
    await setting.run(outside, 'bob', 'follow', 'alice');
    await setting.serve(roaming, 'alice');
    const bob = await setting.serve(outside, 'bob');
    await arrival(bob, await post(setting, roaming, 'alice', 'before'));

    await roaming.setAddress('wlan', '10.9.0.77/24');
    await arrival(bob, await post(setting, roaming, 'alice', 'after'));
    await eventually(async () => {
      const { values } = await setting.run(outside, 'bob', 'peers');
      const alice = values.find(({ name }) => name === 'alice') as { addresses: { ip: string }[] } | undefined;
      expect(alice?.addresses[0]?.ip).toBe('10.9.0.77');
    });
  });
});
