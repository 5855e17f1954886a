/** Where the page stands, in the fragment of its address: "#at=120&actor=peer/merkle-walk.alice". The address leads others there. */
import { effect } from '@preact/signals';
import type { MomentPlace } from './run.ts';
import {
  author,
  choose,
  chosen,
  go,
  isFollowing,
  isNetwork,
  LISTS,
  list,
  message,
  position,
  run,
  runIndex,
  runs,
  VIEWS,
  view,
} from './state.ts';

/** Browsers allow few changes of the address: a slider makes many. */
const PAUSE_MS = 300;
const OURS = ['run', 'at', 'actor', 'view', 'list', 'author', 'message'] as const;

/** What else is in the fragment, as the scenario of a lab, stays. */
export function keepPlace(isThere: () => boolean = () => true): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  effect(() => {
    clearTimeout(timer);
    if (!isThere()) return;
    const place = placeNow();
    timer = setTimeout(() => {
      const all = inAddress();
      for (const name of OURS) all.delete(name);
      for (const [name, value] of Object.entries(place)) all.set(name, value);
      // A "/" may stand in a fragment as it is.
      const text = `#${all.toString().replaceAll('%2F', '/')}`;
      if (text !== (location.hash || '#')) history.replaceState(null, '', text);
    }, PAUSE_MS);
  });
}

function placeNow(): Record<string, string> {
  const { header, actors, forgotten } = run.value;
  const actor = chosen.value === undefined ? undefined : actors[chosen.value];
  return {
    ...(runIndex.value > 0 && { run: `${runIndex.value}` }),
    // What somebody else sees of a system that goes on has begun at another moment.
    ...(canReturn(header.isLive) && { at: `${position.value + forgotten}` }),
    ...(actor !== undefined && { actor: actor.path }),
    ...((isNetwork.value || view.value === 'reading') && { view: view.value }),
    ...(view.value === 'reading' && placeOfReading()),
  };
}

function placeOfReading(): Record<string, string> {
  return {
    list: list.value,
    ...(author.value !== undefined && { author: author.value }),
    ...(message.value !== undefined && { message: message.value }),
  };
}

/** A lab is alike each time it runs. */
function canReturn(isLive: boolean): boolean {
  return (!isLive || (inAddress().has('scenario') && !isFollowing.value)) && position.value >= 0;
}

export function momentInLink(): MomentPlace | undefined {
  const place = inAddress();
  const [index, at] = [Number(place.get('run') ?? 0), Number(place.get('at') ?? Number.NaN)];
  return Number.isSafeInteger(index) && Number.isSafeInteger(at) ? { run: index, at } : undefined;
}

/** As far as what is there fits the link. */
export function standAtLink(): void {
  const place = inAddress();
  const moment = momentInLink();
  if (moment !== undefined && runs.value[moment.run] !== undefined) {
    runIndex.value = moment.run;
    go(moment.at - run.value.forgotten);
  }
  const actor = place.get('actor');
  // Several may have had that path, one after the other.
  const begun = run.value.actors.findLast((it) => it.path === actor && run.value.hasBegun(it, position.value));
  if (actor !== null) choose(begun ?? run.value.actorAt(actor));
  view.value = VIEWS.find((name) => name === place.get('view')) ?? view.value;
  list.value = LISTS.find((name) => name === place.get('list')) ?? list.value;
  author.value = place.get('author') ?? author.value;
  message.value = place.get('message') ?? message.value;
}

function inAddress(): URLSearchParams {
  return new URLSearchParams(location.hash.slice(1));
}
