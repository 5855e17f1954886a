/**
 * Networks of this machine's kernel that nobody else sees: network namespaces within a user namespace, in which the tests are root. They
 * are gone when the process that holds them ends, and that ends with its standard input, however the tests end.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { hasTool } from './tools.ts';

const run = promisify(execFile);

/** Translates what leaves by `outer`, and lets in only what belongs to what went out by `inner`. */
function masquerade(inner: string, outer: string): string {
  return `
    table ip translation {
      chain leaving { type nat hook postrouting priority srcnat; oifname "${outer}" masquerade; }
      chain passing {
        type filter hook forward priority filter; policy drop;
        iifname "${inner}" accept
        ct state established,related accept
      }
      chain arriving { type filter hook input priority filter; iifname "${outer}" ct state new drop; }
    }`;
}

/** Whether this machine lets us have networks of our own, with a NAT. @throws in CI, where tests that are skipped would prove nothing */
export function hasNamespaces(): boolean {
  const tools = (['ip', 'nft', 'nsenter', 'unshare'] as const).map(hasTool);
  if (tools.includes(false)) return false;
  const probe = spawnSync('unshare', ['-rnm', 'nft', '-f', '-'], { input: masquerade('inner', 'outer') });
  if (probe.status === 0) return true;
  if (process.env.CI === 'true') throw new Error(`tests need network namespaces and nftables: ${probe.stderr}`);
  return false;
}

export class NetworkNamespace implements AsyncDisposable {
  readonly #holder: ChildProcess;

  private constructor(holder: ChildProcess) {
    this.#holder = holder;
  }

  /** The first one, with a user and a mount namespace of its own. */
  static create(): Promise<NetworkNamespace> {
    return NetworkNamespace.#hold(['unshare', '-rnm']);
  }

  /** Another network, under the same root. */
  createBeside(): Promise<NetworkNamespace> {
    return NetworkNamespace.#hold([...this.enter, 'unshare', '-n']);
  }

  static async #hold([program = '', ...argv]: readonly string[]): Promise<NetworkNamespace> {
    const holder = spawn(program, [...argv, 'cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
    // Once it answers, it is where it should be.
    holder.stdin.write('there?');
    await Promise.race([
      once(holder.stdout, 'data'),
      once(holder, 'exit').then(() => Promise.reject(new Error(program))),
    ]);
    const namespace = new NetworkNamespace(holder);
    await namespace.run('ip', 'link', 'set', 'lo', 'up');
    return namespace;
  }

  /** What a command begins with that is to run in here. */
  get enter(): readonly string[] {
    const target = String(this.#holder.pid);
    return ['nsenter', '--preserve-credentials', '--target', target, '--user', '--net', '--mount'];
  }

  /** @throws Error if the command fails, with what it said */
  async run(...command: readonly string[]): Promise<string> {
    const [program = '', ...argv] = [...this.enter, ...command];
    return (await run(program, argv)).stdout;
  }

  /** A cable: `here` and `there` name the interface and give its address, as "eth0 10.0.0.1/24". */
  async plugInto(other: NetworkNamespace, here: string, there: string): Promise<void> {
    const [ownEnd = '', ownAddress = ''] = here.split(' ');
    const [otherEnd = '', otherAddress = ''] = there.split(' ');
    const peer = ['peer', 'name', otherEnd, 'netns', String(other.#holder.pid)];
    await this.run('ip', 'link', 'add', ownEnd, 'type', 'veth', ...peer);
    await this.setAddress(ownEnd, ownAddress);
    await other.setAddress(otherEnd, otherAddress);
  }

  /** The only one of this interface from now on. */
  async setAddress(end: string, address: string): Promise<void> {
    await this.run('ip', 'address', 'flush', 'dev', end);
    await this.run('ip', 'address', 'add', address, 'dev', end);
    await this.run('ip', 'link', 'set', end, 'up');
  }

  /** Becomes a router with a NAT that forgets as Linux does: after 30 s, or 120 s if there were answers. */
  async translate(inner: string, outer: string): Promise<void> {
    await this.run('nft', masquerade(inner, outer));
    const settings = {
      'ipv4/ip_forward': 1,
      'netfilter/nf_conntrack_udp_timeout': 30,
      'netfilter/nf_conntrack_udp_timeout_stream': 120,
    };
    for (const [name, value] of Object.entries(settings)) {
      await this.run('sh', '-c', `echo ${value} > /proc/sys/net/${name}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#holder, 'exit');
    this.#holder.stdin?.end();
    await ended;
  }
}
