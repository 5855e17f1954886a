/** The page as one script and one style sheet: for the build, and at once where murmure runs from its sources. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { colors } from '../../diagrams/draw/palette.ts';
import type { PageFiles, PageKind } from '../inspector/page.ts';

const entries: Readonly<Record<PageKind, string>> = { page: 'main.tsx', lab: 'lab/main.tsx' };

export async function bundlePage(kind: PageKind): Promise<PageFiles> {
  const bundle = await rolldown({
    input: fileURLToPath(new URL(entries[kind], import.meta.url)),
    platform: 'browser',
    tsconfig: fileURLToPath(new URL('tsconfig.json', import.meta.url)),
    transform: { define: { 'globalThis.process': 'undefined' } },
    checks: { pluginTimings: false },
  });
  const { output } = await bundle.generate({ format: 'iife', minify: true });
  await bundle.close();
  const styles = ['style.css', 'network.css', 'reading.css', 'lab/lab.css'].map(
    (name) => new URL(name, import.meta.url),
  );
  const texts = await Promise.all(styles.map((style) => readFile(style, 'utf8')));
  return { script: output[0].code, style: [...texts, drawingStyle()].join('\n') };
}

/** The drawings' own style sheet follows the system: here a person may choose. */
function drawingStyle(): string {
  const rules = Object.values(colors).flatMap(([light, dark]) => [
    `[data-theme=dark] .drawing [fill="${light}"]{fill:${dark}}`,
    `[data-theme=dark] .drawing [stroke="${light}"]{stroke:${dark}}`,
  ]);
  return rules.join('\n');
}
