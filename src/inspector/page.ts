/** The inspector's page as HTML: its script and style are in it, and it may load nothing and run nothing else. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** The inspector, or the lab. */
export type PageKind = 'page' | 'lab';

export interface PageFiles {
  readonly script: string;
  readonly style: string;
}

/** BOUNDED by the kinds: what was made once in this process. */
const bundled = new Map<PageKind, Promise<PageFiles>>();

/** What the build has made, or, where murmure runs from its sources, made now. */
async function pageFiles(kind: PageKind): Promise<PageFiles> {
  const built = new URL(`../web/${kind}.js`, import.meta.url);
  if (existsSync(built)) {
    const style = new URL('../web/page.css', import.meta.url);
    return { script: await readFile(built, 'utf8'), style: await readFile(style, 'utf8') };
  }
  const known = bundled.get(kind);
  if (known !== undefined) return known;
  // Not by its name: what bundles is not part of the package.
  const bundler = (await import(new URL('../web/bundle.ts', import.meta.url).href)) as {
    bundlePage(kind: PageKind): Promise<PageFiles>;
  };
  const files = bundler.bundlePage(kind);
  bundled.set(kind, files);
  return files;
}

export interface Page {
  readonly html: string;
  /** Content-Security-Policy. */
  readonly policy: string;
}

export interface DataBlock {
  readonly type: string;
  readonly id?: string;
  readonly text: string;
}

export interface PageOptions {
  readonly title: string;
  /** Default: the inspector. */
  readonly kind?: PageKind;
  /** Blocks of data that the page finds in itself. */
  readonly data?: readonly DataBlock[];
  /** Whether it asks the server that it comes from. */
  readonly connects: boolean;
}

export async function makePage({ title, kind = 'page', data = [], connects }: PageOptions): Promise<Page> {
  const files = await pageFiles(kind);
  // Within a script element only its end tag, and what opens a comment, mean anything.
  const script = files.script.replaceAll(/<(?=\/script|!--|script)/gi, '\\x3C');
  const style = files.style;
  const policy = [
    "default-src 'none'",
    `script-src ${hashSource(script)}`,
    `style-src ${hashSource(style)}`,
    ...(connects ? ["connect-src 'self'"] : []),
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const blocks = data.map(
    ({ type, id, text }) =>
      `<script type="${type}"${id === undefined ? '' : ` id="${id}"`}>${text.replaceAll('<', '\\u003c')}</script>\n`,
  );
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width">
<meta name="referrer" content="no-referrer">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<div id="app"></div>
${blocks.join('')}<script>${script}</script>
</body>
</html>
`;
  return { html, policy };
}

function hashSource(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
