/** Goes through all that can happen in a small world, breadth first, and checks every state of it. */
import { arrive, fire, keyOf, lose, type SmallWorld } from './small-world.ts';

export interface Exploration {
  readonly states: number;
  readonly depth: number;
  /** Nothing is left to be explored. */
  readonly isComplete: boolean;
  /** The first state that is wrong, and how it is reached. */
  readonly counterexample: { readonly why: string; readonly path: readonly string[] } | undefined;
}

interface Step {
  readonly what: string;
  readonly world: SmallWorld;
}

function stepsFrom(world: SmallWorld): Step[] {
  if (world.end !== 'none') return [];
  const types = new Set<string>();
  const steps: Step[] = [];
  world.channel.forEach(({ to, bytes }, index) => {
    // Equal ones are the same step.
    const name = `${to} ${Buffer.from(bytes).toString('base64')}`;
    if (types.has(name)) return;
    types.add(name);
    const what = `type ${bytes[4]} to ${to}`;
    steps.push({ what: `${what} arrives`, world: arrive(world, index) });
    if (world.lossesLeft > 0) steps.push({ what: `${what} is lost`, world: lose(world, index) });
    if (world.copiesLeft > 0) steps.push({ what: `${what} arrives twice`, world: arrive(world, index, true) });
  });
  world.timers.forEach((timer, index) => {
    steps.push({ what: `timer of ${timer.of} fires`, world: fire(world, index) });
  });
  return steps;
}

const MOST_KIND_STEPS = 200;

/** The channel is kind from here on: what is in it arrives in order, and nobody loses patience before. */
function kindEnd(from: SmallWorld): SmallWorld['end'] {
  let world = from;
  for (let step = 0; step < MOST_KIND_STEPS && world.end === 'none'; step++) {
    if (world.channel.length > 0) world = arrive(world, 0);
    else if (world.timers.length > 0) world = fire(world, 0);
    else return 'none';
  }
  return world.end;
}

function whatIsWrong(world: SmallWorld): string | undefined {
  if (world.wrongs.length > 0) return world.wrongs[0];
  if (world.end !== 'none') return undefined;
  if (world.channel.length + world.timers.length === 0) return 'nothing can happen any more';
  const end = kindEnd(world);
  return end === 'has the node'
    ? undefined
    : `though the channel is kind from here on, A ${end === 'none' ? 'waits for ever' : end}`;
}

/** `mostStates`: where it stops at the latest, so that it takes as long everywhere. */
export function explore(first: SmallWorld, mostStates: number): Exploration {
  const seen = new Map<string, { readonly from: string | undefined; readonly what: string }>();
  const start = keyOf(first);
  seen.set(start, { from: undefined, what: 'A says Hello' });
  let level: [string, SmallWorld][] = [[start, first]];
  let depth = 0;
  const pathTo = (key: string): string[] => {
    const path: string[] = [];
    for (let at: string | undefined = key; at !== undefined; at = seen.get(at)?.from)
      path.unshift(seen.get(at)?.what ?? '');
    return path;
  };
  while (level.length > 0 && seen.size < mostStates) {
    const next: [string, SmallWorld][] = [];
    for (const [key, world] of level) {
      const why = whatIsWrong(world);
      if (why !== undefined)
        return { states: seen.size, depth, isComplete: false, counterexample: { why, path: pathTo(key) } };
      for (const step of stepsFrom(world)) {
        const reached = keyOf(step.world);
        if (seen.has(reached)) continue;
        seen.set(reached, { from: key, what: step.what });
        next.push([reached, step.world]);
      }
    }
    level = next;
    depth += 1;
  }
  return { states: seen.size, depth, isComplete: level.length === 0, counterexample: undefined };
}
