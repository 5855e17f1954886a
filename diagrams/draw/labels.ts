/** What stands in the boxes and at the arrows of a state chart, as Graphviz tables. */
import { type MachineModel, remarkOn, type StateModel, stayingIn, type TransitionModel } from './model.ts';
import { airy, GAP, row, span, table, wrap } from './text.ts';

/** Characters a line. */
const BOX_WIDTH = 46;
const ARROW_WIDTH = 30;
const INDENT = 3;

/** Name and description, then what happens inside. */
export function boxRows(state: StateModel): string[] {
  const blocks = [entryRows(state), transitionRows(stayingIn(state), BOX_WIDTH)].filter(({ length }) => length > 0);
  const heading = [
    row(span(state.name, { color: 'ink', bold: true, size: 15 }), { align: 'CENTER' }),
    ...descriptionRows(state, 'CENTER'),
  ];
  return [heading, ...blocks].flatMap((rows, i) => (i === 0 ? rows : [GAP, '<HR/>', GAP, ...rows]));
}

/** The heading of a group of states; of the whole machine, with the children it has. */
export function groupRows(state: StateModel, machine?: MachineModel): string[] {
  const child = (text: string) => span(text, { color: 'child' });
  return [
    row(span(state.name, { color: 'ink', bold: true, size: machine === undefined ? 15 : 21 })),
    ...descriptionRows(state, 'LEFT'),
    ...listRows(span('children: ', { color: 'muted' }), machine?.children ?? [], child, 90),
    ...entryRows(state),
  ];
}

/** What a group does whichever of its states is active. */
export function everyStateRows(state: StateModel): string[] {
  const heading = row(span('in every state', { color: 'muted' }), { align: 'CENTER' });
  const rows = transitionRows(stayingIn(state), BOX_WIDTH);
  return rows.length === 0 ? [heading] : [heading, GAP, '<HR/>', GAP, ...rows];
}

/** A table for an arrow. */
export function arrowLabel(transitions: readonly TransitionModel[]): string {
  return table(airy(transitionRows(transitions, ARROW_WIDTH)), 'BORDER="0" CELLPADDING="1"');
}

function descriptionRows({ description }: StateModel, align: 'LEFT' | 'CENTER'): string[] {
  if (description === undefined) return [];
  const width = align === 'CENTER' ? BOX_WIDTH - 4 : 90;
  return wrap(description, width).map((line) => row(span(line, { color: 'muted' }), { align }));
}

function entryRows({ entry, exit, invokes }: StateModel): string[] {
  const action = (text: string) => span(text, { color: 'action' });
  const child = (text: string) => span(text, { color: 'child' });
  return [
    ...listRows(span('entry / ', { color: 'muted' }), entry, action, BOX_WIDTH),
    ...listRows(span('exit / ', { color: 'muted' }), exit, action, BOX_WIDTH),
    ...listRows(span('runs ', { color: 'muted' }), invokes, child, BOX_WIDTH),
  ];
}

/** Grouped by what triggers them: the event once, then each guard in the order in which it is asked. */
function transitionRows(transitions: readonly TransitionModel[], width: number): string[] {
  const byTrigger = Map.groupBy(transitions, ({ trigger }) => trigger);
  return [...byTrigger].flatMap(([trigger, group]) => {
    const [first] = group as [TransitionModel];
    const event = triggerLines(trigger);
    if (first.guard === undefined && event.length === 1 && trigger.length + 1 + lengthOf(first) < width) {
      return [row([event[0], ...pieces(first)].join(' '))];
    }
    return [...event.map((line) => row(line)), ...group.flatMap((transition) => guardedRows(transition, width))];
  });
}

/** "after renewal (50 min)": the delay's value on a line of its own where it is long. */
function triggerLines(trigger: string): string[] {
  const lines = trigger.length > ARROW_WIDTH ? trigger.split(/ (?=\()/) : [trigger];
  return lines.map((line) => span(line, { color: 'event', bold: true }));
}

function guardedRows(transition: TransitionModel, width: number): string[] {
  const { guard, actions } = transition;
  const remark = remarkOn(transition);
  if (lengthOf(transition) <= width - INDENT) {
    const line = pieces(transition);
    return line.length === 0 ? [] : [row(line.join(' '), { indent: INDENT })];
  }
  const indent = guard === undefined ? INDENT : 2 * INDENT;
  return [
    ...(guard === undefined ? [] : [row(span(`[${guard}]`, { color: 'guard' }), { indent: INDENT })]),
    ...listRows(span('/ ', { color: 'muted' }), actions, (text) => span(text, { color: 'action' }), width - 4, indent),
    ...(remark === undefined ? [] : [row(span(remark, { color: 'muted' }), { indent })]),
  ];
}

/** "[guard]", "/ actions" and the remark, as far as there are any. */
function pieces(transition: TransitionModel): string[] {
  const { guard, actions } = transition;
  const remark = remarkOn(transition);
  return [
    ...(guard === undefined ? [] : [span(`[${guard}]`, { color: 'guard' })]),
    ...(actions.length === 0 ? [] : [span('/ ', { color: 'muted' }) + span(actions.join(', '), { color: 'action' })]),
    ...(remark === undefined ? [] : [span(remark, { color: 'muted' })]),
  ];
}

/** In characters, on one line. */
function lengthOf(transition: TransitionModel): number {
  const { guard, actions } = transition;
  const texts = [guard === undefined ? '' : `[${guard}]`, actions.join(', '), remarkOn(transition) ?? ''];
  return texts.filter((text) => text !== '').join(' ').length;
}

/** "label a, b, c", wrapped. */
function listRows(
  label: string,
  items: readonly string[],
  show: (text: string) => string,
  width: number,
  indent = 0,
): string[] {
  if (items.length === 0) return [];
  const lines = wrap(items.map((item, i) => item + (i < items.length - 1 ? ',' : '')).join(' '), width - 8);
  return lines.map((line, i) => row((i === 0 ? label : '\u00a0\u00a0') + show(line), { indent }));
}
