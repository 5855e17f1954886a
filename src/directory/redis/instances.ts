/**
 * The instances that share a registry: where each is to be reached over UDP, whether it lives, and orders between them. A NAT is open
 * towards the instance that proved an address behind it, so that only that one can reach the peer (protocol §8).
 */
import * as v from 'valibot';
import type { PublicKey } from '../../identity/public-key.ts';
import { MurmureError } from '../../wire/murmure-error.ts';
import { byFamily, formatAddress, parseAddress, type SocketAddress } from '../../wire/socket-address.ts';
import type { RedisRegistry } from './redis-registry.ts';
import { INSTANCES_KEY, orderChannel, SERVER_KEY_KEY } from './shares.ts';

/** An instance that has said nothing for so long is dead: it speaks every 15 s. */
const LIFE_MS = 45_000;
/** Whoever is reached later than that has tried another way. */
const ORDER_MS = 2_000;

/** Said to the others by whoever comes or goes, so that they look at once. */
const CHANGED = 'changed';

/** Says that an instance lives; gives what is known of all, and forgets the dead. By the engine's clock, as everything. */
const BEAT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[1] ~= '' then redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', now) .. ' ' .. ARGV[2]) end
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if now - tonumber(string.match(all[i + 1], '^%d+')) > ${LIFE_MS} then redis.call('HDEL', KEYS[1], all[i]) end
end
return redis.call('HGETALL', KEYS[1])
`;

export interface TraversalOrder {
  readonly sender: SocketAddress;
  readonly target: SocketAddress;
}

const Order = v.object({ sender: v.string(), target: v.string(), atMs: v.number() });

export class Instances {
  readonly #registry: RedisRegistry;
  readonly #now: () => number;
  #own: readonly SocketAddress[] = [];
  /** Those that live, without this one. BOUNDED by how many an operator runs. */
  #others = new Map<string, readonly SocketAddress[]>();

  /** `now`: Unix ms, of a clock that does not jump. */
  constructor(registry: RedisRegistry, now: () => number) {
    this.#registry = registry;
    this.#now = now;
  }

  /**
   * From now on the others know of this one. `order`: somebody is to be told of somebody who wants to reach him.
   * @throws MurmureError if the others sign under another key, or the engine is away
   */
  async join(own: readonly SocketAddress[], key: PublicKey, order: (order: TraversalOrder) => void): Promise<void> {
    const { engine, instance } = this.#registry;
    this.#own = own;
    await this.#requireKey(key);
    await engine.subscribe(orderChannel(instance), (message) => this.#hear(message, order));
    await this.#beat();
    await this.#tellOthers();
    this.#registry.whenWell(async () => {
      await engine.command(SERVER_KEY_KEY, ['SET', SERVER_KEY_KEY, key, 'NX']);
      await this.#beat();
    });
  }

  /** Of all that live, IPv4 first, and within a family our own first: what `/udp-address` tells. */
  get addresses(): SocketAddress[] {
    const all = [...this.#own, ...Array.from(this.#others.values()).flat()];
    return [...new Map(all.map((address) => [formatAddress(address), address])).values()].sort(byFamily);
  }

  /** Who can reach this address: `undefined` this instance itself, `null` nobody that lives. */
  reaching(target: SocketAddress): string | undefined | null {
    const provers = this.#registry.provers(target, this.#now());
    if (provers.includes(this.#registry.instance)) return undefined;
    return provers.find((instance) => this.#others.has(instance)) ?? null;
  }

  /** Nobody waits for it; it is done soon, or not at all. */
  async order(instance: string, { sender, target }: TraversalOrder): Promise<void> {
    const order = { sender: formatAddress(sender), target: formatAddress(target), atMs: this.#registry.engineNow() };
    await this.#registry.engine.publish(orderChannel(instance), JSON.stringify(order));
  }

  async leave(): Promise<void> {
    const { engine, instance } = this.#registry;
    // Whoever cannot say goodbye is missed after a while.
    await engine
      .command(INSTANCES_KEY, ['HDEL', INSTANCES_KEY, instance])
      .then(() => this.#tellOthers())
      .catch(() => {});
  }

  async #tellOthers(): Promise<void> {
    const { engine } = this.#registry;
    await Promise.all(this.#others.keys().map((other) => engine.publish(orderChannel(other), CHANGED)));
  }

  async #requireKey(key: PublicKey): Promise<void> {
    const { engine } = this.#registry;
    await engine.command(SERVER_KEY_KEY, ['SET', SERVER_KEY_KEY, key, 'NX']);
    const shared = await engine.command(SERVER_KEY_KEY, ['GET', SERVER_KEY_KEY]);
    if (shared === key) return;
    const message =
      'the other directories on this registry sign under another key: copy directory-key.pem of one of them into this home; to change the key of all, stop all of them and delete murmure:server-key in the engine';
    throw new MurmureError('usage', message);
  }

  async #beat(): Promise<void> {
    const { engine, instance } = this.#registry;
    const own = this.#own.map(formatAddress).join(' ');
    const reply = (await engine.command(INSTANCES_KEY, ['EVAL', BEAT, '1', INSTANCES_KEY, instance, own])) as string[];
    const others = new Map<string, readonly SocketAddress[]>();
    for (let i = 0; i < reply.length; i += 2) {
      const [, ...addresses] = (reply[i + 1] as string).split(' ');
      if (reply[i] !== instance) others.set(reply[i] as string, addresses.flatMap(parsed));
    }
    this.#others = others;
  }

  #hear(message: string, order: (order: TraversalOrder) => void): void {
    if (message === CHANGED) {
      // If the engine is away, it is asked again when it returns.
      void this.#beat().catch(() => {});
      return;
    }
    const { success, output } = v.safeParse(v.pipe(v.string(), v.parseJson(), Order), message);
    if (!success || Math.abs(this.#registry.engineNow() - output.atMs) > ORDER_MS) return;
    const [[sender], [target]] = [parsed(output.sender), parsed(output.target)];
    if (sender !== undefined && target !== undefined) order({ sender, target });
  }
}

function parsed(text: string): SocketAddress[] {
  const address = parseAddress(text);
  return address.ok ? [address.value] : [];
}
