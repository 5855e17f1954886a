/** A download as a picture of the tree that fills up: each level a row, the root on top. */
import { computed } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { ReceivedNode } from '../../machines/events.ts';
import type { LookedUp, MerkleWalkContext } from '../../machines/merkle-walk-context.ts';
import type { Hash } from '../wire/hash.ts';
import { decodeNode } from '../wire/node.ts';
import type { Actor, Run } from './run.ts';
import { actor, grown, lastStep, position, run } from './state.ts';
import { countText } from './text.ts';
import { theme } from './theme.ts';

interface Known {
  /** The moment at which it came, counted from the first that ever was. */
  readonly at: number;
  /** It was in the store. */
  readonly wasHere: boolean;
  readonly children: readonly Hash[];
}

interface Cell {
  readonly hash: Hash;
  readonly x: number;
  readonly width: number;
}

/** Whatever a peer says its tree is, no more is drawn. */
const MOST_LEVELS = 12;
/** With so many, no further level is drawn; a node has at most 32 children. */
const MOST_CELLS = 40_000;
const HEIGHT = 84;

interface Reading {
  /** BOUNDED by what the walk fetched. */
  readonly nodes: Map<Hash, Known>;
  /** The last moment that was read, counted likewise. */
  last: number;
}

/** By walk. A run grows: what was read of its steps is not read again. */
const readings = new WeakMap<Actor, Reading>();

/** Of the walk that is shown. It grows in place: what has come since is later than what is shown. */
const known = computed<ReadonlyMap<Hash, Known> | undefined>(() => {
  grown.value;
  const of = actor.value;
  if (of?.kind !== 'merkle-walk') return undefined;
  const reading = readings.get(of) ?? { nodes: new Map(), last: -1 };
  readings.set(of, reading);
  readOn(run.value, of, reading);
  return reading.nodes;
});

function readOn(from: Run, of: Actor, reading: Reading): void {
  const { moments, forgotten } = from;
  for (const place of of.steps.slice(from.stepsUntil(of, reading.last - forgotten))) {
    const at = place + forgotten;
    const message = moments[place]?.message;
    const { nodes, found } = (message?.event ?? {}) as { nodes?: readonly ReceivedNode[]; found?: readonly LookedUp[] };
    const isReceived = message?.type === 'nodes.received';
    const come = isReceived ? nodes : message?.type === 'nodes.lookedUp' ? found : undefined;
    for (const { hash, value } of come ?? []) {
      if (!reading.nodes.has(hash)) reading.nodes.set(hash, { at, wasHere: !isReceived, children: childrenIn(value) });
    }
    reading.last = at;
  }
}

function childrenIn(value: Uint8Array | undefined): readonly Hash[] {
  const node = value === undefined ? undefined : decodeNode(value);
  return node?.ok && node.value.kind === 'internal' ? node.value.children : [];
}

export function Filling() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { root } = (lastStep.value?.context ?? {}) as Partial<MerkleWalkContext>;
  const isWalk = actor.value?.kind === 'merkle-walk' && root !== undefined;
  const levels = isWalk ? levelsFrom(root) : [];
  useLayoutEffect(() => {
    if (canvas.current !== null) draw(canvas.current, levels);
  }, [levels, theme.value]);
  if (!isWalk) return null;
  const cells = levels.flat();
  const here = cells.filter(({ hash }) => knownNow(hash) !== undefined).length;
  return (
    <>
      <h3>Tree</h3>
      <figure class="plot">
        <figcaption>
          <b>{countText(here)}</b> <span class="quiet">of {countText(cells.length)} nodes met so far are here</span>
        </figcaption>
        <canvas class="filling" ref={canvas} />
      </figure>
    </>
  );
}

function knownNow(hash: Hash): Known | undefined {
  const it = known.value?.get(hash);
  return it !== undefined && it.at <= position.value + run.value.forgotten ? it : undefined;
}

/** Children share the width of their parent. */
function levelsFrom(root: Hash): Cell[][] {
  const levels: Cell[][] = [];
  let count = 0;
  for (let level: Cell[] = [{ hash: root, x: 0, width: 1 }]; level.length > 0 && levels.length < MOST_LEVELS; ) {
    levels.push(level);
    count += level.length;
    if (count > MOST_CELLS) break;
    level = level.flatMap(({ hash, x, width }) => {
      const children = knownNow(hash)?.children ?? [];
      const each = width / children.length;
      return children.map((child, i) => ({ hash: child, x: x + i * each, width: each }));
    });
  }
  return levels;
}

/** What is thinner than a pixel is drawn as faint as it is thin: a row shows how much of it is there. */
function draw(canvas: HTMLCanvasElement, levels: readonly (readonly Cell[])[]): void {
  const context = canvas.getContext('2d');
  if (context === null) return;
  const [width, height] = [canvas.clientWidth * devicePixelRatio, HEIGHT * devicePixelRatio];
  Object.assign(canvas, { width, height });
  const style = getComputedStyle(canvas);
  const colours = ['--line', '--way', '--accent'].map((name) => style.getPropertyValue(name));
  const row = height / Math.max(3, levels.length);
  levels.forEach((cells, depth) => {
    for (const cell of cells) {
      const it = knownNow(cell.hash);
      context.fillStyle = colours[it === undefined ? 0 : it.wasHere ? 1 : 2] ?? '';
      const wide = cell.width * width;
      context.fillRect(cell.x * width, depth * row, wide > 4 ? wide - 1 : wide, row - 2);
    }
  });
}
