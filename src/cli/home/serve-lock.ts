/** At most one `serve` per home. */
import { takeLock } from '../../store/process-lock.ts';
import { HomeInUseError } from '../errors.ts';
import type { Home } from './home.ts';

/** Takes the lock at once or not at all; disposing of it lets go. @throws HomeInUseError, and what is wrong with the folder */
export function lockHome(home: Home): Disposable {
  return takeLock(home.lockFile, (pid) => new HomeInUseError(home.folder, pid));
}
