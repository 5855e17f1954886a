/** Writes the page's script and style sheet into the folder that is named: `npm run build`. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundlePage } from './bundle.ts';

const [, , folder = 'dist/src/web'] = process.argv;
const { script, style } = await bundlePage();
await mkdir(folder, { recursive: true });
await writeFile(join(folder, 'page.js'), script);
await writeFile(join(folder, 'page.css'), style);
