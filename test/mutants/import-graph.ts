/** Which tests can notice a change of a file: those whose imports lead to it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'oxc-parser';

export class ImportGraph {
  readonly #root: string;
  readonly #imports = new Map<string, readonly string[]>();
  readonly #reached = new Map<string, ReadonlySet<string>>();

  /** Files are named relative to this folder. */
  constructor(root: string) {
    this.#root = root;
  }

  /** The file itself, and all that loading it loads. Types load nothing. */
  reachedFrom(file: string): ReadonlySet<string> {
    const known = this.#reached.get(file);
    if (known !== undefined) return known;
    const reached = new Set([file]);
    // A set hands out what is added to it on the way.
    for (const next of reached) for (const imported of this.#importsOf(next)) reached.add(imported);
    this.#reached.set(file, reached);
    return reached;
  }

  #importsOf(file: string): readonly string[] {
    const imports = this.#imports.get(file) ?? importsIn(file, readFileSync(join(this.#root, file), 'utf8'));
    this.#imports.set(file, imports);
    return imports;
  }
}

/** TypeScript of ours that a source imports, or exports from elsewhere. */
function importsIn(file: string, source: string): string[] {
  const { module } = parseSync(file, source);
  const dynamic = module.dynamicImports.map(({ moduleRequest: { start, end } }) => source.slice(start + 1, end - 1));
  const requests = [
    ...module.staticImports.filter(({ entries }) => isLoaded(entries)).map(({ moduleRequest }) => moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) =>
      isLoaded(entries) ? entries.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []) : [],
    ),
    ...dynamic,
  ];
  return requests.filter((path) => /^\.{1,2}\/.*\.ts$/.test(path)).map((path) => join(file, '..', path));
}

/** `import 'x'` names nothing, and loads all the same. */
function isLoaded(entries: readonly { readonly isType: boolean }[]): boolean {
  return entries.length === 0 || entries.some(({ isType }) => !isType);
}
