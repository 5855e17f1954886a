/** Draws the figures of docs/congestion.md: `node test/support/congestion/draw.ts`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { Download, queueing, roundTripMs, SharedLink, use } from './downloads.ts';
import { drawFigure, type Figure } from './plot.ts';

const folder = new URL('../../../docs/performance/', import.meta.url);
const RATES = [1, 10, 100];
const TRIPS = [10, 50, 200];
const LOSSES = [0, 0.01, 0.05];
const columns = RATES.flatMap((megabits) => TRIPS.map((trip) => ({ megabits, trip })));

mkdirSync(folder, { recursive: true });

const measured = LOSSES.map((loss) =>
  columns.map(({ megabits, trip }) => {
    const link = new SharedLink({ bitsPerSecond: megabits * 1e6, roundTripMs: trip, loss }, 1);
    const download = new Download(link);
    download.start();
    const startedMs = Math.max(2_000, 20 * trip);
    link.clock.advanceTimersOnly(2 * startedMs);
    return {
      use: 100 * use(link, [download], startedMs, 2 * startedMs),
      queued: queueing(link, 0.95, startedMs) / roundTripMs(link),
    };
  }),
);
const xTicks = columns.map(({ megabits, trip }, x) => ({ x, label: `${megabits} / ${trip}` }));
const barsOf = (value: 'use' | 'queued') =>
  LOSSES.map((loss, i) => ({
    name: `${100 * loss} % lost each way`,
    points: (measured[i] ?? []).map((figures, x) => ({ x, y: figures[value] })),
  }));
const routes = { xLabel: 'rate in Mbit/s / round trip in ms', xTicks, kind: 'bars' } as const;

write('link-use', {
  ...routes,
  title: 'Share of the link that one download uses, once it has started',
  yLabel: '% of the rate',
  yTicks: [0, 25, 50, 75, 100].map((y) => ({ y, label: `${y}` })),
  series: barsOf('use'),
  mark: 85,
});
write('queueing', {
  ...routes,
  title: 'How long 95 % of the datagrams wait at most',
  yLabel: 'round trips',
  yTicks: [0, 0.25, 0.5, 0.75, 1].map((y) => ({ y, label: `${y}` })),
  series: barsOf('queued'),
  mark: 1,
});
write('sharing', sharing());

/** Both rates, second by second. */
function sharing(): Figure {
  const link = new SharedLink({ bitsPerSecond: 10e6, roundTripMs: 50, loss: 0.01 }, 2);
  const downloads = [new Download(link), new Download(link)] as const;
  downloads[0].start();
  link.clock.advanceTimersOnly(5_000);
  downloads[1].start();
  link.clock.advanceTimersOnly(25_000);
  const seconds = Array.from({ length: 30 }, (_, second) => second);
  const rateIn = (download: Download, second: number) => {
    const bytes = download.deliveries.filter(({ atMs }) => Math.floor(atMs / 1_000) === second).length * 1_260;
    return (bytes * 8) / 1e6;
  };
  return {
    title: 'Two downloads share 10 Mbit/s at 50 ms, 1 % lost each way',
    xLabel: 'seconds',
    yLabel: 'Mbit/s',
    kind: 'lines',
    xTicks: [0, 5, 10, 15, 20, 25, 30].map((x) => ({ x, label: `${x}` })),
    yTicks: [0, 2.5, 5, 7.5, 10].map((y) => ({ y, label: `${y}` })),
    series: downloads.map((download, i) => ({
      name: i === 0 ? 'from the beginning' : 'begun after 5 s',
      points: seconds.map((x) => ({ x: x + 0.5, y: rateIn(download, x) })),
    })),
  };
}

function write(name: string, figure: Figure): void {
  writeFileSync(new URL(`${name}.svg`, folder), drawFigure(figure));
}
