/** Messages between actors: time goes down, each actor has a line, each moment a row. */
import { computed, signal } from '@preact/signals';
import { ArrowTip, TIP } from './arrow-tip.tsx';
import type { Actor, Moment } from './run.ts';
import { choose, filter, folded, go, grown, length, matcher, nameOf, position, run } from './state.ts';
import { countText, plain, px, sinceText } from './text.ts';
import { Virtual } from './virtual.tsx';

const ROW = 26;
const HEAD = 42;
const GUTTER = 120;
const NARROWEST = 68;
const WIDEST = 260;
/** Moments that share their columns: these change seldom, and not at every step. */
const BLOCK = 200;

interface Column {
  readonly actor: Actor | undefined;
  readonly x: number;
}

/** The actor on whose line it is drawn. */
function lineOf(of: Actor | undefined): Actor | undefined {
  let at = of;
  while (at?.parent !== undefined && folded.value.has(at.kind)) at = at.parent;
  return at;
}

const block = computed(() => Math.floor(Math.max(0, position.value) / BLOCK));

interface Columns {
  readonly all: readonly Column[];
  readonly at: ReadonlyMap<Actor | undefined, number>;
  /** Pixels of one column, and of all with what stands before them. */
  readonly each: number;
  readonly width: number;
}

/** Pixels that the pane has. */
const room = signal(800);

const columns = computed<Columns>(() => {
  grown.value;
  const seen = new Set<Actor | undefined>();
  const from = Math.max(0, (block.value - 1) * BLOCK);
  for (const { actor, message } of run.value.moments.slice(from, (block.value + 2) * BLOCK)) {
    seen.add(lineOf(actor));
    if (message !== undefined) seen.add(lineOf(message.from));
  }
  // Sorting by itself puts undefined last.
  const sorted = [...seen].map((actor) => ({ actor })).sort((a, b) => rank(a.actor) - rank(b.actor));
  const each = Math.max(NARROWEST, Math.min(WIDEST, (room.value - GUTTER) / (sorted.length + 0.6)));
  const all = sorted.map(({ actor }, i) => ({ actor, x: GUTTER + each * (i + 0.5) }));
  const width = Math.max(room.value, GUTTER + each * (all.length + 0.6));
  return { all, at: new Map(all.map(({ actor, x }) => [actor, x])), each, width };
});

/** What is outside comes first, then sockets: so messages go from the network to the right, and back. */
const ORDER = ['socket', 'request', 'incoming-session', 'outgoing-session', 'directory-client'];
function rank(actor: Actor | undefined): number {
  if (actor === undefined) return -1;
  const place = ORDER.indexOf(actor.kind);
  const isRoot = actor.parent === undefined;
  return (isRoot ? 90 : place === -1 ? 95 : place) * 1e6 + actor.number;
}

const kinds = computed(() => {
  grown.value;
  return [...new Set(run.value.actors.filter(({ parent }) => parent !== undefined).map(({ kind }) => kind))].sort();
});

export function Moments() {
  const { width } = columns.value;
  return (
    <section class="pane moments" aria-label="Messages">
      <header>
        <h2>Messages</h2>
        <span class="tools">
          <span class="quiet">lines:</span>
          {kinds.value.map((kind) => (
            <button
              type="button"
              key={kind}
              aria-pressed={!folded.value.has(kind)}
              title={`A line for each ${kind}, or all in their parent's line`}
              onClick={() => fold(kind)}
            >
              {kind}
            </button>
          ))}
        </span>
      </header>
      {run.value.forgotten > 0 && <p class="none">{countText(run.value.forgotten)} earlier moments are not kept.</p>}
      <Virtual
        class="rows"
        label="Messages in the order of time"
        count={length.value}
        rowHeight={ROW}
        at={position.value}
        atX={columns.value.at.get(lineOf(run.value.moments[position.value]?.actor))}
        head={<Heads />}
        headHeight={HEAD}
        width={width}
        onWidth={setRoom}
        draw={(first, last) => <Rows first={first} last={last} />}
      />
    </section>
  );
}

function setRoom(width: number): void {
  room.value = width;
}

function Heads() {
  const { all, each, width } = columns.value;
  return (
    <div class="heads" style={{ width: px(width), height: px(HEAD) }}>
      {all.map(({ actor, x }) => (
        <button
          type="button"
          key={actor?.number ?? -1}
          class="head"
          style={{ left: px(x - each / 2 + 3), width: px(each - 6) }}
          title={actor === undefined ? 'Effects, timers and the program' : plain(actor.path)}
          disabled={actor === undefined}
          onClick={() => choose(actor)}
        >
          <span class="kind">{actor === undefined ? 'outside' : actor.kind}</span>
          <span>{plain(actor?.key ?? '')}</span>
        </button>
      ))}
    </div>
  );
}

function Rows({ first, last }: { first: number; last: number }) {
  const { all, width } = columns.value;
  const shown = run.value.moments.slice(first, last);
  const matches = matcher(filter.value);
  const { startedAtMs } = run.value.header;
  const height = shown.length * ROW;
  return (
    <div style={{ width: px(width), height: px(height), position: 'relative' }}>
      {shown.map((of, i) => {
        const index = first + i;
        const isNow = index === position.value;
        const before = run.value.moments[index - 1];
        const time = of.atMs === before?.atMs ? '' : sinceText(of.atMs - startedAtMs);
        const entry = of.seq > 0 && of.seq !== before?.seq ? `${of.seq}` : '';
        return (
          <button
            type="button"
            key={index}
            class={`moment${isNow ? ' now' : ''}${index > position.value ? ' later' : ''}${matches(of) ? '' : ' other'}`}
            style={{ top: px(i * ROW), height: px(ROW) }}
            aria-current={isNow}
            aria-label={`${time} ${entry} ${sentence(of)}`}
            onClick={() => {
              choose(undefined);
              go(index);
            }}
          >
            <span class="time">{time}</span> <span class="entry">{entry}</span>
          </button>
        );
      })}
      <svg class="lines" width={width} height={height} aria-hidden="true">
        <ArrowTip />
        {all.map(({ actor, x }) => (
          <line key={actor?.number ?? -1} class="life" x1={x} x2={x} y1={0} y2={height} />
        ))}
        {shown.map((of, i) => (
          <Arrow key={first + i} of={of} index={first + i} first={first} isOther={!matches(of)} />
        ))}
      </svg>
    </div>
  );
}

interface ArrowProps {
  readonly of: Moment;
  readonly index: number;
  readonly first: number;
  readonly isOther: boolean;
}

function Arrow({ of, index, first, isOther }: ArrowProps) {
  const { at } = columns.value;
  const to = at.get(lineOf(of.actor));
  if (to === undefined) return null;
  const from = of.message === undefined ? to : (at.get(lineOf(of.message.from)) ?? to);
  const y = (index - first + 0.5) * ROW + 4;
  const isNow = index === position.value;
  const isLater = index > position.value;
  // For the current one, both ends are shown where they are.
  const sentAt = (of.message?.sentAfter ?? -1) - run.value.forgotten;
  const startY = isNow && sentAt >= 0 && from !== to ? (sentAt - first + 0.5) * ROW + 4 : y;
  const text = plain(of.step?.event ?? of.message?.type ?? '', 60);
  const name = `arrow${isNow ? ' now' : ''}${isLater ? ' later' : ''}${isOther ? ' other' : ''}${of.step === undefined ? ' lost' : ''}`;
  const goesRight = to >= from;
  return (
    <g class={name}>
      {from !== to && <line class="way" x1={from} y1={startY} x2={to + (goesRight ? -5 : 5)} y2={y} marker-end={TIP} />}
      {isNow && startY !== y && <circle class="start" cx={from} cy={startY} r={4} />}
      <circle class={isChange(of) ? 'dot changes' : 'dot'} cx={to} cy={y} r={isChange(of) ? 4.5 : 3} />
      {from === to ? (
        <text x={to + 10} y={y + 4}>
          {text}
          <tspan class="to">{stateOf(of)}</tspan>
        </text>
      ) : (
        <>
          <text x={(from + to) / 2} y={y - 5} text-anchor="middle">
            {text}
          </text>
          <text class="to" x={to + (goesRight ? 9 : -9)} y={y + 4} text-anchor={goesRight ? 'start' : 'end'}>
            {stateOf(of)}
          </text>
        </>
      )}
    </g>
  );
}

function isChange({ step }: Moment): boolean {
  return step !== undefined && (step.from !== step.to || step.status !== undefined);
}

/** Where it led. Of a folded actor it would be read as its parent's. */
function stateOf(of: Moment): string {
  if (of.step === undefined) return ' had ended';
  if (!isChange(of)) return '';
  const who = lineOf(of.actor) === of.actor ? '' : `${nameOf(of.actor)} `;
  const { status, to } = of.step;
  return ` ${who}${status === 'stopped' || status === 'error' ? `${to} ${status}` : to}`;
}

function sentence(of: Moment): string {
  const from = of.message === undefined ? '' : `${nameOf(of.message.from)} to `;
  return `${from}${nameOf(of.actor)}: ${plain(of.step?.event ?? of.message?.type ?? '')}${stateOf(of)}`;
}

function fold(kind: string): void {
  const next = new Set(folded.value);
  if (!next.delete(kind)) next.add(kind);
  folded.value = next;
}
