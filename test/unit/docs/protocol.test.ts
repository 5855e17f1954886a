/** docs/protocol.md: its tests are there, its examples decode to what it says, and its figures are those of the program. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { limits, timing } from '../../../machines/timing.ts';
import { ADDRESS_LIFETIME_MS, bindingLifetimeMs, PENDING_LIFETIME_MS } from '../../../src/directory/registry.ts';
import { buildTree, levelSizes } from '../../../src/merkle/build.ts';
import { MAX_ENTRIES } from '../../../src/wire/bulk.ts';
import { type Datagram, typeCode } from '../../../src/wire/datagram.ts';
import { MAX_BODY_BYTES, MAX_CHILDREN } from '../../../src/wire/node.ts';
import { run } from '../cli/support.ts';

const page = new URL('../../../docs/protocol.md', import.meta.url);
const text = readFileSync(page, 'utf8');
const prose = text.replace(/^```[\s\S]*?^```/gm, '');

const places = new Map(
  Array.from(text.matchAll(/^\[(.+)\]: (\S+)$/gm), ([, label, path]) => [label as string, path as string]),
);
const CITATION = /\[([^\]]+)\] “([^”]+)”/g;
const citations = Array.from(prose.matchAll(CITATION), ([, label, title]) => ({
  label: label as string,
  title: title as string,
}));

/** Tables as cells without their ruler, the heading first. */
const tables = Array.from(text.matchAll(/^\|.+(?:\n\|.+)+/gm), ({ 0: table, index }) => ({
  index,
  rows: table
    .split('\n')
    .filter((_, i) => i !== 1)
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    ),
}));
const tablesWith = (heading: string) =>
  tables.flatMap(({ index, rows: [head = [], ...rows] }) => {
    const column = head.indexOf(heading);
    return column < 0 ? [] : [{ index, column, rows }];
  });

test('beside every rule stands the test that proves it', () => {
  const rows = tablesWith('proven by').flatMap(({ column, rows }) => rows.map((row) => row[column]));
  expect(rows.length).toBeGreaterThan(70);
  for (const cell of rows) expect(cell?.replace(CITATION, '*')).toMatch(/^\*(, \*)*$/);
});

test('every test that is named is there, and every file is used', () => {
  expect(new Set(citations.map(({ label }) => label))).toEqual(new Set(places.keys()));
  for (const { label, title } of citations) {
    const source = readFileSync(new URL(places.get(label) as string, page), 'utf8');
    const pieces = title.split('…').map((piece) => RegExp.escape(piece));
    expect(source, `${label}: “${title}”`).toMatch(new RegExp(`(['"\`])${pieces.join('[^\\n]*?')}\\1`));
  }
});

test('every picture and every page that is linked is there', () => {
  const headings = Array.from(prose.matchAll(/^#+ (.+)$/gm), ([, heading = '']) => heading);
  const anchors = headings.map(
    (heading) =>
      `#${heading
        .toLowerCase()
        .replaceAll(/[^\w -]/g, '')
        .replaceAll(' ', '-')}`,
  );
  const links = Array.from(prose.matchAll(/\]\(([^)]+)\)/g), ([, link = '']) => link);
  for (const link of links) {
    if (link.startsWith('#')) expect(anchors).toContain(link);
    else expect(existsSync(new URL(link, page)), link).toBe(true);
  }
  const pictures = Array.from(prose.matchAll(/^!\[.+\]\(\.\.\/diagrams\/(.+)\.svg\)$/gm), ([, name]) => name);
  const wanted = [
    'messages',
    'merkle-tree',
    'merkle-walk',
    'directory-client',
    'outgoing-session',
    'incoming-session',
    'directory',
    'request',
  ];
  expect(pictures).toEqual(wanted);
});

test('sections have the numbers that comments in the sources use', () => {
  const numbers = Array.from(prose.matchAll(/^## (\d+) /gm), ([, number]) => Number(number));
  expect(numbers).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
});

/** The arguments of a command as a shell reads them; our commands have double quotes only. */
const argumentsIn = (command: string) =>
  Array.from(command.matchAll(/"([^"]*)"|([^\s\\]+)/g), ([, quoted, bare]) => quoted ?? bare ?? '');

/** Several JSON values, one after the other. */
const valuesIn = (json: string): unknown[] =>
  JSON.parse(`[${json.replaceAll(/^\}\n\{/gm, '},{').replaceAll(/\}\n\{/g, '},{')}]`);

const examples = Array.from(
  text.matchAll(/^```sh\n([\s\S]*?)^```\n\n```json\n([\s\S]*?)^```/gm),
  ([, sh = '', json = '']) => ({
    index: text.indexOf(sh),
    commands: sh
      .trim()
      .split(/\n(?=murmure )/)
      .map((command) => argumentsIn(command).slice(1)),
    values: valuesIn(json),
  }),
);

test('every example decodes to what stands beneath it', async () => {
  expect(examples.length).toBe((text.match(/^```sh$/gm) ?? []).length);
  for (const { commands, values } of examples) {
    const decoded: unknown[] = [];
    for (const argv of commands) decoded.push(...(await run(argv)).lines);
    expect(decoded).toEqual(values);
  }
});

test('the bytes in the table above an example are its bytes', () => {
  const layouts = tablesWith('example');
  expect(layouts.length).toBe(9);
  for (const { index, column, rows } of layouts) {
    const bytes = rows.map((row) => row[column]?.replaceAll(/[` ]/g, '')).join('');
    const next = examples.find((example) => example.index > index);
    expect(next?.commands[0]?.at(-1)?.replaceAll(/\s/g, '')).toBe(bytes);
    let offset = 0;
    for (const [at, size, , hex = ''] of rows) {
      const length = hex.replaceAll(/[` ]/g, '').length / 2;
      expect([Number(at), size === '…' ? length : Number(size)]).toEqual([offset, length]);
      offset += length;
    }
  }
});

test('types have the numbers that are sent', () => {
  const [table] = tablesWith('answered by');
  const codes = table?.rows.map(([code, name = '']) => [name.replace(/,.*/, ''), Number(code)]) ?? [];
  expect(codes.length).toBe(12);
  for (const [type, code] of codes) expect([type, typeCode({ type } as Datagram)]).toEqual([type, code]);
});

test('the table of trees is that of the trees that are built', () => {
  const [table] = tablesWith('internal nodes');
  for (const [messages, levels, nodes] of table?.rows.map((row) => row.map(Number)) ?? []) {
    const leaves = Array.from({ length: messages as number }, (_, i) => i.toString(16).padStart(64, '0'));
    expect([levelSizes(leaves.length).length, buildTree(leaves).nodes.size]).toEqual([levels, nodes]);
  }
  expect(table?.rows.length).toBeGreaterThan(3);
});

const units = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000, days: 86_400_000, '%': 0.01 } as const;
const UNIT = Object.keys(units).join('|');
const listed: Record<string, number> = { ...timing, ...limits };
const bindingDays = bindingLifetimeMs({});
const known: Record<string, number> = {
  ...listed,
  ADDRESS_LIFETIME_MS,
  PENDING_LIFETIME_MS,
  bindingDays,
  MAX_BODY_BYTES,
  MAX_CHILDREN,
  MAX_ENTRIES,
};

/** In the units of machines/timing.ts. */
function amountIn(figure: string): number {
  const [, digits = '', unit] = new RegExp(`^([\\d,.]+)(?: (${UNIT}))?`).exec(figure) ?? [];
  return Number(digits.replaceAll(',', '')) * (unit === undefined ? 1 : units[unit as keyof typeof units]);
}

test('every figure with a name is that of the program', () => {
  const figures = Array.from(
    prose.matchAll(new RegExp(`(\\d[\\d,.]*(?: (?:${UNIT})(?!\\w))?)(?: [A-Za-z]+)? \\(\`(\\w+)\`\\)`, 'g')),
  );
  expect(figures.length).toBe((prose.match(/\(`\w+`\)/g) ?? []).length);
  for (const [, figure = '', name = ''] of figures) expect([name, amountIn(figure)]).toEqual([name, known[name]]);
});

test('every time in the text has a name', () => {
  const sentences = prose.slice(0, prose.indexOf('## Delays and limits')).replace(CITATION, '');
  const nameless = new RegExp(`\\d (?:${UNIT}|seconds?|minutes?|hours?|day)(?!\\w)(?! \\(\`)`, 'g');
  expect(sentences.match(nameless)).toBeNull();
});

test('the table of delays and limits is machines/timing.ts', () => {
  const [table] = tablesWith('value');
  const rows = table?.rows.map(([name = '', value = '']) => [name.replaceAll('`', ''), amountIn(value)]) ?? [];
  expect(Object.fromEntries(rows)).toEqual(listed);
});
