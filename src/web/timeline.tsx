/** Time travel: a slider, buttons, and the filter that they go by. */
import { computed, signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { countUntil, type Moment, type Run } from './run.ts';
import {
  actor,
  filter,
  go,
  goOfActor,
  goToDifference,
  goToMatch,
  grown,
  isFollowing,
  length,
  matcher,
  moment,
  nameOf,
  position,
  run,
  runs,
} from './state.ts';
import { countText, sinceText } from './text.ts';
import { theme } from './theme.ts';

export function Timeline() {
  const at = moment.value;
  const { startedAtMs, entries, isLive } = run.value.header;
  return (
    <section class="timeline" aria-label="Time">
      <Strip />
      <input
        type="range"
        min={-1}
        max={Math.max(0, length.value - 1)}
        value={position.value}
        aria-label="Moment"
        aria-valuetext={`moment ${position.value + 1} of ${length.value}`}
        onInput={(event) => go(event.currentTarget.valueAsNumber)}
      />
      <div class="controls">
        <Group name="step">
          <Key title="First (Home)" onClick={() => go(-1)} text="|◀" />
          <Key title="Back (←)" onClick={() => go(position.value - 1)} text="◀" />
          <Key title="Forward (→)" onClick={() => go(position.value + 1)} text="▶" />
          <Key title="Last (End)" onClick={() => go(length.value)} text="▶|" />
        </Group>
        <Group name={nameOf(actor.value)}>
          <Key title="Back to a step of this actor (Shift ←)" onClick={() => goOfActor(-1)} text="◀" />
          <Key title="Next step of this actor (Shift →)" onClick={() => goOfActor(1)} text="▶" />
        </Group>
        <input
          id="filter"
          type="search"
          placeholder="filter: words, #entry  ( / )"
          aria-label="Filter: words of event, actor or state"
          value={filter.value}
          onInput={(event) => {
            filter.value = event.currentTarget.value;
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter') goToMatch(event.shiftKey ? -1 : 1);
            if (event.key === 'Escape') event.currentTarget.blur();
          }}
        />
        <Group name="match">
          <Key title="Match before (N)" onClick={() => goToMatch(-1)} text="◀" />
          <Key title="Next match (n)" onClick={() => goToMatch(1)} text="▶" />
        </Group>
        {runs.value[1]?.header.drop !== undefined && (
          <Key title="First difference (d)" onClick={goToDifference} text="first difference" />
        )}
        {isLive && (
          <Key
            title="Stay with what happens (l)"
            onClick={() => go(length.value)}
            text="live"
            isOn={isFollowing.value}
          />
        )}
        <output class="place">
          <b>{countText(position.value + 1)}</b> of {countText(length.value)}
          {at !== undefined && ` · ${sinceText(at.atMs - startedAtMs)}`}
          {at !== undefined &&
            at.seq > 0 &&
            ` · entry ${countText(at.seq)}${entries ? ` of ${countText(entries)}` : ''}`}
        </output>
      </div>
    </section>
  );
}

function Group({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <fieldset class="keys">
      <legend>{name}</legend>
      {children}
    </fieldset>
  );
}

interface KeyProps {
  readonly title: string;
  readonly text: string;
  readonly isOn?: boolean;
  readonly onClick: () => void;
}

function Key({ title, text, isOn, onClick }: KeyProps) {
  return (
    <button
      type="button"
      {...{ title, onClick }}
      aria-label={/[a-z]/.test(text) ? undefined : title}
      aria-pressed={isOn}
    >
      {text}
    </button>
  );
}

/** Where something happens, and where the chosen actor or the filter has a part in it. */
function Strip() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const of = actor.value;
  const text = filter.value;
  const count = length.value;
  useEffect(() => {
    const { current } = canvas;
    const context = current?.getContext('2d');
    if (!current || !context) return undefined;
    const width = current.clientWidth * devicePixelRatio;
    const height = current.clientHeight * devicePixelRatio;
    Object.assign(current, { width, height });
    const style = getComputedStyle(current);
    context.fillStyle = style.getPropertyValue('--strip');
    for (const x of placesOf(changes.value, count, width)) context.fillRect(x, 0, 1, height);
    context.fillStyle = style.getPropertyValue('--accent');
    for (const x of placesOf(of?.steps ?? [], count, width)) context.fillRect(x, height / 2, 1, height / 2);
    if (text === '') return undefined;
    context.fillStyle = style.getPropertyValue('--match');
    const { found, isWhole } = search(run.value, text);
    for (const x of placesOf(found, count, width)) context.fillRect(x, 0, 2, height / 2);
    if (isWhole) return undefined;
    const timer = setTimeout(() => {
      searchedOn.value += 1;
    });
    return () => clearTimeout(timer);
  }, [of, text, count, theme.value, searchedOn.value]);
  return <canvas class="strip" ref={canvas} />;
}

/** Moments that are searched at once: the page draws in between. */
const SEARCHED_AT_ONCE = 20_000;
const searchedOn = signal(0);

interface Search {
  readonly run: Run;
  readonly text: string;
  /** Counted from the first moment that ever was, as what was found is. */
  until: number;
  /** BOUNDED by the moments that were searched. */
  found: number[];
}

/** The one of the filter. A run grows: what was searched of it is not searched again. */
let searched: Search | undefined;

function search(of: Run, text: string): { found: number[]; isWhole: boolean } {
  const { moments, forgotten } = of;
  if (searched?.run !== of || searched.text !== text) searched = { run: of, text, until: 0, found: [] };
  const matches = matcher(text);
  const from = Math.max(0, searched.until - forgotten);
  const until = Math.min(moments.length, from + SEARCHED_AT_ONCE);
  for (let at = from; at < until; at++) if (matches(moments[at] as Moment)) searched.found.push(at + forgotten);
  searched.until = until + forgotten;
  searched.found = searched.found.slice(countUntil(searched.found, forgotten - 1));
  return { found: searched.found.map((at) => at - forgotten), isWhole: until === moments.length };
}

/** A mark for each pixel will do: of many moments, those nearest to it are looked for. */
function placesOf(moments: readonly number[], count: number, width: number): Set<number> {
  const placeOf = (at: number) => Math.round((at / Math.max(1, count - 1)) * (width - 1));
  if (moments.length <= 4 * width) return new Set(moments.map(placeOf));
  const places = new Set<number>();
  for (let x = 0; x < width; x++) {
    const next = moments[countUntil(moments, (x / width) * count)];
    if (next !== undefined && placeOf(next) - x <= 1) places.add(x);
  }
  return places;
}

/** Moments at which actors change their states; of very many, some. */
const changes = computed<readonly number[]>(() => {
  grown.value;
  const { moments } = run.value;
  const every = Math.max(1, Math.floor(moments.length / 16_384));
  const found: number[] = [];
  for (let at = 0; at < moments.length; at += every) {
    const step = moments[at]?.step;
    if (step !== undefined && step.from !== step.to) found.push(at);
  }
  return found;
});
