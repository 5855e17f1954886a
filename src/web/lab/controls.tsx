/** What a person sees and does in the lab: the scenario, the weather, and each host at the head of its line. */
import { signal } from '@preact/signals';
import { showLane } from '../network.tsx';
import { grown, run } from '../state.ts';
import { countText, plain, sinceText } from '../text.ts';
import { changed, DIRECTORY, isPlaying, type Lab, MOST_PEERS, type NatName, speed, type Weather } from './lab.ts';
import { scenarios } from './scenarios.ts';

export const lab = signal<Lab | undefined>(undefined);
export const isBeginning = signal(true);
/** Set by whoever starts scenarios. */
export const open = signal<(id: string) => void>(() => {});

const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 4, 10, 60];
const NATS: Readonly<Record<NatName, string>> = {
  open: 'no NAT',
  fullCone: 'NAT: full cone',
  addressRestricted: 'NAT: address-restricted',
  portRestricted: 'NAT: port-restricted',
  symmetric: 'NAT: symmetric',
};

export function Tools() {
  grown.value;
  changed.value;
  const current = lab.value;
  return (
    <span class="lab-tools">
      <select
        id="scenario"
        aria-label="Scenario"
        title="Scenario (s)"
        value={current?.scenario.id}
        onChange={(event) => open.value(event.currentTarget.value)}
      >
        {scenarios.map(({ id, title }) => (
          <option key={id} value={id}>
            {title}
          </option>
        ))}
      </select>
      <button type="button" title="Restart the scenario (r)" onClick={again}>
        again
      </button>
      <button
        type="button"
        class="play"
        title="Start or stop time (space)"
        aria-pressed={isPlaying.value}
        onClick={togglePlaying}
      >
        {isPlaying.value ? 'pause' : 'play'}
      </button>
      <button type="button" title="Run until something happens (.)" onClick={stepOn}>
        step
      </button>
      <label>
        speed
        <select
          title="How fast time passes (&lt; and &gt;)"
          value={speed.value}
          onChange={(event) => setSpeed(Number(event.currentTarget.value))}
        >
          {SPEEDS.map((it) => (
            <option key={it} value={it}>
              ×{it}
            </option>
          ))}
        </select>
      </label>
      <span class="clock">{isBeginning.value ? 'preparing …' : sinceText(current?.elapsedMs ?? 0)}</span>
    </span>
  );
}

export function togglePlaying(): void {
  isPlaying.value = !isPlaying.value;
}

export function stepOn(): void {
  void lab.value?.step();
}

export function again(): void {
  if (lab.value !== undefined) open.value(lab.value.scenario.id);
}

export function changeSpeed(by: 1 | -1): void {
  setSpeed(SPEEDS[SPEEDS.indexOf(speed.value) + by] ?? speed.value);
}

function setSpeed(to: number): void {
  speed.value = to;
}

export function postOfChosen(): void {
  const { name } = run.value.header;
  if (lab.value?.members.has(name)) lab.value.post(name);
}

export function Panel() {
  changed.value;
  const current = lab.value;
  if (current === undefined) return <section class="pane lab-panel" aria-label="Scenario" />;
  const { title, text } = current.scenario;
  const { delayMs, loss, duplication } = current.weather;
  const percent = (share: number) => `${Math.round(share * 100)} %`;
  return (
    <section class="pane lab-panel" aria-label="Scenario">
      <h2>{title}</h2>
      <ol class="story">
        {text.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ol>
      <h3>Network</h3>
      <Slider
        name="delay"
        says={`${delayMs} ms`}
        most={1_000}
        step={10}
        value={delayMs}
        set={(to) => ({ delayMs: to })}
      />
      <Slider name="loss" says={percent(loss)} most={1} step={0.01} value={loss} set={(to) => ({ loss: to })} />
      <Slider
        name="duplication"
        says={percent(duplication)}
        most={1}
        step={0.01}
        value={duplication}
        set={(to) => ({ duplication: to })}
      />
      <div class="lab-actions">
        <button type="button" disabled={isBeginning.value} onClick={() => cut(current)}>
          {current.world.cutOff.size > 0 ? 'heal the cut' : 'cut in two'}
        </button>
        <button
          type="button"
          disabled={isBeginning.value || current.members.size >= MOST_PEERS}
          onClick={() => void current.addAnother()}
        >
          add a peer
        </button>
      </div>
      <p class="quiet hint">
        Click a row to stand at that moment, then look into the machines (2). Everything that runs here is what users
        run, on a simulated network, in this page alone.
      </p>
    </section>
  );
}

/** The later half of the peers goes to the other side. */
function cut(current: Lab): void {
  const names = [...current.members.keys()];
  const isHealing = current.world.cutOff.size > 0;
  const others = isHealing ? [DIRECTORY, ...names].filter((it) => current.isCutOff(it)) : names.slice(names.length / 2);
  for (const name of others) current.setCutOff(name, !isHealing);
}

interface SliderProps {
  readonly name: string;
  readonly says: string;
  readonly most: number;
  readonly step: number;
  readonly value: number;
  readonly set: (to: number) => Partial<Weather>;
}

function Slider({ name, says, most, step, value, set }: SliderProps) {
  return (
    <label class="slider">
      <span>{name}</span>
      <output>{says}</output>
      <input
        type="range"
        min={0}
        max={most}
        step={step}
        value={value}
        onInput={(event) => lab.value?.setWeather(set(event.currentTarget.valueAsNumber))}
      />
    </label>
  );
}

export const HOST_HEIGHT = 128;

export function HostHead({ name }: { name: string }) {
  grown.value;
  changed.value;
  const current = lab.value;
  if (current === undefined) return null;
  return (
    <article class={`host${isShown(name) ? ' chosen' : ''}${current.isCutOff(name) ? ' cut' : ''}`} aria-label={name}>
      <button
        type="button"
        class="host-name"
        aria-pressed={isShown(name)}
        title={`Select ${name}`}
        onClick={() => showLane(name)}
      >
        {plain(name)}
      </button>
      {name === DIRECTORY ? <DirectoryControls of={current} /> : <PeerControls of={current} name={name} />}
    </article>
  );
}

function isShown(name: string): boolean {
  return run.value.header.name === name;
}

function DirectoryControls({ of }: { of: Lab }) {
  const { isDirectoryUp } = of;
  return (
    <>
      <p class="host-says">
        {isDirectoryUp ? `${countText(of.world.registry.peers(of.world.clock.now()).length)} peers listed` : 'stopped'}
      </p>
      <div class="host-keys">
        <button type="button" aria-pressed={!isDirectoryUp} onClick={() => void of.setDirectoryUp(!isDirectoryUp)}>
          {isDirectoryUp ? 'stop' : 'start'}
        </button>
        <CutKey of={of} name={DIRECTORY} />
      </div>
    </>
  );
}

function PeerControls({ of, name }: { of: Lab; name: string }) {
  const member = of.members.get(name);
  if (member === undefined) return <p class="host-says">starting</p>;
  const { isAsleep } = member.at.host.clock;
  const lies = of.world.liars.has(name);
  const own = member.at.store.ownFeed().messages;
  const others = member.at.store.countMessages() - own;
  return (
    <>
      <p class="host-says">{isAsleep ? 'asleep' : `${countText(own)} own, ${countText(Math.max(0, others))} read`}</p>
      <div class="host-keys">
        <button type="button" title={`${name} posts a message`} disabled={isAsleep} onClick={() => of.post(name)}>
          post
        </button>
        <button
          type="button"
          aria-pressed={lies}
          title={`${name} serves false bytes`}
          onClick={() => of.setLying(name, !lies)}
        >
          lie
        </button>
        <CutKey of={of} name={name} />
        <button
          type="button"
          aria-pressed={isAsleep}
          title={`close or open the laptop of ${name}`}
          onClick={() => of.setSleeping(name, !isAsleep)}
        >
          sleep
        </button>
        <button
          type="button"
          disabled={isAsleep}
          title={`kill the program of ${name}, and start it again`}
          onClick={() => void of.restart(name).then(() => isShown(name) && showLane(name))}
        >
          restart
        </button>
        <button type="button" title={`move ${name} to another network`} onClick={() => of.move(name, member.nat)}>
          move
        </button>
      </div>
      <select
        class="nat"
        aria-label={`Where ${name} is`}
        value={member.nat}
        onChange={(event) => of.move(name, event.currentTarget.value as NatName)}
      >
        {Object.entries(NATS).map(([kind, says]) => (
          <option key={kind} value={kind}>
            {says}
          </option>
        ))}
      </select>
    </>
  );
}

function CutKey({ of, name }: { of: Lab; name: string }) {
  const isCut = of.isCutOff(name);
  return (
    <button
      type="button"
      aria-pressed={isCut}
      title={`move ${name} to the other side of the cut, or back`}
      onClick={() => of.setCutOff(name, !isCut)}
    >
      cut
    </button>
  );
}
