/** A list of any length, of which only what is seen is drawn. */
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { px } from './text.ts';

interface VirtualProps {
  readonly class: string;
  readonly label: string;
  readonly count: number;
  readonly rowHeight: number;
  /** The row to be kept in sight. */
  readonly at?: number | undefined;
  /** The place in that row to be kept in sight. */
  readonly atX?: number | undefined;
  /** Stays on top. */
  readonly head?: ComponentChildren;
  readonly headHeight?: number;
  readonly width?: number | undefined;
  readonly onWidth?: (width: number) => void;
  /** Draws the rows from `first` up to `last`. */
  readonly draw: (first: number, last: number) => ComponentChildren;
}

/** Pixels that are wanted beside what is to be seen. */
const SIDE = 90;

/** Chromium and Firefox make no element higher than some millions of pixels. */
const HIGHEST = 8_000_000;

export function Virtual({
  class: name,
  label,
  count,
  rowHeight,
  at,
  atX,
  head,
  headHeight = 0,
  width,
  onWidth,
  draw,
}: VirtualProps) {
  const frame = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(400);
  const whole = count * rowHeight;
  // Of a list that is too high, a pixel of the scroll bar is more than one of the list.
  const shown = Math.min(whole, HIGHEST);
  const stretch = shown <= height || whole <= height ? 1 : (whole - height) / (shown - height);
  const listTop = top * stretch;
  useLayoutEffect(() => {
    const { current } = frame;
    if (current === null) return undefined;
    const watcher = new ResizeObserver(() => {
      setHeight(current.clientHeight - headHeight);
      onWidth?.(current.clientWidth);
    });
    watcher.observe(current);
    return () => watcher.disconnect();
  }, [headHeight, onWidth]);
  useLayoutEffect(() => {
    const { current } = frame;
    if (current === null || at === undefined || at < 0) return;
    const [rowTop, rowEnd] = [at * rowHeight, (at + 1) * rowHeight];
    const seenTop = current.scrollTop * stretch;
    const margin = Math.min(rowHeight * 2, height / 4);
    if (rowTop >= seenTop + margin && rowEnd <= seenTop + height - margin) return;
    const isFar = rowTop < seenTop - height || rowTop > seenTop + 2 * height;
    const to = isFar ? rowTop - height / 2 : rowTop < seenTop + margin ? rowTop - margin : rowEnd - height + margin;
    current.scrollTop = to / stretch;
    setTop(current.scrollTop);
  }, [at, height, stretch, rowHeight]);
  useLayoutEffect(() => {
    const { current } = frame;
    if (current === null || atX === undefined) return;
    const { scrollLeft, clientWidth } = current;
    if (atX < scrollLeft + SIDE || atX > scrollLeft + clientWidth - SIDE) current.scrollLeft = atX - clientWidth / 2;
  }, [at, atX]);
  const first = Math.max(0, Math.floor(listTop / rowHeight));
  const last = Math.min(count, first + Math.ceil(height / rowHeight) + 2);
  return (
    <section
      class={`virtual ${name}`}
      aria-label={label}
      ref={frame}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
    >
      {head}
      <div style={{ height: px(shown), width: width === undefined ? 'auto' : px(width), position: 'relative' }}>
        <div style={{ position: 'absolute', left: '0', right: '0', top: px(top - (listTop - first * rowHeight)) }}>
          {draw(first, last)}
        </div>
      </div>
    </section>
  );
}
