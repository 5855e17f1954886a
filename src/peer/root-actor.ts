/** The root actor of a peer: its machines with their effects, behind the gate, recorded and explained as the options say. */
import { createActor, type InputFrom } from 'xstate';
import { Explainer } from '../journal/explain.ts';
import type { ElapsedTime } from '../runtime/elapsed-time.ts';
import { Gate } from '../runtime/gate.ts';
import type { PeerOptions } from './peer.ts';
import type { Outside, PeerDependencies } from './peer-dependencies.ts';
import { providePeer } from './peer-effects.ts';

type PeerInput = InputFrom<ReturnType<typeof providePeer>['peer']>;

interface RootOptions extends Pick<PeerDependencies, 'sockets' | 'tell' | 'announce' | 'localIps'> {
  readonly outside: Outside;
  readonly options: PeerOptions;
  /** For intervals and ages: all the time that the machines know. */
  readonly time: ElapsedTime;
  /** Without the randomness: that comes from outside, or from the journal's seed. */
  readonly input: Omit<PeerInput, 'random'>;
}

/** It is not started yet. `flush` writes what the store has not got yet. */
export function createRootActor({ outside, options, time, input, ...rest }: RootOptions) {
  const { name, keyPair, store, journal: sink } = options;
  const recording = outside.record?.({ root: 'peer', sink, seed: outside.seed, clock: time, input });
  const gate = new Gate(time, recording?.recorder);
  const explainer = options.explain === true ? new Explainer() : undefined;
  const { peer, flush } = providePeer({
    name,
    publicKey: keyPair.publicKey,
    store,
    http: outside.http,
    clock: time,
    wallClock: outside.clock,
    gate,
    sign: outside.sign,
    verify: outside.verify,
    ...rest,
  });
  const actor = createActor(peer, {
    id: 'peer',
    clock: gate.clock,
    input: { ...input, random: recording?.random ?? outside.random },
    ...inspecting(options.inspect, explainer && ((event) => explainer.inspect(event, time.now()))),
  });
  return { actor, gate, recorder: recording?.recorder, explainer, flush };
}

type Inspect = NonNullable<PeerOptions['inspect']>;

/** For whoever looks at the machines; nothing is paid while nobody does. */
function inspecting(...inspectors: (Inspect | undefined)[]): { inspect?: Inspect } {
  const present = inspectors.filter((inspect) => inspect !== undefined);
  if (present.length === 0) return {};
  return {
    inspect: (event) => {
      for (const inspect of present) inspect(event);
    },
  };
}
