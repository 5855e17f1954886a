/** A machine as a Mermaid state diagram, for places that draw those themselves. */
import {
  leaving,
  type MachineModel,
  remarkOn,
  type StateModel,
  statesOf,
  stayingIn,
  type TransitionModel,
} from './model.ts';

export function mermaidChart(machine: MachineModel): string {
  const { root } = machine;
  const ids = idsFor(statesOf(root));
  const idOf = (path: string) => ids.get(path) as string;

  const lines = [
    '---',
    `title: ${JSON.stringify([root.name, root.description].filter(Boolean).join(' – '))}`,
    '---',
    'stateDiagram-v2',
    ...inside(root),
    ...statesOf(root).flatMap(arrows),
  ];
  return `${lines.join('\n')}\n`;

  function inside(state: StateModel): string[] {
    const children = state === root && machine.children.length > 0 ? [`children: ${machine.children.join(', ')}`] : [];
    const everyState = [...children, ...entryLines(state), ...stayingIn(state).map(transitionText)];
    const isNeeded = everyState.length > 0 || state.transitions.length > 0;
    return [
      ...(state.initial === undefined ? [] : [`[*] --> ${idOf(state.initial)}`]),
      ...(isNeeded ? textLines(everyStateId(state), ['in every state', ...everyState]) : []),
      ...state.states.flatMap(draw),
    ].map((line) => `  ${line}`);
  }

  function draw(state: StateModel): string[] {
    const id = idOf(state.path);
    if (state.states.length > 0) {
      const title = [state.name, state.description].filter((text) => text !== undefined).join(' – ');
      return [`state "${escapeMermaid(title)}" as ${id} {`, ...inside(state), '}'];
    }
    const texts = [...entryLines(state), ...stayingIn(state).map(transitionText)];
    const description = state.description === undefined ? [] : [state.description];
    const end = state.kind === 'final' ? [`${id} --> [*]`] : [];
    return [...textLines(id, [state.name, ...description, ...texts]), ...end];
  }

  function arrows(state: StateModel): string[] {
    const from = state.states.length === 0 ? idOf(state.path) : everyStateId(state);
    return [...Map.groupBy(leaving(state), ({ target }) => target)].map(([target, transitions]) => {
      const label = transitions.map((transition) => escapeMermaid(transitionText(transition))).join('<br/>');
      return `  ${from} --> ${idOf(target)} : ${label}`;
    });
  }

  function everyStateId({ path }: StateModel): string {
    return `${idOf(path)}_every_state`;
  }
}

/** Words and underscores, unlike each other and unlike Mermaid's own words. */
function idsFor(states: readonly StateModel[]): Map<string, string> {
  const taken = new Set(['', 'state', 'note', 'end', 'class', 'classDef', 'style', 'direction', 'as', 'default']);
  const ids = new Map<string, string>();
  for (const { path } of states) {
    const plain = path === '' ? 'machine' : path.replaceAll(/\W+/g, '_');
    let id = plain;
    while (taken.has(id)) id += '_';
    taken.add(id);
    ids.set(path, id);
  }
  return ids;
}

/** The first is the title of the state's box. */
function textLines(id: string, texts: readonly string[]): string[] {
  return texts.map((text) => `${id} : ${escapeMermaid(text)}`);
}

function entryLines({ entry, exit, invokes }: StateModel): string[] {
  return [
    ...(entry.length === 0 ? [] : [`entry / ${entry.join(', ')}`]),
    ...(exit.length === 0 ? [] : [`exit / ${exit.join(', ')}`]),
    ...(invokes.length === 0 ? [] : [`runs ${invokes.join(', ')}`]),
  ];
}

function transitionText(transition: TransitionModel): string {
  const { trigger, guard, actions } = transition;
  const parts = [
    trigger,
    guard === undefined ? undefined : `[${guard}]`,
    actions.length === 0 ? undefined : `/ ${actions.join(', ')}`,
    remarkOn(transition),
  ];
  return parts.filter((part) => part !== undefined).join(' ');
}

/** Whatever could mean something to Mermaid becomes the number of its character. */
function escapeMermaid(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N} .,/()[\]'’–§↻±_-]/gu, (character) => `#${character.codePointAt(0)};`);
}
