/** How the path of a session does over time: what its controller knew at each step. */
import { computed } from '@preact/signals';
import { bandwidth } from '../../machines/delivery-rate.ts';
import type { OutgoingSessionContext } from '../../machines/outgoing-session-context.ts';
import { awaited } from '../../machines/outstanding.ts';
import { window } from '../../machines/path-allowance.ts';
import { heldBytes, type PathController } from '../../machines/path-state.ts';
import type { Moment } from './run.ts';
import { actor, grown, lastStep, moment, run } from './state.ts';

interface Plot {
  readonly name: string;
  readonly unit: string;
  readonly of: (controller: PathController) => number;
}

const PLOTS: readonly Plot[] = [
  { name: 'window', unit: 'datagrams', of: window },
  { name: 'in flight', unit: 'datagrams', of: ({ outstanding }) => awaited(outstanding) },
  { name: 'round trip', unit: 'ms', of: ({ roundTrip }) => roundTrip.smoothedMs ?? 0 },
  { name: 'rate', unit: 'kB/s', of: ({ rate }) => bandwidth(rate) },
  // What is in flight beyond what the path itself holds.
  {
    name: 'queue',
    unit: 'kB',
    of: (it) => Math.max(0, awaited(it.outstanding) * it.averageBytes - heldBytes(it)) / 1_000,
  },
];

/** Steps that are looked at, of however many. */
const MOST_SAMPLES = 400;
const WIDTH = 260;
const HEIGHT = 34;

interface Sample {
  readonly atMs: number;
  readonly controller: PathController;
}

const samples = computed<readonly Sample[]>(() => {
  grown.value;
  const of = actor.value;
  if (of?.kind !== 'outgoing-session') return [];
  const { steps } = of;
  const every = Math.max(1, Math.ceil(steps.length / MOST_SAMPLES));
  const places = steps.filter((_, i) => i % every === 0 || i === steps.length - 1);
  return places.flatMap((at) => {
    const step = run.value.moments[at];
    const controller = controllerOf(step);
    return step === undefined || controller === undefined ? [] : [{ atMs: step.atMs, controller }];
  });
});

function controllerOf(at: Moment | undefined): PathController | undefined {
  return (at?.context as OutgoingSessionContext | undefined)?.path?.controller;
}

export function Plots() {
  if (samples.value.length === 0) return null;
  return (
    <>
      <h3>Path</h3>
      {PLOTS.map((plot) => (
        <Curve key={plot.name} {...plot} />
      ))}
    </>
  );
}

function Curve({ name, unit, of }: Plot) {
  const all = samples.value;
  const values = all.map(({ controller }) => of(controller));
  const most = Math.max(...values, 1e-9);
  const startMs = all[0]?.atMs ?? 0;
  const spanMs = Math.max(1, (all.at(-1)?.atMs ?? 0) - startMs);
  const xOf = (atMs: number) => Math.max(0, Math.min(WIDTH, ((atMs - startMs) / spanMs) * WIDTH));
  const yOf = (value: number) => HEIGHT - 2 - (value / most) * (HEIGHT - 4);
  // It stays as it is until the next step.
  const corners = all.map(({ atMs }, i) => `H${xOf(atMs).toFixed(1)}V${yOf(values[i] as number).toFixed(1)}`);
  const here = controllerOf(lastStep.value);
  const x = xOf(moment.value?.atMs ?? startMs);
  const now = here === undefined ? '–' : textOf(of(here));
  return (
    <figure class="plot">
      <figcaption>
        {name} <b>{now}</b>{' '}
        <span class="quiet">
          {unit}, at most {textOf(most)}
        </span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <path class="curve" d={`M0,${yOf(values[0] ?? 0).toFixed(1)}${corners.join('')}H${WIDTH}`} />
        <line class="cursor" x1={x} x2={x} y1={0} y2={HEIGHT} />
      </svg>
    </figure>
  );
}

function textOf(value: number): string {
  return value < 10 ? `${Number(value.toFixed(1))}` : Math.round(value).toLocaleString('en');
}
