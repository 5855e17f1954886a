/** Exit codes: the last table of the command line contract (docs/cli.md). */
import { StoppedError } from '../errors.ts';

const EXIT_CODES: Readonly<Record<string, number>> = {
  unexpected: 1,
  usage: 2,
  'directory-unreachable': 3,
  'peer-unknown': 4,
  'peer-unreachable': 5,
  authentication: 6,
  'invalid-data': 7,
  'in-use': 8,
  interrupted: 130,
};

/** The codes of failures, from the one that says least about the whole to the one that says most. */
const BY_SEVERITY = [
  'peer-unknown',
  'peer-unreachable',
  'authentication',
  'invalid-data',
  'in-use',
  'directory-unreachable',
  'unexpected',
];

/** The exit code for an error's `code`; 1 for one that is not in the table. */
export function exitCodeOf(code: string): number {
  return EXIT_CODES[code] ?? 1;
}

/** Orders error codes, worst last. A code that is not in the table counts as unexpected. */
export function compareSeverity(left: string, right: string): number {
  return severity(left) - severity(right);
}

function severity(code: string): number {
  const rank = BY_SEVERITY.indexOf(code);
  return rank === -1 ? BY_SEVERITY.length : rank;
}

/** Of a command that runs until it is stopped: 130 for SIGINT. 0 for SIGTERM, which is how services are stopped, and for output that nobody reads any longer. */
export function exitCodeOfStop(signal: AbortSignal): number {
  const { reason } = signal as { reason: unknown };
  return reason instanceof StoppedError && reason.stopCause !== 'SIGINT' ? 0 : exitCodeOf('interrupted');
}
