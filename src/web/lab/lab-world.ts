/** The world of the lab: each system of actors is told to a run of the page, stores can lie, and hosts can be cut off. */
import { tellStored } from '../../inspector/stored-lines.ts';
import { Watcher } from '../../inspector/watcher.ts';
import type { Peer, PeerOptions } from '../../peer/peer.ts';
import { VirtualClock } from '../../simulation/virtual-clock.ts';
import type { VirtualHost } from '../../simulation/virtual-host.ts';
import { World } from '../../simulation/world.ts';
import type { Store } from '../../store/store.ts';
import { Run } from '../run.ts';
import { createMemoryRegistry } from './memory-registry.ts';
import { MemoryStore } from './memory-store.ts';

export class LabWorld extends World {
  /** One for each start of each system. BOUNDED by the restarts of a person. */
  readonly runs: Run[] = [];
  /** Hosts on the other side of the cut. */
  readonly cutOff = new Set<VirtualHost>();
  /** Peers that serve other bytes than they were asked for. */
  readonly liars = new Set<string>();
  #startedAtMs: number;
  readonly #hostsByIp = new Map<string, VirtualHost>();

  constructor(seed: number) {
    const clock = new VirtualClock({ settles: macrotask });
    super({ seed, clock, openStore: () => new MemoryStore(), openRegistry, keepsFacts: false });
    this.network.isLogging = false;
    this.#startedAtMs = clock.now();
    this.know(this.directoryHost);
  }

  /** Times are shown as since then. */
  countFrom(startedAtMs: number): void {
    this.#startedAtMs = startedAtMs;
    for (const run of this.runs) run.header = { ...run.header, startedAtMs };
  }

  /** The host that is known by these addresses now. */
  know(host: VirtualHost): void {
    for (const { ip, nat } of host.addresses) this.#hostsByIp.set(nat?.ip ?? ip, host);
  }

  isCut(from: string, to: string): boolean {
    const [one, other] = [this.#hostsByIp.get(from), this.#hostsByIp.get(to)];
    return one !== undefined && other !== undefined && this.cutOff.has(one) !== this.cutOff.has(other);
  }

  /** As the peer of this name sees its store: what it serves is false while it lies. */
  storeFor(name: string, store: MemoryStore): Store {
    const served = (value: Uint8Array | undefined) => (this.liars.has(name) ? value && falsified(value) : value);
    return new Proxy<Store>(store, {
      get: (target, property) => {
        if (property === 'getNode') return (hash: string) => served(store.getNode(hash));
        if (property === 'getNodes') return (hashes: readonly string[]) => store.getNodes(hashes).map(served);
        const value: unknown = Reflect.get(target, property);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  /** To the run of its last start, for as long as it runs. */
  tellStored(name: string, peer: Peer): void {
    const run = this.runs.findLast(({ header }) => header.name === name);
    if (run !== undefined) tellStored(peer, (line) => run.take(line));
  }

  protected override reachesDirectory(host: VirtualHost): boolean {
    return super.reachesDirectory(host) && this.cutOff.has(host) === this.cutOff.has(this.directoryHost);
  }

  protected override inspectorFor(name: string): PeerOptions['inspect'] {
    const run = new Run();
    const start = this.runs.filter(({ header }) => header.name === name).length + 1;
    const root = name === 'directory' ? 'directory' : 'peer';
    const startedAtMs = this.#startedAtMs;
    run.take(['run', { murmure: 'run', name, root, startedAtMs, isLive: true, ...(start > 1 && { start }) }]);
    this.runs.push(run);
    const watcher = new Watcher((line) => run.take(line));
    return (event) => watcher.inspect(event, this.clock.now());
  }
}

function openRegistry(run: string) {
  return createMemoryRegistry({ run });
}

/** The same bytes, but for the last one. */
function falsified(value: Uint8Array): Uint8Array {
  const copy = value.slice();
  copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1;
  return copy;
}

const channel = new MessageChannel();
/** Turns that are waited for. BOUNDED by those who let time pass: one at a time. */
const waiting: (() => void)[] = [];
channel.port1.onmessage = () => waiting.shift()?.();

/** Everything that is settled has run then, and the browser had its turn. A timer would wait for 4 ms. */
function macrotask(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    channel.port2.postMessage(null);
  });
}
