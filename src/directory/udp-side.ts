/** The directory's UDP side: the directory machine on its sockets, with its effects. */
import type { Logger } from 'pino';
import { createActor, type InspectionEvent } from 'xstate';
import { directoryMachine } from '../../machines/directory.machine.ts';
import type { DirectoryFact, ListedAddress } from '../../machines/directory-context.ts';
import type { Random } from '../../machines/effects.ts';
import type { Delivery } from '../../machines/events.ts';
import { timing } from '../../machines/timing.ts';
import type { PublicKey } from '../identity/public-key.ts';
import type { record } from '../journal/record.ts';
import type { JournalSink, Recorder } from '../journal/recorder.ts';
import { type Clock, nextTurn } from '../runtime/clock.ts';
import { type Call, Gate } from '../runtime/gate.ts';
import { every } from '../runtime/interval.ts';
import type { Network } from '../runtime/network.ts';
import { type SharedDependencies, shareEffects } from '../runtime/shared-effects.ts';
import { SocketBank } from '../runtime/socket-bank.ts';
import { MurmureError } from '../wire/murmure-error.ts';
import { byFamily, canonicalIp, hostOf, type SocketAddress } from '../wire/socket-address.ts';
import type { Directory } from './directory.ts';
import type { DirectoryMetrics } from './directory-metrics.ts';
import type { Instances, TraversalOrder } from './redis/index.ts';
import type { Registry } from './registry.ts';

export interface UdpSideOptions {
  readonly registry: Registry;
  /** The other directories on the same registry. */
  readonly instances?: Instances | undefined;
  readonly binds: readonly SocketAddress[];
  readonly metrics: Pick<DirectoryMetrics, 'count'>;
  /** One that does not jump: `steadyClock`. */
  readonly clock: Clock;
  readonly logger?: Logger | undefined;
  /** Writes down what enters the UDP side, so that the run can be replayed. Closed with the directory. */
  readonly journal?: JournalSink | undefined;
  /** Gets XState's inspection events. */
  readonly inspect?: ((event: InspectionEvent) => void) | undefined;
  /** What it needs from the machine or the simulation on which it runs. */
  readonly environment: {
    readonly random: Random;
    readonly network: Network;
    readonly sign: SharedDependencies['sign'];
    readonly verify: SharedDependencies['verify'];
    /** 32 bytes, from which all randomness comes when a journal is written. */
    readonly seed?: Uint8Array;
    /** Where journals can be written. */
    readonly record?: typeof record;
  };
}

export class UdpSide {
  readonly #sockets: SocketBank;
  readonly #gate: Gate;
  readonly #recorder: Recorder | undefined;
  readonly #actor;
  readonly #clock: Clock;
  readonly #registry: Registry;
  readonly #stopSweeping: () => void;
  readonly #bound = new Map<number, SocketAddress>();

  constructor({ registry, instances, binds, metrics, clock, logger, journal, inspect, environment }: UdpSideOptions) {
    const { seed, record } = environment;
    const recording = record?.({ root: 'directory', sink: journal, seed, clock, input: { binds } });
    this.#clock = clock;
    this.#recorder = recording?.recorder;
    this.#gate = new Gate(clock, this.#recorder);
    this.#sockets = new SocketBank(environment.network);
    this.#registry = registry;
    const machine = provideDirectory({
      registry,
      instances,
      logger,
      sockets: this.#sockets,
      clock,
      gate: this.#gate,
      sign: environment.sign,
      verify: environment.verify,
    });
    const random = recording?.random ?? environment.random;
    this.#actor = createActor(machine, {
      id: 'directory',
      clock: this.#gate.clock,
      input: { binds, random },
      ...(inspect && { inspect }),
    });
    this.#actor.on('socket.bound', ({ index, address }) => this.#bound.set(index, address));
    this.#actor.on('*', (fact) => {
      metrics.count(fact);
      logger?.debug(fact, fact.type);
    });
    this.#actor.subscribe({
      error: (error) => {
        logger?.error(error, 'the directory machine broke down');
        this.#gate.close();
        this.#sockets.closeAll();
      },
    });
    this.#stopSweeping = every(clock, timing.sweepInterval, () =>
      this.#gate.submit(this.#actor, { type: 'sweep', atMs: clock.now() }),
    );
    this.#actor.start();
    this.#askUndated(registry, clock, logger);
  }

  /** As bound, IPv4 first. */
  get addresses(): SocketAddress[] {
    return [...this.#bound.values()].sort(byFamily);
  }

  on: Directory['on'] = (type, listener) => {
    const subscription = this.#actor.on(type as '*', listener as (fact: DirectoryFact) => void);
    return () => subscription.unsubscribe();
  };

  whenBound(): Promise<void> {
    const wanted = this.#actor.getSnapshot().context.binds.length;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const isBound = () => this.#bound.size >= wanted && resolve();
    const stops = [
      this.on('socket.bound', isBound),
      this.on('socket.failed', ({ why }) => reject(new MurmureError('unexpected', why))),
    ];
    isBound();
    return promise.finally(() => {
      for (const stop of stops) stop();
    });
  }

  /** Addresses whose age nobody knows are asked at once whether they still answer (protocol §3). */
  #askUndated(registry: Registry, clock: Clock, logger: Logger | undefined): void {
    try {
      const addresses = registry.takeUndated(clock.now());
      if (addresses.length === 0) return;
      this.#gate.submit(this.#actor, { type: 'addresses.undated', addresses, atMs: clock.now() });
    } catch (error) {
      logger?.error(error, 'looking for addresses of unknown age failed');
    }
  }

  /** A registration came from there, so that somebody is there. `ip` in any notation. */
  vouchFor(ip: string): void {
    const canonical = canonicalIp(ip.replace(/^::ffff:(?=\d+\.)/, ''));
    if (canonical === undefined) return;
    this.#gate.submit(this.#actor, {
      type: 'host.vouched',
      host: hostOf({ ip: canonical, port: 0 }),
      atMs: this.#clock.now(),
    });
  }

  /** Another instance has a peer of its own who wants to reach one whose NAT is open towards us. */
  forward({ sender, target }: TraversalOrder): void {
    const isListed = this.#registry.isListed(target, this.#clock.now());
    this.#gate.submit(this.#actor, { type: 'traversal.checked', sender, target, isListed, through: undefined });
  }

  close(): void {
    this.#stopSweeping();
    this.#recorder?.end(this.#actor);
    if (this.#actor.getSnapshot().status === 'active') this.#actor.send({ type: 'directory.stop' });
    this.#sockets.closeAll();
  }
}

type Dependencies = SharedDependencies & Pick<UdpSideOptions, 'registry' | 'instances' | 'logger'>;

function provideDirectory({ registry, instances, logger, ...shared }: Dependencies) {
  const { clock, gate } = shared;
  const { isGenuine, sendSigned, addressProof, socket } = shareEffects(shared);

  /** An effect that throws ends its machine: what fails for one peer, the disk being full, say, must not end it for all. */
  const survive = async (what: string, work: () => unknown): Promise<void> => {
    try {
      await work();
    } catch (error) {
      logger?.error(error, `${what} failed`);
    }
  };

  const isListed = ({ received: { datagram }, from }: Delivery): boolean =>
    datagram.type === 'Hello' && registry.isListed(from, clock.now(), datagram.name);

  const statusOf = async (hello: Delivery): Promise<{ status: string; key: PublicKey | undefined }> => {
    const { datagram, signature, signed } = hello.received;
    const name = datagram.type === 'Hello' ? datagram.name : '';
    // Only a directory has no name, and no other one is known here (protocol §5).
    if (name === '') return { status: 'forged', key: undefined };
    const keys = registry.candidateKeys(name, clock.now());
    if (keys.length === 0) return { status: 'unregistered', key: undefined };
    for (const key of keys) {
      if (key === undefined) return { status: 'registered', key };
      if (signature !== undefined && (await isGenuine({ key, signed, signature })))
        return { status: 'registered', key };
    }
    return { status: 'forged', key: undefined };
  };

  return directoryMachine.provide({
    actors: { socket, addressProof },
    actions: gate.effects({
      lookUpSender: ({ self, enter }: Call, { hello }: { hello: Delivery }) =>
        survive('looking up who says Hello', async () =>
          enter(self, { type: 'hello.checked', hello, isListed: isListed(hello), ...(await statusOf(hello)) }),
        ),
      lookUpTarget: ({ self, enter }: Call, { sender, target }: { sender: SocketAddress; target: SocketAddress }) =>
        survive('looking up whom to reach through a NAT', () => {
          const through = instances?.reaching(target);
          const isListed = through !== null && registry.isListed(target, clock.now());
          enter(self, { type: 'traversal.checked', sender, target, isListed, through: through ?? undefined });
        }),
      relayTraversal: (_: unknown, { through, ...order }: TraversalOrder & { through: string }) =>
        survive('asking another instance to reach a peer', () => instances?.order(through, order)),
      listAddress: ({ self, enter }: Call, { name, key, address }: ListedAddress) =>
        survive('listing an address', async () => {
          const proven = await registry.prove(name, key, address, clock.now());
          // While this proof was under way somebody else may have bound the name to another key.
          if (proven === 'bad-key' || proven === 'away' || proven.others === undefined) return;
          const { others } = proven;
          enter(self, { type: 'address.listed', name, key, address, others, atMs: clock.now() });
        }),
      confirmAddress: (_: unknown, { name, address }: Listed) =>
        survive('keeping an address', () => registry.confirm(name, address, clock.now())),
      dropAddress: (_: unknown, { name, address }: Listed) =>
        survive('dropping an address', () => registry.drop(name, address, clock.now())),
      forgetExpired: () =>
        survive('forgetting what has expired', async () => {
          while (await registry.expire(clock.now())) await nextTurn(clock);
        }),
      sendSigned,
    }),
  });
}

type Listed = Pick<ListedAddress, 'name' | 'address'>;
