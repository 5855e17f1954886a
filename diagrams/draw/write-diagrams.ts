/** All diagrams of all machines: as texts, or written to a folder. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { AnyStateMachine } from 'xstate';
import { machines } from '../../machines/index.ts';
import { computedDelays } from './delays.ts';
import { lifeOfAPost } from './life-of-a-post.ts';
import { merkleTreePicture } from './merkle-tree.ts';
import { mermaidChart } from './mermaid.ts';
import { type MachineModel, readMachine } from './model.ts';
import { messageOverview, supervisionTree } from './overviews.ts';
import { readme } from './readme.ts';
import { stateChart } from './state-chart.ts';
import { drawSvg } from './svg.ts';

/** What the diagrams show. */
export function readMachines(): MachineModel[] {
  const known = { machines: machines as Readonly<Record<string, AnyStateMachine>>, delays: computedDelays };
  return Object.entries(known.machines).map(([name, machine]) => readMachine(name, machine, known));
}

/** File names and contents; the same on every run, and on every computer. */
export async function generateDiagrams(): Promise<Map<string, string>> {
  const models = readMachines();
  const files = new Map([['README.md', readme(models)]]);
  for (const model of models) {
    const { name, root } = model;
    files.set(`${name}.svg`, await drawSvg(stateChart(model), `State chart of ${name}: ${root.description ?? ''}`));
    files.set(`${name}.mmd`, mermaidChart(model));
  }
  files.set('supervision.svg', await drawSvg(supervisionTree(models), 'The supervision tree of all actors'));
  files.set('messages.svg', await drawSvg(messageOverview(models), 'The messages that actors send to each other'));
  files.set('merkle-tree.svg', await drawSvg(merkleTreePicture(), 'A tree before and after one more message'));
  files.set('life-of-a-post.svg', await lifeOfAPost());
  return files;
}

/** Returns the paths of the files written. */
export async function writeDiagrams(folder: string): Promise<string[]> {
  const files = await generateDiagrams();
  await mkdir(folder, { recursive: true });
  const paths: string[] = [];
  for (const [name, content] of files) {
    const file = path.join(folder, name);
    await writeFile(file, content);
    paths.push(file);
  }
  return paths;
}
