/** The colours of all pictures: each with its light and its dark value. Light ones are in the picture itself; a style sheet swaps them. */

export const colors = {
  page: ['#fbfcfe', '#0d1117'],
  ink: ['#1f2937', '#e6ebf2'],
  muted: ['#5d6878', '#9fabbb'],
  line: ['#7a8797', '#8492a6'],
  arrow1: ['#2f6fb5', '#6aa7ea'],
  arrow2: ['#9a6233', '#d3a071'],
  arrow3: ['#2f8058', '#5fbf8f'],
  arrow4: ['#8a4fb0', '#c08be0'],
  arrow5: ['#a8325e', '#e8789f'],
  arrow6: ['#7d6b14', '#c9b34a'],
  arrow7: ['#168a94', '#3fc3cf'],
  arrow8: ['#5254c7', '#9496f2'],
  arrow9: ['#c2410c', '#fb9a6a'],
  event: ['#1d4ed8', '#8fb4ff'],
  guard: ['#9a5b06', '#f0b866'],
  action: ['#0b6b63', '#63d2c6'],
  child: ['#6d28d9', '#c8adff'],
  box: ['#f1f6fd', '#1a2433'],
  boxLine: ['#8eaedb', '#51719e'],
  final: ['#eef7ef', '#17271c'],
  finalLine: ['#7fae87', '#4f8059'],
  fetched: ['#fdf0dc', '#33260f'],
  fetchedLine: ['#c98a2b', '#b5812f'],
  groupLine: ['#b4c1d0', '#45566d'],
} as const;

export type ColorName = keyof typeof colors;

export function color(name: ColorName): string {
  return colors[name][0];
}

/** Renderers that know no media queries show the light values. */
export function pictureStyle(): string {
  const rules = Object.values(colors).flatMap(([light, dark]) => [
    `[fill="${light}"]{fill:${dark}}`,
    `[stroke="${light}"]{stroke:${dark}}`,
  ]);
  const [light, dark] = colors.page;
  const rim = (page: string) => `.labels text{stroke:${page}}`;
  return [
    '.labels text{paint-order:stroke;stroke-width:4px;stroke-linejoin:round}',
    rim(light),
    `@media (prefers-color-scheme:dark){${rules.join('')}${rim(dark)}}`,
  ].join('');
}
