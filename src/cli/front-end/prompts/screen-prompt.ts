/** A prompt that fills the terminal: a title, items to move in or lines to read, where things stand, and the keys that lead on. */
import {
  createPrompt,
  isEnterKey,
  type KeypressEvent,
  useEffect,
  useKeypress,
  usePagination,
  useRef,
  useState,
} from '@inquirer/core';
import type { Paint } from '../../output/output.ts';
import { truncate, wrapText } from '../../render/wrap.ts';
import { isPaste } from '../key-input.ts';
import { keyLines } from '../key-lines.ts';
import { answerOf, type Item, type Key, type Screen, type ScreenAnswer } from '../screen.ts';
import { besideEachOther, columnsOf } from './beside.ts';
import {
  linesFrom,
  type Movement,
  moveInList,
  moveInText,
  movementOf,
  moveTo,
  type Position,
  startAt,
} from './position.ts';

export interface ScreenPromptConfig {
  readonly screen: Screen;
  readonly paint: Paint;
  readonly size: () => { readonly columns: number; readonly rows: number };
  /** Calls back when all of it has to be drawn anew, as when the size has changed; returns the way to stop that. */
  readonly onRedraw: (changed: () => void) => () => void;
}

/** The cursor, and as much room beside the items it is not on. */
const POINTER = '❯ ';
const MARGIN = '  ';
const HIDDEN_CURSOR = '\u001B[?25l';

export const screenPrompt = createPrompt<ScreenAnswer, ScreenPromptConfig>((config, done) => {
  const { screen, paint } = config;
  const [, setRenders] = useState(0);
  const [wasPasted, setWasPasted] = useState(false);
  const position = useRef<Position | undefined>(undefined);
  const arrivals = useRef<Arrivals>({ known: new Set(), unseen: new Set() });
  const returning = useRef(screen.returning ?? { backTo: '' }).current;
  const renderAgain = () => setRenders((renders) => renders + 1);

  useEffect(() => {
    const stops = [screen.subscribe(renderAgain), config.onRedraw(renderAgain)];
    return () => {
      for (const stop of stops) stop();
    };
  }, []);

  const { columns, rows } = config.size();
  const items = screen.items();
  const ignored = wasPasted ? wrapText(paint('yellow', aboutPaste(screen)), columns) : [];
  const status = [...ignored, ...screen.status(columns)];
  const keys = keyLines(screen.keys, columns, paint);
  // The last row stays free: a full one would scroll.
  const pageSize = Math.max(1, rows - keys.length - status.length - 2);
  const { list: listColumns, beside } = columnsOf(screen, columns, items.length);
  const linesOf = (index: number) => linesIn(items[index], listColumns - MARGIN.length, beside > 0);
  const list = { ids: items.map(({ id }) => id), linesOf, pageSize };
  const current = startAt(position.current, screen, list);
  position.current = current;
  const below = newBelow(arrivals.current, list.ids, current.index, screen);
  const canReturn = returning.backTo !== current.item && list.ids.includes(returning.backTo);
  const title = titleLine(screen, { below, canReturn }, columns, paint);

  const comeTo = (next: Position) => {
    position.current = next;
    if (next.item === returning.backTo) returning.backTo = '';
    if (next.index === 0) screen.reachedTop?.();
    // What one leaves was under the cursor, and so was seen.
    for (const item of [current.item, next.item]) if (item !== undefined) screen.visited?.(item);
    renderAgain();
  };
  const move = (movement: Movement) => {
    const isJump = !screen.isText && (movement === 'top' || movement === 'bottom');
    const next = screen.isText ? moveInText(current, movement, list) : moveInList(current, movement, list);
    if (isJump && current.item !== undefined && next.item !== current.item) returning.backTo = current.item;
    comeTo(next);
  };
  useKeypress((key) => {
    setWasPasted(isPaste(key));
    if (isPaste(key)) return;
    const pressed = keyOf(key, screen);
    const movement = movementOf(key);
    if (pressed !== undefined) done(answerOf(pressed, current.item ?? ''));
    else if (movement !== undefined) move(movement);
    else if (sequenceOf(key) === "'" && canReturn) {
      const { backTo } = returning;
      returning.backTo = '';
      comeTo(moveTo(backTo, list));
    }
  });

  const page = usePagination({
    items,
    active: Math.max(0, current.index),
    pageSize,
    loop: false,
    renderItem: ({ isActive, index }) => {
      const lines = isActive ? linesOf(index).slice(current.scrolled).slice(0, pageSize) : linesOf(index);
      return lines.map((line, row) => (isActive && row === 0 ? paint('cyan', POINTER) : MARGIN) + line).join('\n');
    },
  });
  const text =
    items.length === 0
      ? wrapText(paint('dim', screen.empty), columns - MARGIN.length)
      : linesFrom(current.scrolled, list);
  const shown = screen.isText || items.length === 0 ? text.map((line) => MARGIN + line) : page.split('\n');
  const padding = Array.from({ length: Math.max(0, pageSize - shown.length) }, () => '');
  const body = screen.from === 'bottom' ? [...padding, ...shown] : [...shown, ...padding];
  const more = beside === 0 ? [] : (screen.beside?.(current.item ?? '', { columns: beside, rows: pageSize }) ?? []);
  const whole = beside === 0 ? body : besideEachOther(body, more, listColumns, paint);
  return `${[title, ...whole, ...status, ...keys].join('\n')}${HIDDEN_CURSOR}`;
});

/** None of its letters is a key: it was meant for another window, or for a message. */
function aboutPaste({ keys }: Screen): string {
  const writing = keys.find(({ action }) => action === 'post');
  return `What was pasted was ignored${writing === undefined ? '' : `: press ${writing.key} first to write a message`}.`;
}

function linesIn(item: Item | undefined, columns: number, isShort: boolean): readonly string[] {
  if (item === undefined) return [];
  return isShort && item.short !== undefined ? item.short(columns) : item.lines(columns);
}

/** BOUNDED by the items of the screen. */
interface Arrivals {
  /** Items of the last time. */
  known: ReadonlySet<string>;
  /** What has come since the cursor was last behind it. */
  unseen: ReadonlySet<string>;
}

/** How many items have arrived behind the cursor, which stays where it is, or were not seen there before. */
function newBelow(arrivals: Arrivals, ids: readonly string[], cursor: number, screen: Screen): number {
  const { known, unseen } = arrivals;
  const isNew = (id: string) =>
    unseen.has(id) || (known.size > 0 && !known.has(id)) || (screen.isUnseen?.(id) ?? false);
  arrivals.unseen = new Set(ids.slice(cursor + 1).filter(isNew));
  arrivals.known = new Set(ids);
  return arrivals.unseen.size;
}

interface Whereabouts {
  readonly below: number;
  readonly canReturn: boolean;
}

function titleLine(screen: Screen, { below, canReturn }: Whereabouts, columns: number, paint: Paint): string {
  const isCounted = below > 0 && !screen.isText && screen.from === 'bottom';
  const parts = [
    paint('bold', screen.title()),
    ...(isCounted ? [paint('cyan', `${below} new below: G goes there`)] : []),
    ...(canReturn ? [paint('cyan', "' goes back to where you were")] : []),
    ...(screen.aside === undefined || screen.aside() === '' ? [] : [paint('dim', screen.aside())]),
  ];
  return truncate(parts.join('  '), columns);
}

function keyOf(event: KeypressEvent, screen: Screen): Key | undefined {
  if (event.ctrl) return undefined;
  // A key may be named by what it types, too: "?" has no name of its own.
  return screen.keys.find(({ key }) =>
    key === 'enter' ? isEnterKey(event) : key === event.name ? !event.shift : key === sequenceOf(event),
  );
}

function sequenceOf(event: KeypressEvent): string {
  return (event as KeypressEvent & { readonly sequence?: string }).sequence ?? '';
}
