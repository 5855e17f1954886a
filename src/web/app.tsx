/** The page: panes around one instant, and the keys that move it. */
import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { Chart, followState, pressChartButton } from './chart.tsx';
import { Details } from './details.tsx';
import { Moments } from './moments.tsx';
import { Network } from './network.tsx';
import { goToOrigin, goToPost, nextList, Reading } from './reading.tsx';
import type { Run } from './run.ts';
import {
  choose,
  go,
  goByRow,
  goOfActor,
  goToDifference,
  goToMatch,
  helpIsOpen,
  isNetwork,
  layout,
  length,
  nextLayout,
  position,
  problem,
  run,
  runIndex,
  runs,
  section,
  showRun,
  VIEWS,
  type View,
  view,
} from './state.ts';
import { countText, plain } from './text.ts';
import { theme, toggleTheme } from './theme.ts';
import { Timeline } from './timeline.tsx';
import { Tree, toggleEnded } from './tree.tsx';
import { Section } from './why.tsx';

type KeyLine = readonly [keys: readonly string[], says: string, press: (event: KeyboardEvent) => void];

/** What a page has beside the panes: the lab its controls. */
export const extras = signal<{
  readonly tools?: () => JSX.Element;
  readonly panel?: () => JSX.Element;
  readonly keys: readonly KeyLine[];
}>({ keys: [] });

export function App() {
  useEffect(() => {
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  }, []);
  return (
    <>
      <Top />
      <Shown />
      <Timeline />
      {helpIsOpen.value && <Help />}
      <Section />
    </>
  );
}

function Shown() {
  if (view.value === 'reading') return <Reading />;
  return view.value === 'network' && hasNetwork() ? <NetworkView /> : <Machines />;
}

/** That of a lab is there before its systems are. */
function hasNetwork(): boolean {
  return isNetwork.value || extras.value.panel !== undefined;
}

function Machines() {
  return (
    <main class="machines">
      <Tree />
      <div class={`middle ${layout.value}`}>
        <Chart />
        <Moments />
      </div>
      <Details />
    </main>
  );
}

function NetworkView() {
  const { panel: Panel } = extras.value;
  return (
    <main class={`network-view${Panel ? ' with-panel' : ''}`}>
      {Panel && <Panel />}
      <Network />
    </main>
  );
}

/** What is between systems, or what is in one. */
function ViewSwitch() {
  const now = view.value === 'network' && !hasNetwork() ? 'machines' : view.value;
  return (
    <fieldset class="views">
      <legend class="unseen">View</legend>
      {VIEWS.filter((name) => name !== 'network' || hasNetwork()).map((name) => (
        <button
          type="button"
          key={name}
          aria-pressed={now === name}
          title={`${name} (${VIEWS.indexOf(name) + 1})`}
          onClick={() => setView(name)}
        >
          {name}
        </button>
      ))}
    </fieldset>
  );
}

function setView(to: View): void {
  view.value = to;
}

function Top() {
  const { header, remarks, isWhole } = run.value;
  const { tools: Tools } = extras.value;
  const isLoading = !isWhole && !header.isLive && problem.value === '';
  return (
    <header class="top">
      <h1>murmure</h1>
      <ViewSwitch />
      {Tools && <Tools />}
      {runs.value.length > 1 ? (
        <select
          aria-label="Run"
          value={runIndex.value}
          onChange={(event) => {
            showRun(event.currentTarget.selectedIndex);
          }}
        >
          {runs.value.map((it, i) => (
            <option key={i} value={i}>
              {titleOf(it.header)}
            </option>
          ))}
        </select>
      ) : (
        <span class="title">{titleOf(header)}</span>
      )}
      <span class="quiet" hidden={Tools !== undefined}>
        {header.isLive
          ? 'live'
          : isLoading
            ? `reading … ${countText(length.value)}`
            : `${countText(length.value)} moments`}
      </span>
      {problem.value !== '' && <strong class="problem">{plain(problem.value)}</strong>}
      {remarks.map((remark) => (
        <span class="remark" key={remark} title={plain(remark)}>
          {plain(remark)}
        </span>
      ))}
      <span class="tools">
        <button type="button" title="Light or dark (t)" onClick={toggleTheme}>
          {theme.value === 'dark' ? 'light' : 'dark'}
        </button>
        <button type="button" title="Keys (?)" aria-expanded={helpIsOpen.value} onClick={toggleHelp}>
          keys
        </button>
      </span>
    </header>
  );
}

function titleOf({ name, root, drop, start }: Run['header']): string {
  const which = start === undefined ? '' : `, start ${start}`;
  return `${plain(name)}${which}${drop === undefined ? '' : ` without entry ${drop}`} · ${root}`;
}

const READING_KEYS: readonly KeyLine[] = [
  [['ArrowDown'], 'the next message', () => goToPost(1)],
  [['ArrowUp'], 'the message before', () => goToPost(-1)],
  [['v'], 'timeline, thread, author', nextList],
  [['Enter'], 'to where the message came from', goToOrigin],
];

const KEYS: readonly KeyLine[] = [
  [
    ['ArrowRight', 'j'],
    'one moment on; with Shift, to the next step of this actor',
    ({ shiftKey }) => step(1, shiftKey),
  ],
  [
    ['ArrowLeft', 'k'],
    'one moment back; with Shift, to the step of this actor before',
    ({ shiftKey }) => step(-1, shiftKey),
  ],
  [['J'], 'to the next datagrams, of whomever', () => goByRow(1)],
  [['K'], 'to the datagrams before', () => goByRow(-1)],
  [['PageDown'], 'twenty moments on', () => go(position.value + 20)],
  [['PageUp'], 'twenty moments back', () => go(position.value - 20)],
  [['Home'], 'before the first moment', () => go(-1)],
  [['End', 'l'], 'the last moment; of a peer that runs, stay there', () => go(length.value)],
  [['/'], 'type a filter; Enter goes to the next match', () => document.getElementById('filter')?.focus()],
  [['n'], 'next match of the filter', () => goToMatch(1)],
  [['N'], 'match of the filter before', () => goToMatch(-1)],
  [['d'], 'first difference of two runs', goToDifference],
  [['Escape'], 'show the actor whose moment it is', () => leave()],
  [['f'], 'in the chart, follow the current state', followState],
  [['w'], 'the whole chart', () => pressChartButton('w')],
  [['+'], 'larger chart', () => pressChartButton('+')],
  [['-'], 'smaller chart', () => pressChartButton('-')],
  [['1'], 'what goes between systems, if there are several', () => setView('network')],
  [['2'], 'the machines of one', () => setView('machines')],
  [['3'], 'the messages that it holds, and how they came', () => setView('reading')],
  [['m'], 'chart and messages, only the chart, only the messages', nextLayout],
  [['e'], 'show or hide ended actors', toggleEnded],
  [['t'], 'light or dark', toggleTheme],
  [['?'], 'these keys', toggleHelp],
];

function pressed(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const { target } = event;
  const isRange = target instanceof HTMLInputElement && target.type === 'range';
  if (!isRange && (target instanceof HTMLInputElement || target instanceof HTMLSelectElement)) return;
  // A button is pressed by them.
  if ((event.key === ' ' || event.key === 'Enter') && target instanceof HTMLButtonElement) return;
  const found = allKeys().find(([keys]) => keys.includes(event.key));
  if (found === undefined) return;
  event.preventDefault();
  found[2](event);
}

function allKeys(): readonly KeyLine[] {
  return [...extras.value.keys, ...(view.value === 'reading' ? READING_KEYS : []), ...KEYS];
}

function step(by: 1 | -1, ofActor: boolean): void {
  if (ofActor) goOfActor(by);
  else go(position.value + by);
}

function leave(): void {
  if (section.value !== undefined) section.value = undefined;
  else if (helpIsOpen.value) toggleHelp();
  else choose(undefined);
}

function toggleHelp(): void {
  helpIsOpen.value = !helpIsOpen.value;
}

const SHOWN: Readonly<Record<string, string>> = {
  ArrowRight: '→',
  ArrowLeft: '←',
  ArrowDown: '↓',
  ArrowUp: '↑',
  ' ': 'space',
};

function Help() {
  return (
    <dialog open class="help" aria-label="Keys">
      <dl>
        {allKeys().map(([keys, says]) => (
          <div key={says}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{SHOWN[key] ?? key}</kbd>
              ))}
            </dt>
            <dd>{says}</dd>
          </div>
        ))}
      </dl>
      <button type="button" onClick={toggleHelp}>
        close
      </button>
    </dialog>
  );
}
