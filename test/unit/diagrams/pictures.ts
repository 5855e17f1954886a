/** What a person would read in a picture. */

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replaceAll(/&(#\d+|\w+);/g, (_, entity: string) =>
    entity.startsWith('#') ? String.fromCodePoint(Number(entity.slice(1))) : (ENTITIES[entity] as string),
  );
}

function tidy(text: string): string {
  return text.replaceAll(/[\s\u00a0]+/g, ' ').trim();
}

/** Each piece of text of an SVG, in order. */
export function textsOf(svg: string): string[] {
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => tidy(unescapeXml(text as string)));
}

/** Each arrow of an SVG: "source->target". */
export function arrowsOf(svg: string): string[] {
  return [...svg.matchAll(/class="edge">\n<title>([^<]*)<\/title>/g)].map(([, title]) => unescapeXml(title as string));
}

/** A Mermaid diagram's lines with what is escaped in it as it is shown. */
export function mermaidLinesOf(mermaid: string): string[] {
  return mermaid
    .replaceAll('<br/>', '\n')
    .split('\n')
    .map((line) => tidy(line.replaceAll(/#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))));
}

/** Throws at a tag that is not closed, or a character that XML does not allow where it stands. */
export function assertWellFormed(xml: string): void {
  const open: string[] = [];
  const rest = xml.replaceAll(
    /<(\/?)([a-z]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/g,
    (_, closing, name, _attributes, empty) => {
      if (closing === '/') {
        const last = open.pop();
        if (last !== name) throw new Error(`</${name}> closes <${last}>`);
      } else if (empty !== '/') {
        open.push(name);
      }
      return '';
    },
  );
  if (open.length > 0) throw new Error(`<${open.join('>, <')}> stay open`);
  const stray = /[<\p{Cs}]|(?!\s)\p{Cc}|&(?!#\d+;|amp;|lt;|gt;|quot;|apos;)/u.exec(rest);
  if (stray !== null) throw new Error(`stray ${JSON.stringify(rest.slice(stray.index, stray.index + 40))}`);
}
