/** A download as a picture of the tree that fills up: each level a row, the root on top. */
import { computed } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { ReceivedNode } from '../../machines/events.ts';
import type { LookedUp, MerkleWalkContext } from '../../machines/merkle-walk-context.ts';
import type { Hash } from '../wire/hash.ts';
import { decodeNode } from '../wire/node.ts';
import { actor, grown, lastStep, position, run } from './state.ts';
import { countText } from './text.ts';
import { theme } from './theme.ts';

interface Known {
  /** The moment at which it came. */
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
const MOST_CELLS = 40_000;
const HEIGHT = 84;

/** BOUNDED by what the walk fetched. */
const known = computed<ReadonlyMap<Hash, Known>>(() => {
  grown.value;
  const all = new Map<Hash, Known>();
  const of = actor.value;
  if (of?.kind !== 'merkle-walk') return all;
  for (const at of of.steps) {
    const message = run.value.moments[at]?.message;
    const { nodes, found } = (message?.event ?? {}) as { nodes?: readonly ReceivedNode[]; found?: readonly LookedUp[] };
    const isReceived = message?.type === 'nodes.received';
    const come = isReceived ? nodes : message?.type === 'nodes.lookedUp' ? found : undefined;
    for (const { hash, value } of come ?? []) {
      if (!all.has(hash)) all.set(hash, { at, wasHere: !isReceived, children: childrenIn(value) });
    }
  }
  return all;
});

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
  const it = known.value.get(hash);
  return it !== undefined && it.at <= position.value ? it : undefined;
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
