/** Graphviz graphs drawn as SVG, by Graphviz compiled to WebAssembly: the same bytes on every machine. */
import { Graphviz } from '@hpcc-js/wasm-graphviz';
import { pictureStyle } from './palette.ts';
import { type Picture, toDot } from './picture.ts';
import { placesIn } from './places.ts';
import { escapeXml } from './text.ts';

/** Helvetica's widths are what Graphviz reckons with; the next two are as wide, the one after them nearly. */
export const FONTS = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans Condensed', sans-serif";

/** @param description what the picture shows, in a sentence, for whoever cannot see it */
export async function drawSvg(picture: Picture, description: string): Promise<string> {
  const graphviz = await Graphviz.load();
  const sketch = graphviz.layout(toDot(picture), 'svg', 'dot');
  const drawn = graphviz.layout(toDot(picture, placesIn(picture, sketch)), 'svg', 'dot');
  const drawing = drawn
    .slice(drawn.indexOf('<svg') + '<svg'.length)
    .replaceAll(/<!--.*?-->\n?/gs, '')
    .replaceAll(/font-family="[^"]*"/g, `font-family="${FONTS}"`)
    .replace(/width="(\d+)pt" height="(\d+)pt"/, 'width="$1" height="$2"')
    .replace('>\n', `>\n<style>${pictureStyle()}</style>\n`);
  return `<svg role="img" aria-label="${escapeXml(description)}"${labelsOnTop(drawing)}`;
}

const ARROW =
  /<g id="(edge\d+)" class="edge( backward)?">\n<title>(.*?)<\/title>\n(<path .*?\/>\n<polygon .*?\/>\n)(.*?)<\/g>\n/gs;

/** The labels of arrows lie over all arrows, and shine through none: their letters have a rim. */
function labelsOnTop(svg: string): string {
  const labels: string[] = [];
  const arrows = svg.replaceAll(ARROW, (_, id, backward, ends: string, line, label) => {
    labels.push(label);
    // Graphviz says, too, from which side an arrow comes.
    const title = ends.replaceAll(/:[ns](?=$|&#45;)/g, '');
    // Drawn from its end, it is called after its end.
    const name = backward === undefined ? title : title.split('&#45;&gt;').reverse().join('&#45;&gt;');
    return `<g id="${id}" class="edge">\n<title>${name}</title>\n${line}</g>\n`;
  });
  return arrows.replace(/<\/g>\n<\/svg>\n$/, () => `<g class="labels">\n${labels.join('')}</g>\n</g>\n</svg>\n`);
}
