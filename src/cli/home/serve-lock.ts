/** Who may run the peer of a home: one process at a time. */
import { takeLock } from '../../store/process-lock.ts';
import { HomeInUseError } from '../errors.ts';
import type { Home } from './home.ts';

/** Takes the lock at once or not at all; disposing of it lets go. @throws HomeInUseError, and what is wrong with the folder */
export function lockHome(home: Home): Disposable {
  return takeLock(home.lockFile, (pid) => new HomeInUseError(home.folder, pid));
}

/** As above, for the front end that keeps drafts and the reading position. */
export function lockFrontEnd(home: Home): Disposable {
  return takeLock(home.frontEndLockFile, (pid) => new HomeInUseError(home.folder, pid));
}

/** As above, for the `serve` that is to run the peer once the front end has ended. */
export function lockStandby(home: Home): Disposable {
  return takeLock(home.standbyLockFile, (pid) => new HomeInUseError(home.folder, pid));
}
