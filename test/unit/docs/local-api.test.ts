/** docs/local-api.md has every route, every wish and fact with its members, and every value, as src/local-api has them. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  AddressFile,
  API_VERSION,
  Beat,
  Challenge,
  Dealings,
  DirectoryPeers,
  ErrorBody,
  FactSchema,
  MAX_HASHES,
  Proof,
  Status,
  WishSchema,
} from '../../../src/local-api/schemas.ts';

const page = readFileSync(new URL('../../../docs/local-api.md', import.meta.url), 'utf8');
const server = readFileSync(new URL('../../../src/local-api/server.ts', import.meta.url), 'utf8');
const rows = [...page.matchAll(/^\| `?([^|`]+?)`? \| (.+) \|$/gm)].map(([, head = '', rest = '']) => ({ head, rest }));
const rowsOf = (head: string) => rows.filter((row) => row.head === head).map(({ rest }) => rest);

interface AnySchema {
  readonly type: string;
  readonly entries?: Readonly<Record<string, AnySchema>>;
  readonly options?: readonly (AnySchema | string)[];
  readonly item?: AnySchema;
  readonly wrapped?: AnySchema;
  readonly literal?: unknown;
  readonly pipe?: readonly AnySchema[];
}

/** Types of its variants, with the names of their own members. */
function variantsOf(schema: unknown): [string, string[]][] {
  const { options = [] } = schema as AnySchema;
  return options.flatMap((option) => {
    if (typeof option === 'string') return [];
    const { type, ...members } = option.entries ?? {};
    return [[String(type?.literal), Object.keys(members)]];
  });
}

/** Names of all members, and all words that may be values, however deep. */
function wordsOf(schema: AnySchema | string): string[] {
  if (typeof schema === 'string') return [schema];
  const { entries = {}, options = [], item, wrapped, literal } = schema;
  return [
    ...Object.entries(entries).flatMap(([name, value]) => [name, ...wordsOf(value)]),
    ...options.flatMap(wordsOf),
    ...(item ? wordsOf(item) : []),
    ...(wrapped ? wordsOf(wrapped) : []),
    ...(typeof literal === 'string' ? [literal] : []),
  ];
}

describe.each([...variantsOf(WishSchema), ...variantsOf(FactSchema)])('%s', (type, members) => {
  test('is there with its members', () => {
    const [row, ...others] = rowsOf(type);
    expect(others).toEqual([]);
    expect([...(row ?? '').matchAll(/`(\w+)`/g)].map(([, word]) => word)).toEqual(expect.arrayContaining(members));
  });
});

test('there is no wish and no fact that does not exist', () => {
  const known = [...variantsOf(WishSchema), ...variantsOf(FactSchema)].map(([type]) => type);
  expect(rows.map(({ head }) => head).filter((head) => /^\w+\.\w+$/.test(head) && !known.includes(head))).toEqual([]);
});

const values = { Status, Beat, Dealings, DirectoryPeers, AddressFile, Challenge, Proof, ErrorBody };
test.each(Object.entries(values))('%s: every member and every word is on the page', (_name, schema) => {
  for (const word of wordsOf(schema as AnySchema)) expect(page).toMatch(new RegExp(`\\b${word}\\b`));
});

test('every route is on the page, and no other', () => {
  const routes = [...server.matchAll(/app\.(get|post)\b[^(]*\(\s*'([^']+)'/g)].map(
    ([, method, path]) => `${method?.toUpperCase()} ${path?.replace(':name', 'NAME')}`,
  );
  expect(routes.length).toBeGreaterThan(4);
  const described = [...page.matchAll(/^\| `((?:GET|POST) [^`]+)` \|/gm)].map(([, route]) => route);
  expect(described.sort()).toEqual(routes.sort());
});

test('the limits are those of the code', () => {
  expect(page).toContain(`at most ${MAX_HASHES.toLocaleString('en')}, or \`all\``);
  expect(page).toContain(`describes version ${API_VERSION}.`);
  expect(server).toContain('BODY_LIMIT = 128 * 1024');
  expect(server).toContain('MAX_CONNECTIONS = 128');
});
