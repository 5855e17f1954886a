/** The page that shows all pictures. */
import type { MachineModel } from './model.ts';

export function readme(machines: readonly MachineModel[]): string {
  const parents = (name: string) => machines.filter(({ children }) => children.includes(name)).map((it) => it.name);
  return [
    '# Diagrams',
    '',
    'Drawn from the machines in [`machines/`](../machines/) by `npm run diagrams`; do not edit by hand. A test fails as long as',
    'they differ from the machines.',
    '',
    `${machines.map(({ name }) => `[${name}](#${name})`).join(' · ')}`,
    '',
    '## How to read them',
    '',
    '- A box is a state, with its description, what it does on entry and exit, the child that runs in it, and the events that',
    '  leave it as it is. A double frame is a final state; the dot points to the first state.',
    '- **event** [guard] / actions: guards of one event are asked from top to bottom, inside the box and on its arrows together;',
    '  `else` is what happens if none holds. *After* comes with the time it takes, *always* needs no event.',
    '- An arrow and the bar beside its text have the same colour. The colours mean nothing else.',
    '- A dashed box holds what happens in every state of the machine, or of the frame around it.',
    '',
    '## Supervision',
    '',
    picture('supervision', 'The supervision tree'),
    '',
    '## Messages',
    '',
    picture('messages', 'The messages between actors'),
    '',
    '## The life of a post',
    '',
    picture('life-of-a-post', 'A post on its way from its author to a reader, as a sequence'),
    '',
    '## A tree',
    '',
    picture('merkle-tree', 'A tree before and after one more message'),
    '',
    ...machines.flatMap((machine) => section(machine, parents(machine.name))),
  ].join('\n');
}

function section({ name, root, children, effects }: MachineModel, parents: readonly string[]): string[] {
  const facts = [
    parents.length === 0 ? 'A root actor.' : `Spawned by ${parents.map(link).join(', ')}.`,
    ...(children.length === 0 ? [] : [`Children: ${children.map(link).join(', ')}.`]),
    ...(effects.length === 0 ? [] : [`Effects, carried out outside: ${effects.map((it) => `\`${it}\``).join(', ')}.`]),
    `As text: [Mermaid](${name}.mmd).`,
  ];
  return [
    `## ${name}`,
    '',
    ...(root.description === undefined ? [] : [root.description, '']),
    facts.join(' '),
    '',
    picture(name, `State chart of ${name}`),
    '',
  ];
}

function link(name: string): string {
  return `[${name}](#${name})`;
}

/** A click shows it in full size. */
function picture(name: string, alt: string): string {
  return `[![${alt}](${name}.svg)](${name}.svg)`;
}
