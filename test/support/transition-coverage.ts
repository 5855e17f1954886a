/**
 * A plugin for Vitest projects whose tests run machines: after a run of all tests, a table of how many states and transitions of each machine were walked by any of
 * them. Below 100 % the run fails and every missing one is named. A run of some of the tests says nothing about the others,
 * so then it is silent.
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Reporter, TestModule, TestRunEndReason, Vitest, VitestPluginContext } from 'vitest/node';
import type { AnyStateMachine } from 'xstate';
import { partsOf } from './machine-parts.ts';

interface TransitionCoverageOptions {
  /** The module that exports `machines`, by name; relative to the root. */
  readonly machines: string;
  /** Names of the projects whose test files have to have run, all of them. */
  readonly projects: readonly string[];
}

interface Coverage {
  readonly table: string;
  /** One line for each state and transition that was not walked. */
  readonly missing: readonly string[];
}

/** The same plugin for each project. Reporters that the command line names would replace one of the configuration: this one is added. */
export function transitionCoverage(options: TransitionCoverageOptions) {
  const reporter = new TransitionCoverage(options);
  return {
    name: 'transition-coverage',
    configureVitest({ vitest: { config } }: VitestPluginContext) {
      if (!config.reporters.includes(reporter)) config.reporters.push(reporter);
    },
  };
}

class TransitionCoverage implements Reporter {
  readonly #options: TransitionCoverageOptions;
  #vitest: Vitest | undefined;

  constructor(options: TransitionCoverageOptions) {
    this.#options = options;
  }

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  async onTestRunEnd(modules: readonly TestModule[], _errors: unknown, reason: TestRunEndReason): Promise<void> {
    const vitest = this.#vitest;
    if (vitest === undefined || reason === 'interrupted' || !(await this.#isComplete(vitest, modules))) return;
    const url = pathToFileURL(resolve(vitest.config.root, this.#options.machines)).href;
    const { machines } = (await import(/* @vite-ignore */ url)) as { machines: Record<string, AnyStateMachine> };
    const { table, missing } = coverageOf(machines, new Set(modules.flatMap((module) => module.meta().walked ?? [])));
    const remark = missing.length === 0 ? [] : ['', 'No test walks these:', ...missing.map((line) => `  ${line}`), ''];
    vitest.logger.log(['', table, ...remark].join('\n'));
    if (missing.length > 0) process.exitCode = 1;
  }

  /** No filter by file, name, project or shard, and nothing left out for another reason. */
  async #isComplete(vitest: Vitest, modules: readonly TestModule[]): Promise<boolean> {
    const { watch, testNamePattern } = vitest.config;
    if (watch || testNamePattern !== undefined) return false;
    const names = new Set(vitest.projects.map(({ name }) => name));
    if (!this.#options.projects.every((name) => names.has(name))) return false;
    const ran = new Set(modules.map(({ project, moduleId }) => `${project.name} ${moduleId}`));
    const all = await vitest.globTestSpecifications();
    return all.every(({ project, moduleId }) => ran.has(`${project.name} ${moduleId}`));
  }
}

/** What of these machines is among the keys that were walked. */
function coverageOf(machines: Readonly<Record<string, AnyStateMachine>>, walked: ReadonlySet<string>): Coverage {
  const rows: string[][] = [];
  const missing: string[] = [];
  const sums = [0, 0, 0, 0] as [number, number, number, number];
  for (const [name, machine] of Object.entries(machines)) {
    if (machine.id !== name)
      throw new Error(`the machine ${name} calls itself ${machine.id}: what is walked is noted by id`);
    const { states, transitions } = partsOf(machine);
    const unvisited = [...states].filter(([key]) => !walked.has(key)).map(([, text]) => `${text} is never entered`);
    const untaken = [...transitions].filter(([key]) => !walked.has(key)).map(([, text]) => text);
    const counts = [states.size - unvisited.length, states.size, transitions.size - untaken.length, transitions.size];
    counts.forEach((count, i) => {
      sums[i as 0] += count;
    });
    rows.push(rowOf(name, counts));
    missing.push(...unvisited, ...untaken);
  }
  return { table: aligned([['machine', 'states', 'transitions'], ...rows, rowOf('all', sums)]), missing };
}

function rowOf(name: string, [states, allStates, transitions, allTransitions]: readonly number[]): string[] {
  return [name, `${states}/${allStates}`, `${transitions}/${allTransitions}`];
}

/** The first column to the left, the others to the right. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const cells = (row: readonly string[]) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)));
  return rows.map((row) => cells(row).join('  ')).join('\n');
}
