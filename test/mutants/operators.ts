/** Where code can be changed so that tests should notice: docs/mutants.md says what each operator does. */
import { parseSync } from 'oxc-parser';

export interface Mutant {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly operator: string;
  /** The place in the source, in UTF-16 units, and what stands there instead. */
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
  /** What to put before everything else: an import that the replacement needs. */
  readonly prelude: string;
}

/** A node of the syntax tree (ESTree). */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

/** A change of one place. */
interface Change {
  readonly operator: string;
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
  readonly prelude?: string;
}

const TURNED: Readonly<Record<string, string>> = {
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '===': '!==',
  '!==': '===',
  '&&': '||',
  '||': '&&',
};

/** Of what only the types know, these hold values as well. */
const TYPED_VALUES = ['TSAsExpression', 'TSSatisfiesExpression', 'TSNonNullExpression', 'TSEnumDeclaration'];
const NEGATION = "import { not as negated } from 'xstate'; ";

/** All mutants of a file, in the order of their places. @throws Error if it is no TypeScript */
export function mutantsOf(file: string, source: string): Mutant[] {
  const { program, errors } = parseSync(file, source);
  if (errors[0] !== undefined) throw new Error(`${file} cannot be parsed: ${errors[0].message}`);
  const changes: Change[] = [];
  const open: Node[] = [program as unknown as Node];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    changes.push(...changesAt(node, source));
    open.push(...childrenOf(node));
  }
  return changes
    .map(({ prelude = '', ...change }) => ({ file, line: lineOf(source, change.start), prelude, ...change }))
    .sort((a, b) => a.start - b.start || a.end - b.end || (a.operator < b.operator ? -1 : 1));
}

/** The source as the mutant has it. */
export function mutated(source: string, { start, end, replacement, prelude }: Mutant): string {
  return prelude + source.slice(0, start) + replacement + source.slice(end);
}

/** "a < b → a <= b", on one line. */
export function describeMutant(source: string, { start, end, replacement }: Mutant): string {
  const from = source.slice(start, end).replaceAll(/\s+/g, ' ');
  const to = replacement.replaceAll(/\s+/g, ' ').trim();
  const shortened = (text: string) => (text.length > 60 ? `${text.slice(0, 59)}…` : text);
  return to === '' ? shortened(from) : `${shortened(from)} → ${shortened(to)}`;
}

function lineOf(source: string, start: number): number {
  return source.slice(0, start).split('\n').length;
}

function childrenOf(node: Node): Node[] {
  const isType = node.type.startsWith('TS') && !TYPED_VALUES.includes(node.type);
  if (isType || node.type === 'ImportDeclaration') return [];
  return Object.values(node).flat().filter(isNode);
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}

function changesAt(node: Node, source: string): Change[] {
  const text = ({ start, end }: Node) => source.slice(start, end);
  const replace = (operator: string, { start, end }: Node, replacement: string): Change => ({
    operator,
    start,
    end,
    replacement,
  });
  switch (node.type) {
    case 'Property':
      return changesOfProperty(node, source);
    case 'IfStatement':
    case 'ConditionalExpression': {
      const test = node.test as Node;
      return [replace('condition negated', test, `!(${text(test)})`)];
    }
    case 'ExpressionStatement': {
      const called = unwrapped(node.expression as Node);
      return called.type === 'CallExpression' && isDroppable(called.callee as Node)
        ? [replace('call dropped', node, ';')]
        : [];
    }
    case 'BinaryExpression':
    case 'LogicalExpression': {
      const operator = node.operator as string;
      const turned = TURNED[operator];
      if (turned === undefined) return [];
      const [{ end }, { start }] = [node.left as Node, node.right as Node];
      const between = source.slice(end, start).replace(operator, turned);
      return [
        replace('comparison turned', node, source.slice(node.start, end) + between + source.slice(start, node.end)),
      ];
    }
    case 'Literal':
      return changesOfLiteral(node);
    default:
      return [];
  }
}

/** Neither the call of another constructor, nor XState's way to tell TypeScript of which type an event is. */
function isDroppable({ type, name }: Node): boolean {
  return type !== 'Super' && name !== 'assertEvent';
}

/** Without `void`, `await` and `?.`, which a call may stand behind. */
function unwrapped(node: Node): Node {
  if (node.type === 'AwaitExpression' || (node.type === 'UnaryExpression' && node.operator === 'void')) {
    return unwrapped(node.argument as Node);
  }
  return node.type === 'ChainExpression' ? unwrapped(node.expression as Node) : node;
}

function changesOfLiteral({ value, start, end }: Node): Change[] {
  const becomes = (replacement: string): Change[] => [{ operator: 'constant changed', start, end, replacement }];
  if (typeof value === 'number') return becomes(`${value === 0 ? 1 : 2 * value}`);
  if (typeof value === 'bigint') return becomes(`${value === 0n ? 1n : 2n * value}n`);
  return typeof value === 'boolean' ? becomes(`${!value}`) : [];
}

/** What XState reads from a property of a machine's configuration. */
function changesOfProperty(node: Node, source: string): Change[] {
  const key = node.key as Node;
  const name = (key.name ?? key.value) as string | undefined;
  const value = node.value as Node;
  switch (name) {
    case 'on':
    case 'after':
      return value.type === 'ObjectExpression' ? transitionsRemoved(value, source) : [];
    case 'always':
      return [removal('transition removed', node, source), ...itemsRemoved('transition removed', value, source)];
    case 'guard': {
      const { start, end } = value;
      const replacement = `negated(${source.slice(start, end)})`;
      return [{ operator: 'guard negated', start, end, replacement, prelude: NEGATION }];
    }
    case 'actions':
    case 'entry':
    case 'exit':
      if (value.type === 'ObjectExpression' && isSetup(value)) return [];
      return value.type === 'ArrayExpression'
        ? (value.elements as Node[]).map((element) => removal('action dropped', element, source))
        : [{ operator: 'action dropped', start: value.start, end: value.end, replacement: '[]' }];
    default:
      return [];
  }
}

/** `actions: { … }` of `setup()`: implementations by name, rather than one action to be taken. */
function isSetup({ properties }: Node): boolean {
  return !(properties as Node[]).some((property) => ((property.key as Node | undefined)?.name ?? '') === 'type');
}

function transitionsRemoved({ properties }: Node, source: string): Change[] {
  return (properties as Node[]).flatMap((property) => [
    removal('transition removed', property, source),
    ...(property.type === 'Property' ? itemsRemoved('transition removed', property.value as Node, source) : []),
  ]);
}

/** One of several; a single one is the whole. */
function itemsRemoved(operator: string, { type, elements }: Node, source: string): Change[] {
  if (type !== 'ArrayExpression' || (elements as Node[]).length < 2) return [];
  return (elements as Node[]).map((element) => removal(operator, element, source));
}

/** Out of a list, with the comma that follows. */
function removal(operator: string, { start, end }: Node, source: string): Change {
  const comma = /^\s*,/.exec(source.slice(end));
  return { operator, start, end: end + (comma?.[0].length ?? 0), replacement: '' };
}
