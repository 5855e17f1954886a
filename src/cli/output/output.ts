/**
 * Where a command's words go: data to stdout, everything else to stderr. All text passes here on its way out: JSON is made safe to show
 * string by string, whatever command it comes from (protocol §9); human text is made safe where it is rendered, before it is coloured.
 */
import { styleText } from 'node:util';
import { safeLine, safeText } from '../../feed/safe-text.ts';
import { hyperlink, knowsHyperlinks } from '../render/hyperlinks.ts';
import type { Environment, OutputStream } from '../streams.ts';
import { noProgress, type Progress, ProgressDisplay } from './progress.ts';

/** Colours `text`, or returns it as it is where colour is not wanted. */
export interface Paint {
  (format: Parameters<typeof styleText>[0], text: string): string;
  /** Makes the text lead to a web address; absent where the terminal does not know how. */
  readonly link?: (text: string, href: string) => string;
}

export interface Output {
  readonly json: boolean;
  /** For text on stdout. */
  readonly paint: Paint;
  /** One value: a line of JSON with --json, else what `human` makes of it (safe to show, a newline is added; `''` prints nothing). */
  data(value: unknown, human: (paint: Paint) => string): void;
  /** News for a person, on stderr; silent with --quiet. */
  note(text: string): void;
  /** Something a person should look at, on stderr. */
  warn(text: string): void;
  /** For something that may take long: shown on stderr once it does; silent with --quiet. One at a time. */
  progress(): Progress;
  /** What failed, on stderr: for commands that go on after a failure; others throw. */
  fail(text: string): void;
}

export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly color: boolean;
}

export function createOutput(
  { stdout, stderr, env }: { stdout: OutputStream; stderr: OutputStream; env: Environment },
  { json, quiet, color }: OutputOptions,
): Output {
  const paint = createPaint(color && hasColors(stdout, env), knowsHyperlinks(env));
  const paintErrors = createPaint(color && hasColors(stderr, env));
  let shown: ProgressDisplay | undefined;
  return {
    json,
    paint,
    data(value, human) {
      const text = json ? toSafeJson(value) : human(paint);
      if (text === '') return;
      shown?.clear();
      stdout.write(`${text}\n`);
    },
    note(text) {
      if (quiet) return;
      shown?.clear();
      stderr.write(`${safeLine(text)}\n`);
    },
    progress() {
      if (quiet) return noProgress;
      shown = new ProgressDisplay(stderr, stderr.isTTY === true && env.TERM !== 'dumb');
      return shown;
    },
    warn(text) {
      shown?.clear();
      stderr.write(`${paintErrors('yellow', 'warning:')} ${safeLine(text)}\n`);
    },
    fail(text) {
      shown?.clear();
      stderr.write(`murmure: ${safeLine(text)}\n`);
    },
  };
}

/** JSON on one line, every string in it safe to show. */
export function toSafeJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'string' ? safeText(inner) : inner));
}

export function createPaint(enabled: boolean, hasLinks = false): Paint {
  if (!enabled) return (_format, text) => text;
  // The stream was looked at already, and is not always the process's own.
  const paint: Paint = (format, text) => styleText(format, text, { validateStream: false });
  return hasLinks ? Object.assign(paint, { link: hyperlink }) : paint;
}

/** https://no-color.org: any value but the empty one. */
function hasColors(stream: OutputStream, env: Environment): boolean {
  return stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
}
