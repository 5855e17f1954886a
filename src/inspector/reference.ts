/** What the page looks things up in: the committed drawings, what the states mean, and the protocol. */
import { readFile } from 'node:fs/promises';
import type { AnyStateNode } from 'xstate';
import { machines } from '../../machines/index.ts';
import { packageFolder } from '../runtime/version.ts';
import type { DataBlock } from './page.ts';

export interface Reference {
  /** By machine, without the style sheet that follows the system. */
  readonly charts: Readonly<Record<string, string>>;
  /** By machine, the descriptions by the paths of the states; that of the machine itself is under ''. */
  readonly states: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Of the protocol, by their numbers, as Markdown. */
  readonly sections: Readonly<Record<string, string>>;
}

export async function readReference(): Promise<Reference> {
  const charts = Object.keys(machines).map(async (name) => {
    const svg = await readFile(shipped(`diagrams/${name}.svg`), 'utf8');
    return [name, svg.replace(/<style>.*?<\/style>\n?/s, '')];
  });
  const states = Object.entries(machines).map(([name, { root }]) => [name, Object.fromEntries(descriptionsFrom(root))]);
  const protocol = await readFile(shipped('docs/protocol.md'), 'utf8');
  const sections = protocol.split(/^## (?=\d)/m).slice(1);
  return {
    charts: Object.fromEntries(await Promise.all(charts)),
    states: Object.fromEntries(states),
    sections: Object.fromEntries(sections.map((text) => [text.split(' ', 1)[0], text.split(/^## /m, 1)[0]])),
  };
}

/** As a page finds it in itself. */
export async function referenceBlock(): Promise<DataBlock> {
  return { type: 'application/json', id: 'reference', text: JSON.stringify(await readReference()) };
}

function shipped(path: string): URL {
  return new URL(path, packageFolder());
}

/** Machines are a few states deep. */
function descriptionsFrom(state: AnyStateNode): [string, string][] {
  const own: [string, string] = [state.path.join('.'), state.description ?? ''];
  return [own, ...Object.values(state.states).flatMap(descriptionsFrom)];
}
