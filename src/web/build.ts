/** Writes the pages' scripts and style sheet, and the lab as a file of its own, into the folder that is named: `npm run build`. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { labPage } from '../inspector/lab-page.ts';
import { bundlePage } from './bundle.ts';

const [, , folder = 'dist'] = process.argv;
const scripts = join(folder, 'src/web');
await mkdir(scripts, { recursive: true });
for (const kind of ['page', 'lab'] as const) {
  const { script, style } = await bundlePage(kind);
  await writeFile(join(scripts, `${kind}.js`), script);
  await writeFile(join(scripts, 'page.css'), style);
}
await mkdir(join(folder, 'docs'), { recursive: true });
await writeFile(join(folder, 'docs/lab.html'), await labPage());
