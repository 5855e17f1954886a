/** The front end as a person and its peer see it, and what comes to it from them. */
import { createActor } from 'xstate';
import { frontEndMachine } from '../../machines/front-end.machine.ts';
import type { FrontEndEvent } from '../../machines/front-end-setup.ts';
import { FRONT_END_EFFECTS } from './front-end-effects.ts';

export const failure = { code: 'unexpected', message: 'disk full' } as const;
export const choose = (action: string, subject = '', cursor = 'item') => ({
  type: 'action.chosen',
  action,
  subject,
  cursor,
});
export const give = (text: string) => ({ type: 'text.given', text });
export const dismissed = { type: 'prompt.cancelled', isExit: false };

interface Heard {
  readonly type: string;
  readonly [field: string]: unknown;
}

export class SeenFrontEnd {
  /** What was to be done outside: its name, and with what. */
  readonly done: [string, unknown][] = [];
  readonly actor;

  constructor({ drafts = {}, keepsDrafts = true }: { drafts?: Record<string, string>; keepsDrafts?: boolean } = {}) {
    const note = (name: string) => [name, (_: unknown, params: unknown) => void this.done.push([name, params])];
    const machine = frontEndMachine.provide({ actions: Object.fromEntries(FRONT_END_EFFECTS.map(note)) });
    this.actor = createActor(machine, { input: { id: 'me', drafts, keepsDrafts } }).start();
  }

  /** What these events cause. */
  after(...events: readonly Heard[]): [string, unknown][] {
    this.done.length = 0;
    for (const event of events) this.actor.send(event as FrontEndEvent);
    return [...this.done];
  }

  /** The screen that is shown last, and what is told on it. */
  get screen() {
    const shown = this.done.findLast(([name]) => name === 'showScreen')?.[1];
    return shown as { place: { kind: string; subject: string; cursor: string }; notice: unknown };
  }

  get state() {
    return this.actor.getSnapshot().value;
  }
}

export const timeline = (cursor = 'item') => ({ kind: 'timeline', subject: '', cursor });
/** Back on the timeline, told this. */
export const told = (notice: unknown, cursor = 'item') => ['showScreen', { place: timeline(cursor), notice }];
export const wish = (asked: object) => ['sendToPeer', { wish: asked }];
