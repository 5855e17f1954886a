/** Which terminals know hyperlinks (OSC 8). Others would show nothing of them, but a few show them as litter. */
import type { Environment } from '../streams.ts';

const PROGRAMS: readonly string[] = ['iTerm.app', 'WezTerm', 'vscode', 'ghostty', 'Hyper', 'rio', 'Tabby', 'mintty'];
const TERMINALS = /^(?:xterm-kitty|xterm-ghostty|alacritty|foot|contour|wezterm)/;
/** VTE 0.50, Konsole 20.12: the first that can. */
const FIRST_VTE = 5_000;
const FIRST_KONSOLE = 201_200;

/** `FORCE_HYPERLINK=1` says that it does, `0` that it does not, as other programs have it. */
export function knowsHyperlinks(env: Environment): boolean {
  const { FORCE_HYPERLINK: forced, TERM: term = '', TERM_PROGRAM: program = '' } = env;
  if (forced !== undefined && forced !== '') return forced !== '0';
  return (
    PROGRAMS.includes(program) ||
    TERMINALS.test(term) ||
    Number(env.VTE_VERSION ?? 0) >= FIRST_VTE ||
    Number(env.KONSOLE_VERSION ?? 0) >= FIRST_KONSOLE ||
    env.WT_SESSION !== undefined
  );
}

/** `href` is an address as the URL parser writes it: no character in it can end the sequence. Ended by BEL, it may be wrapped. */
export function hyperlink(text: string, href: string): string {
  return `\u001B]8;;${href}\u0007${text}\u001B]8;;\u0007`;
}
