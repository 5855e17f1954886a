/** How a command that runs until it is stopped ends. */
import { StoppedError } from '../errors.ts';
import { exitCodeOf } from './exit-codes.ts';

/** 130 for SIGINT. 0 for SIGTERM, which is how services are stopped, and for output that nobody reads any longer. */
export function exitCodeOfStop(signal: AbortSignal): number {
  const { reason } = signal as { reason: unknown };
  return reason instanceof StoppedError && reason.stopCause !== 'SIGINT' ? 0 : exitCodeOf('interrupted');
}
