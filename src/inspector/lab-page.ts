/** The lab as one HTML file that needs neither network nor server. */
import { makePage } from './page.ts';
import { referenceBlock } from './reference.ts';

export async function labPage(): Promise<string> {
  const { html } = await makePage({
    title: 'murmure lab',
    kind: 'lab',
    connects: false,
    data: [await referenceBlock()],
  });
  return html;
}
