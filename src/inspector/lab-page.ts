/** The lab as one HTML file that needs neither network nor server. */
import { makePage, readCharts } from './page.ts';

export async function labPage(): Promise<string> {
  const charts = { type: 'application/json', id: 'charts', text: JSON.stringify(await readCharts()) };
  const { html } = await makePage({ title: 'murmure lab', kind: 'lab', connects: false, data: [charts] });
  return html;
}
