/** The look of exported pages, in light and dark. It stands in each page, so that a page can be passed on alone. */
import { createHash } from 'node:crypto';

export const STYLE = `
:root { color-scheme: light dark; --page: #fbfcfe; --ink: #1f2937; --muted: #5d6878; --line: #d5dde8; --link: #1d4ed8; --mark: #9a5b06; }
@media (prefers-color-scheme: dark) {
  :root { --page: #0d1117; --ink: #e6ebf2; --muted: #9fabbb; --line: #2b3645; --link: #8fb4ff; --mark: #f0b866; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 42rem; background: var(--page); color: var(--ink);
  font: 1rem/1.55 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.6rem; line-height: 1.25; }
a { color: var(--link); text-underline-offset: .15em; }
a:focus-visible, article:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.about, footer, nav { color: var(--muted); font-size: .9rem; }
article { padding: 1.1rem 0; border-top: 1px solid var(--line); scroll-margin-top: 1rem; }
article:target { border-left: 3px solid var(--link); padding-left: .9rem; }
article header { display: flex; flex-wrap: wrap; gap: .2rem .75rem; align-items: baseline; }
.author { font-weight: 650; overflow-wrap: anywhere; }
time, .undated, article footer { color: var(--muted); font-size: .875rem; }
.answers, .replies { margin: .3rem 0; color: var(--muted); font-size: .9rem; overflow-wrap: anywhere; }
.body { margin: .45rem 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.mark { color: var(--mark); }
code { font: .8125rem ui-monospace, monospace; overflow-wrap: anywhere; }
nav { display: flex; flex-wrap: wrap; gap: .35rem 1rem; padding: 1.1rem 0; border-top: 1px solid var(--line); }
main + nav { margin-top: 0; }
`;

/** Nothing is loaded and nothing runs; this style alone is allowed (CSP Level 3). */
export const CONTENT_POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'`;
