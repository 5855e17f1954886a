/** The committed drawing of the chosen actor's machine, with the state that it is in and the arrow that it took. */
import { signal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { Step } from '../inspector/lines.ts';
import { actor, lastStep, nameOf, position, reference } from './state.ts';

interface Size {
  readonly width: number;
  readonly height: number;
}

interface View {
  readonly x: number;
  readonly y: number;
  /** Pixels for a unit of the drawing. */
  readonly scale: number;
}

/** Undefined: as it fits, or around the current state. */
const view = signal<View | undefined>(undefined);
/** In this size the text is easy to read. */
const READABLE = 0.8;
const SMALLEST = 0.05;
const LARGEST = 4;

/** One for each machine that was looked at: reading one takes longer than a step may. BOUNDED by the machines. */
const drawings = new Map<string, Drawing>();

function drawingOf(kind: string): Drawing | undefined {
  const known = drawings.get(kind);
  const source = reference.value.charts[kind];
  if (known !== undefined || source === undefined) return known;
  const drawing = new Drawing(source);
  drawings.set(kind, drawing);
  return drawing;
}

/** Of the pane: asking the browser for it at every step would make it lay out the page. */
const frameSize = signal<Size>({ width: 1, height: 1 });

export function Chart() {
  const kind = actor.value?.kind ?? '';
  const frame = useRef<HTMLDivElement>(null);
  const drawing = drawingOf(kind);
  const size = frameSize.value;
  const at = lastStep.value;
  const isNow = position.value !== -1 && at !== undefined;
  const seen = view.value;
  useLayoutEffect(() => {
    view.value = undefined;
    frame.current?.replaceChildren(...(drawing ? [drawing.svg] : []));
  }, [drawing]);
  useLayoutEffect(() => drawing?.light(isNow ? at.step : undefined), [drawing, at, isNow]);
  useLayoutEffect(() => drawing?.show(size, seen), [drawing, at, seen, size]);
  useEffect(() => {
    const watcher = new ResizeObserver(([entry]) => {
      if (entry) frameSize.value = entry.contentRect;
    });
    if (frame.current) watcher.observe(frame.current);
    return () => watcher.disconnect();
  }, []);
  const zoom = (factor: number) => {
    if (drawing) view.value = drawing.zoomed(size, view.value, factor);
  };
  return (
    <section class="pane chart" aria-label={`State chart of ${kind}`}>
      <header>
        <h2>{nameOf(actor.value)}</h2>
        <span class="state">{lastStep.value?.step?.to}</span>
        <span class="tools">
          <button type="button" title="Smaller (-)" onClick={() => zoom(1 / 1.25)}>
            −
          </button>
          <button type="button" title="Larger (+)" onClick={() => zoom(1.25)}>
            +
          </button>
          <button type="button" title="Follow the current state (f)" aria-pressed={!seen} onClick={followState}>
            follow
          </button>
          <button type="button" title="The whole drawing (w)" onClick={showWhole}>
            whole
          </button>
        </span>
      </header>
      {drawing === undefined && <p class="none">There is no drawing of {kind || 'this'}.</p>}
      <div
        class="drawing"
        ref={frame}
        onWheel={(event) => {
          event.preventDefault();
          if (event.ctrlKey || event.metaKey) zoom(event.deltaY < 0 ? 1.1 : 1 / 1.1);
          else pan(-event.deltaX, -event.deltaY);
        }}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={(event) => {
          if (event.buttons === 1) pan(event.movementX, event.movementY);
        }}
      />
    </section>
  );

  function pan(byX: number, byY: number): void {
    if (drawing === undefined) return;
    const { x, y, scale } = view.value ?? drawing.viewIn(size);
    view.value = { x: x - byX / scale, y: y - byY / scale, scale };
  }

  function showWhole(): void {
    if (drawing) view.value = drawing.wholeIn(size);
  }
}

export function followState(): void {
  view.value = undefined;
}

/** For keys. */
export function pressChartButton(title: string): void {
  document.querySelector<HTMLButtonElement>(`.chart button[title*="(${title})"]`)?.click();
}

class Drawing {
  readonly svg: SVGSVGElement;
  readonly #width: number;
  readonly #height: number;
  /** By what Graphviz calls them: "open", "open->closed", "cluster of open". */
  readonly #parts = new Map<string, SVGGElement>();
  #now: SVGGElement | undefined;

  /** @param source our own drawing, which is committed */
  constructor(source: string) {
    const parsed = new DOMParser().parseFromString(source, 'image/svg+xml').documentElement;
    this.svg = document.importNode(parsed, true) as unknown as SVGSVGElement;
    const [, , width = 1, height = 1] = (this.svg.getAttribute('viewBox') ?? '').split(/\s+/).map(Number);
    this.#width = width;
    this.#height = height;
    for (const title of this.svg.querySelectorAll('g > title')) {
      const part = title.parentElement as unknown as SVGGElement;
      if (part.id !== 'graph0') this.#parts.set(title.textContent ?? '', part);
      // The browser would show it as a tip.
      if (part.classList.contains('cluster')) title.remove();
    }
  }

  light(step: Step | undefined): void {
    for (const part of this.svg.querySelectorAll('.now, .around, .taken, .left, .asked')) {
      part.classList.remove('now', 'around', 'taken', 'left', 'asked');
    }
    this.#now = undefined;
    if (step === undefined) return;
    const { from, to, source, target } = step;
    this.#now = this.#parts.get(to);
    this.#now?.classList.add('now');
    for (const group of groupsOf(to)) this.#parts.get(`cluster of ${group}`)?.classList.add('around');
    if (from !== to) this.#parts.get(from)?.classList.add('left');
    if (source === undefined) return;
    if (target === undefined || target === source) this.#part(source, 'every state of')?.classList.add('asked');
    else this.#arrow(source, target)?.classList.add('taken');
    if (target !== undefined && target !== to) {
      for (const group of [target, ...groupsOf(to)]) this.#initialArrow(group)?.classList.add('taken');
    }
  }

  show(size: Size, view: View | undefined): void {
    const { x, y, scale } = view ?? this.viewIn(size);
    const { width, height } = size;
    this.svg.setAttribute('width', `${width}`);
    this.svg.setAttribute('height', `${height}`);
    this.svg.setAttribute('viewBox', `${x} ${y} ${width / scale} ${height / scale}`);
  }

  /** All of it where that can be read, else what is around the current state. */
  viewIn(size: Size): View {
    const whole = this.wholeIn(size);
    if (whole.scale >= READABLE * 0.8 || this.#now === undefined) return whole;
    const { x, y, width, height } = this.#now.getBBox();
    const { e, f } = this.svg.querySelector<SVGGElement>('#graph0')?.transform.baseVal.consolidate()?.matrix ?? {
      e: 0,
      f: 0,
    };
    const [across, down] = [size.width / READABLE, size.height / READABLE];
    const place = (middle: number, seen: number, all: number) =>
      seen >= all ? (all - seen) / 2 : Math.max(0, Math.min(all - seen, middle - seen / 2));
    return {
      x: place(x + width / 2 + e, across, this.#width),
      y: place(y + height / 2 + f, down, this.#height),
      scale: READABLE,
    };
  }

  wholeIn({ width, height }: Size): View {
    const scale = Math.min(1, width / this.#width, height / this.#height) || 1;
    return { x: (this.#width - width / scale) / 2, y: (this.#height - height / scale) / 2, scale };
  }

  zoomed(size: Size, view: View | undefined, factor: number): View {
    const { x, y, scale } = view ?? this.viewIn(size);
    const next = Math.max(SMALLEST, Math.min(LARGEST, scale * factor));
    const [across, down] = [size.width / 2, size.height / 2];
    return { x: x + across / scale - across / next, y: y + down / scale - down / next, scale: next };
  }

  #part(path: string, group: string): SVGGElement | undefined {
    return this.#parts.get(path) ?? this.#parts.get(`${group} ${path}`);
  }

  #arrow(source: string, target: string): SVGGElement | undefined {
    const starts = [source, `every state of ${source}`];
    const ends = [target, `first of ${target}`];
    for (const start of starts) {
      for (const end of ends) {
        const part = this.#parts.get(`${start}->${end}`);
        if (part !== undefined) return part;
      }
    }
    return undefined;
  }

  /** From the dot of a group to the state that is entered first. */
  #initialArrow(group: string): SVGGElement | undefined {
    const title = [...this.#parts.keys()].find((name) => name.startsWith(`first of ${group}->`));
    return title === undefined ? undefined : this.#parts.get(title);
  }
}

/** The groups that a state is in, the innermost first; '' is the machine. */
function groupsOf(path: string): string[] {
  const keys = path.split('.');
  return keys.map((_, i) => keys.slice(0, keys.length - 1 - i).join('.'));
}
