/**
 * What the inspector's page is told of a run, as JSON Lines: first what run it is, then what happened, in order. A living system and a
 * journal are told alike. Actors have numbers, in the order in which they appear; -1 is whatever is no actor.
 */

import type { Message } from '../feed/message.ts';

/** A value in which objects that were told before are named by their number (shared-values.ts). */
export type Encoded = null | boolean | number | string | { readonly [key: string]: unknown };

export const NOBODY = -1;

export interface Run {
  readonly murmure: 'run';
  /** Of a journal, the name of its file. */
  readonly name: string;
  readonly root: string;
  readonly startedAtMs: number;
  /** The peer that is looked at runs on. */
  readonly isLive: boolean;
  /** Of the entry that was left out. */
  readonly drop?: number;
  /** The number of this start; missing for the first. */
  readonly start?: number;
  /** Entries of the journal. */
  readonly entries?: number;
}

export type RunLine = readonly ['run', Run];
export type ActorLine = readonly ['actor', actor: number, path: string, kind: string, parent: number];
/** `seq`: the journal's entry that led to it; 0 for the start, and in a living system. */
export type MessageLine = readonly [
  'message',
  atMs: number,
  seq: number,
  from: number,
  to: number,
  type: string,
  event: Encoded,
];
export type Status = 'active' | 'done' | 'error' | 'stopped';
/** `message`: how many messages ago it got what made it take this step; 0 for none. */
export type StepLine = readonly [
  'step',
  atMs: number,
  seq: number,
  actor: number,
  message: number,
  step: Step,
  context: Encoded,
];
export interface Step {
  /** Of the event, as people say it. */
  readonly event: string;
  readonly from: string;
  readonly to: string;
  readonly guard?: string;
  readonly actions?: readonly string[];
  /** Where the arrow that was taken begins and ends, as state paths; `target` is missing where the state stays. */
  readonly source?: string;
  readonly target?: string;
  /** Missing: active. */
  readonly status?: Status;
}
/** Of a peer that runs, messages in its store. With an author, they are the newest of that one, in the place of what was told before. */
export type StoredLine = readonly ['stored', messages: readonly Message[], author?: string];
/** Numbers of values begin anew: what was told before is not referred to any more. */
export type ResetLine = readonly ['reset'];
/** What went wrong, or what is to be known of the run as a whole. */
export type RemarkLine = readonly ['remark', text: string];
/** Nothing more comes. */
export type EndLine = readonly ['end'];

export type Line = RunLine | ActorLine | MessageLine | StepLine | StoredLine | ResetLine | RemarkLine | EndLine;
