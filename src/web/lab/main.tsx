/** Starts the lab's page: everything that it shows happens in it. */
import { render } from 'preact';
import { App, extras } from '../app.tsx';
import { heads, showLane } from '../network.tsx';
import { keepPlace, momentInLink, standAtLink } from '../place.ts';
import type { Run } from '../run.ts';
import { crossings, go, growBy, isFollowing, length, problem, reference, run, runIndex, runs, view } from '../state.ts';
import { keepTheme } from '../theme.ts';
import {
  again,
  changeSpeed,
  HOST_HEIGHT,
  HostHead,
  isBeginning,
  lab,
  open,
  Panel,
  postOfChosen,
  stepOn,
  Tools,
  togglePlaying,
} from './controls.tsx';
import { isPlaying, Lab, speed } from './lab.ts';
import { type Scenario, scenarios } from './scenarios.ts';

keepTheme();
reference.value = JSON.parse(document.getElementById('reference')?.textContent ?? '');
view.value = 'network';
open.value = (id) => {
  location.hash = `scenario=${id}`;
  begin(scenarioOf(id)).catch(complain);
};
heads.value = { height: HOST_HEIGHT, draw: (name) => <HostHead name={name} /> };
extras.value = {
  tools: Tools,
  panel: Panel,
  keys: [
    [[' '], 'start or stop time', togglePlaying],
    [['.'], 'run until something happens', stepOn],
    [['<', '>'], 'slower, faster', ({ key }) => changeSpeed(key === '<' ? -1 : 1)],
    [['r'], 'restart the scenario', again],
    [['s'], 'choose a scenario', () => document.getElementById('scenario')?.focus()],
    [['p'], 'the selected peer posts a message', postOfChosen],
  ],
};
render(<App />, document.getElementById('app') as HTMLElement);
addEventListener('hashchange', () => {
  const id = idInLink();
  if (lab.value === undefined || id !== lab.value.scenario.id) begin(scenarioOf(id)).catch(complain);
  else standAtMoment(lab.value).catch(complain);
});
keepPlace(() => !isBeginning.value);
begin(scenarioOf(idInLink())).catch(complain);

function idInLink(): string {
  return new URLSearchParams(location.hash.slice(1)).get('scenario') ?? '';
}

function scenarioOf(id: string): Scenario {
  return scenarios.find((it) => it.id === id) ?? (scenarios[0] as Scenario);
}

async function begin(scenario: Scenario): Promise<void> {
  if (lab.value !== undefined) lab.value.isOver = true;
  isBeginning.value = true;
  const fresh = new Lab(scenario, (gone) => {
    if (lab.value === fresh) show(fresh, gone);
  });
  lab.value = fresh;
  speed.value = scenario.speed;
  isPlaying.value = true;
  await fresh.begin();
  if (lab.value !== fresh) return;
  showLane(scenario.focus);
  isFollowing.value = true;
  go(length.value);
  await standAtMoment(fresh);
  if (lab.value !== fresh) return;
  isBeginning.value = false;
  document.documentElement.dataset.ready = 'yes';
  await fresh.play(nextPicture);
}

/** The same happens each time, so what a link names comes again. */
async function standAtMoment(of: Lab): Promise<void> {
  const moment = momentInLink();
  if (moment !== undefined) await of.reach(moment);
  if (lab.value === of) standAtLink();
}

function nextPicture(): Promise<number> {
  return new Promise((resolve) => requestAnimationFrame(() => resolve(performance.now())));
}

function show(of: Lab, gone: ReadonlyMap<Run, number>): void {
  crossings.value = of.crossings;
  if (runs.value !== of.world.runs) {
    runs.value = of.world.runs;
    runIndex.value = 0;
    isFollowing.value = true;
  }
  growBy(gone.get(run.value) ?? 0);
}

function complain(error: unknown): void {
  problem.value = (error as Error).message;
}
