/** What goes between systems: time goes down, each has a line, each step that sends or gets datagrams a row. */
import { computed, signal } from '@preact/signals';
import type { JSX } from 'preact';
import { ArrowTip, TIP } from './arrow-tip.tsx';
import type { Arrow, Row } from './crossings.ts';
import { crossings, row as currentRow, goToRow, grown, run, runs, showRun } from './state.ts';
import { plain, px, sinceText } from './text.ts';
import { Virtual } from './virtual.tsx';

const ROW = 26;
const GUTTER = 92;
const NARROWEST = 118;
/** Rows above those that are seen, whose arrows may still be on their way. */
const LONG_WAY = 400;
/** What is under way for longer counts as lost. */
const PATIENCE_MS = 1_000;

/** How the heads of the lanes are drawn: the lab has more to say of them. */
export const heads = signal<{ readonly height: number; readonly draw: (lane: string) => JSX.Element }>({
  height: 34,
  draw: (lane) => (
    <button type="button" class="lane-name" onClick={() => showLane(lane)}>
      {plain(lane)}
    </button>
  ),
});

const room = signal(900);
const each = computed(() => {
  grown.value;
  return Math.max(NARROWEST, (room.value - GUTTER) / Math.max(1, crossings.value.lanes.length));
});
const xOf = (lane: number) => GUTTER + each.value * (lane + 0.5);

/** The last start of it. */
export function showLane(lane: string): void {
  showRun(runs.value.findLastIndex(({ header }) => header.name === lane));
}

export function Network() {
  grown.value;
  const { rows, lanes } = crossings.value;
  const { height, draw } = heads.value;
  const width = Math.max(room.value, GUTTER + each.value * lanes.length);
  return (
    <section class="pane network" aria-label="Datagrams between systems">
      <Virtual
        class="rows"
        label="Datagrams in the order of time"
        count={rows.length}
        rowHeight={ROW}
        at={currentRow.value?.index}
        head={
          <div class="heads" style={{ width: px(width), height: px(height) }}>
            {lanes.map((lane, i) => (
              <div key={lane} class="lane-head" style={{ left: px(xOf(i) - each.value / 2), width: px(each.value) }}>
                {draw(lane)}
              </div>
            ))}
          </div>
        }
        headHeight={height}
        width={width}
        onWidth={setRoom}
        draw={(first, last) => <Rows {...{ first, last, width }} />}
      />
      {rows.length === 0 && <p class="none">No datagrams yet.</p>}
    </section>
  );
}

function setRoom(width: number): void {
  room.value = width;
}

function Rows({ first, last, width }: { first: number; last: number; width: number }) {
  const { rows, lanes } = crossings.value;
  const shown = rows.slice(first, last);
  const here = currentRow.value?.index ?? -1;
  const height = shown.length * ROW;
  const arriving = rows
    .slice(Math.max(0, first - LONG_WAY), first)
    .flatMap(({ sent }) => sent)
    .filter(({ to }) => to !== undefined && to.index >= first);
  return (
    <div style={{ width: px(width), height: px(height), position: 'relative' }}>
      {shown.map((of, i) => {
        const time = of.atMs === rows[of.index - 1]?.atMs ? '' : sinceText(of.atMs - startMs());
        return (
          <button
            type="button"
            key={of.index}
            class={`moment${of.index === here ? ' now' : ''}`}
            style={{ top: px(i * ROW), height: px(ROW) }}
            aria-current={of.index === here}
            aria-label={`${time} ${sentence(of)}`}
            onClick={() => goToRow(of)}
          >
            <span class="time">{time}</span>
          </button>
        );
      })}
      <svg class="lines" width={width} height={height} aria-hidden="true">
        <ArrowTip />
        {lanes.map((lane, i) => (
          <line key={lane} class="life" x1={xOf(i)} x2={xOf(i)} y1={0} y2={height} />
        ))}
        {[...arriving, ...shown.flatMap(({ sent }) => sent)].map((arrow, i) => (
          <Way key={`${arrow.from.index} ${i}`} arrow={arrow} first={first} here={here} />
        ))}
        {shown.map((of) => (
          <Dot key={of.index} of={of} first={first} here={here} />
        ))}
      </svg>
    </div>
  );
}

const startMs = () => run.value.header.startedAtMs;

function Dot({ of, first, here }: { of: Row; first: number; here: number }) {
  const [x, y] = [xOf(of.lane), (of.index - first + 0.5) * ROW];
  const when = of.index > here ? ' later' : of.index === here ? ' now' : '';
  if (of.note === undefined) return <circle class={`dot${when}`} cx={x} cy={y} r={of.index === here ? 5 : 3} />;
  const isRight = of.lane < crossings.value.lanes.length - 1 || of.lane === 0;
  return (
    <g class={`note${when}`}>
      <rect x={x - 4.5} y={y - 4.5} width={9} height={9} transform={`rotate(45 ${x} ${y})`} />
      <text x={x + (isRight ? 12 : -12)} y={y + 4} text-anchor={isRight ? 'start' : 'end'}>
        {plain(of.note, 160)}
      </text>
    </g>
  );
}

function Way({ arrow, first, here }: { arrow: Arrow; first: number; here: number }) {
  const { from, to, type, count, address, isAgain } = arrow;
  const { rows, lanes } = crossings.value;
  const owner = crossings.value.ownerOf(address);
  const lane = to?.lane ?? owner ?? from.lane + (from.lane === lanes.length - 1 ? -1 : 1);
  const isUnderWay = to === undefined && (rows.at(-1)?.atMs ?? 0) - from.atMs < PATIENCE_MS;
  // To somebody whose journal is not here: nobody knows what became of it.
  const isElsewhere = to === undefined && owner === undefined && !from.run.header.isLive;
  const goesRight = lane > from.lane;
  const [x1, y1] = [xOf(from.lane), (from.index - first + 0.5) * ROW];
  const [endX, endY] = [xOf(lane), ((to?.index ?? from.index + 0.6) - first + 0.5) * ROW];
  const [x2, y2] = to === undefined ? [x1 + (endX - x1) * 0.55, endY] : [endX + (goesRight ? -4 : 4), endY];
  const isNow = from.index === here || to?.index === here;
  const kind = to === undefined ? (isUnderWay || isElsewhere ? ' under-way' : ' lost') : isAgain ? ' again' : '';
  const name = `way-of${kind}${isNow ? ' now' : ''}${from.index > here ? ' later' : ''}`;
  const text = `${type}${count > 1 ? ` ×${count}` : ''}${isElsewhere ? ` to ${address}` : kind === ' lost' ? ' lost' : ''}`;
  // Beside its beginning, where no other arrow has come between.
  const along = Math.min(0.5, 70 / Math.max(1, Math.abs(x2 - x1)));
  const [labelX, labelY] = [x1 + (x2 - x1) * along, y1 + (y2 - y1) * along - 4];
  return (
    <g class={name}>
      <line x1={x1} y1={y1} x2={x2} y2={y2} {...(to && { 'marker-end': TIP })} />
      {kind === ' lost' && <path class="cross" d={`M${x2 - 4},${y2 - 4}l8,8m0,-8l-8,8`} />}
      <text x={labelX} y={labelY} text-anchor="middle" class={groupOf(type)}>
        {text}
      </text>
    </g>
  );
}

const GROUPS: Readonly<Record<string, string>> = {
  Hello: 'hello',
  HelloReply: 'hello',
  RootRequest: 'root',
  Root: 'root',
  Error: 'error',
  NatTraversalClient: 'nat',
  NatTraversalServer: 'nat',
};

function groupOf(type: string): string {
  return `type ${GROUPS[type] ?? 'node'}`;
}

function sentence(of: Row): string {
  const { lanes } = crossings.value;
  const who = plain(lanes[of.lane] ?? '');
  if (of.note !== undefined) return `${who}: ${plain(of.note)}`;
  if (of.sent.length === 0) return `${who} gets datagrams`;
  const whom = ({ to }: Arrow) => (to === undefined ? 'without being received' : `to ${plain(lanes[to.lane] ?? '')}`);
  return `${who} sends ${of.sent.map((arrow) => `${arrow.type} ${whom(arrow)}`).join(', ')}`;
}
