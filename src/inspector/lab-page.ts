/** The lab as one HTML file that needs neither network nor server. */
import { makePage } from './page.ts';
import { readReference } from './reference.ts';

export async function labPage(): Promise<string> {
  const reference = { type: 'application/json', id: 'reference', text: JSON.stringify(await readReference()) };
  const { html } = await makePage({ title: 'murmure lab', kind: 'lab', connects: false, data: [reference] });
  return html;
}
