/** The errors that the command line itself finds, a class each. What they say: what happened, to what, and what to do. */
import { MurmureError } from '../wire/murmure-error.ts';
import { systemReason } from './output/system-failure.ts';

/** The user asked for something that cannot be meant. */
export class UsageError extends MurmureError {
  override readonly name = 'UsageError';

  constructor(message: string) {
    super('usage', message);
  }
}

/** The home folder has no identity yet. */
export class NoIdentityError extends MurmureError {
  override readonly name = 'NoIdentityError';

  constructor(folder: string) {
    super(
      'usage',
      `there is no identity in ${folder}: create one with "murmure init NAME", or choose another folder with --home`,
    );
  }
}

/** The home folder has an identity already. */
export class IdentityExistsError extends MurmureError {
  override readonly name = 'IdentityExistsError';

  constructor(folder: string, name: string) {
    super(
      'usage',
      `${folder} is already the home of "${name}", and was not changed: choose another folder with --home`,
    );
  }
}

/** The key in this home is not the one that it was made with. */
export class ForeignKeyError extends MurmureError {
  override readonly name = 'ForeignKeyError';

  constructor(path: string, name: string) {
    super('invalid-data', `the key in ${path} is not the key of "${name}": restore the right one from a backup`);
  }
}

/** Another process serves this home. */
export class HomeInUseError extends MurmureError {
  override readonly name = 'HomeInUseError';

  constructor(folder: string, pid: number | undefined) {
    const who = pid === undefined ? '' : ` (process ${pid})`;
    super(
      'in-use',
      `another murmure${who} is already running on ${folder}: stop it first, or choose another folder with --home`,
    );
  }
}

/** An option of a command that acts through a running peer, which was started otherwise. */
export class ContradictingOptionError extends MurmureError {
  override readonly name = 'ContradictingOptionError';

  constructor(option: string, folder: string, pid: number, uses?: string) {
    const why = uses === undefined ? 'which was started without it' : `which uses ${uses}`;
    super(
      'usage',
      `${option} cannot be used here: this command acts through the murmure that runs on ${folder} (process ${pid}), ${why}. Leave it out, or stop that one first`,
    );
  }
}

/** Nothing in this home goes by this name. `meant` is a name that is like it. */
export class UnknownPeerError extends MurmureError {
  override readonly name = 'UnknownPeerError';

  constructor(name: string, meant?: string) {
    const todo = meant === undefined ? 'download' : `did you mean "${meant}"? Otherwise download`;
    super(
      'peer-unknown',
      `nothing is known of "${name}" here: ${todo} its messages first, with "murmure sync ${name}"`,
    );
  }
}

/** No list of people goes by this name. `meant` is the name of one that is like it. */
export class UnknownListError extends MurmureError {
  override readonly name = 'UnknownListError';

  constructor(list: string, meant?: string) {
    const todo =
      meant === undefined
        ? `"murmure list" shows those there are, and "murmure list add ${list} PEER" makes one`
        : `did you mean "${meant}"?`;
    super('peer-unknown', `there is no list of people called "${list}": ${todo}`);
  }
}

/** Nobody at the directory goes by this name, but somebody by `meant`, which is like it. */
export class NobodyOfThatNameError extends MurmureError {
  override readonly name = 'NobodyOfThatNameError';

  constructor(name: string, meant: string) {
    super('peer-unknown', `the directory lists nobody called "${name}": did you mean "${meant}"? If not, add --force`);
  }
}

/** The directory lists nobody under this name now, so that it hands out no key either. */
export class NotListedError extends MurmureError {
  override readonly name = 'NotListedError';

  constructor(name: string) {
    super(
      'peer-unknown',
      `the directory does not list "${name}" now, so it hands out no key: check the spelling, or try again while "${name}" is online`,
    );
  }
}

/** No message of this hash is stored. */
export class UnknownMessageError extends MurmureError {
  override readonly name = 'UnknownMessageError';

  constructor(hash: string) {
    super(
      'invalid-data',
      `no stored message has a hash that starts with ${hash}: check the hash, or sync with its author first`,
    );
  }
}

/** No peer runs on this home, so that there is nothing to tell. */
export class NotServingError extends MurmureError {
  override readonly name = 'NotServingError';

  /** `otherwise`: what else would do. */
  constructor(folder: string, otherwise = 'open the front end with "murmure"') {
    super('usage', `no murmure is running on ${folder}: start one with "murmure serve", or ${otherwise}`);
  }
}

/** Only one's own messages can be taken back. */
export class ForeignMessageError extends MurmureError {
  override readonly name = 'ForeignMessageError';

  constructor(hash: string, author: string) {
    super('usage', `message ${hash.slice(0, 12)} is by "${author}", and only its author can withdraw it`);
  }
}

/** Others have more of our history than this home, which was restored from a backup. */
export class NewerMessagesError extends MurmureError {
  override readonly name = 'NewerMessagesError';

  constructor(peers: readonly string[]) {
    const named = peers.slice(0, 3).map((peer) => `"${peer}"`);
    const more = peers.length > named.length ? [`${peers.length - named.length} more`] : [];
    const who = new Intl.ListFormat('en').format([...named, ...more]);
    super(
      'invalid-data',
      `${who} ${peers.length === 1 ? 'has' : 'have'} messages of yours that are newer than the backup of this home, and publishing now would delete them for everybody: import a newer backup into another --home, or accept the loss with "murmure key resume"`,
    );
  }
}

/** The database of a home is gone, and with it what was published from there. */
export class LostMessagesError extends MurmureError {
  override readonly name = 'LostMessagesError';

  constructor(file: string) {
    super(
      'invalid-data',
      `the database of this home was gone, and ${file} is a new one: with your next message, everybody would drop all that you have published before; put the former database or a backup of it back, import a backup of "murmure key export" into another --home, or accept the loss with "murmure key resume"`,
    );
  }
}

/** Nobody could say whether there is more of our history than in this home, which was restored from a backup. */
export class NobodyAskedError extends MurmureError {
  override readonly name = 'NobodyAskedError';

  constructor(peer: string, why: string) {
    super(
      'peer-unreachable',
      `this home was restored from a backup, and nobody you follow could be asked for newer messages of yours, and publishing would delete those for everybody ("${peer}": ${why}): try again later, or accept the risk with "murmure key resume"`,
    );
  }
}

/** There is nothing to edit a text with. */
export class NoEditorError extends MurmureError {
  override readonly name = 'NoEditorError';

  constructor(why: string) {
    super('usage', `${why}: set VISUAL or EDITOR to an editor that is installed`);
  }
}

/** The editor did not end well: what is in its file may not be meant. */
export class EditorFailedError extends MurmureError {
  override readonly name = 'EditorFailedError';

  constructor(command: string, end: number | NodeJS.Signals) {
    const how = typeof end === 'number' ? `exit code ${end}` : end;
    super('unexpected', `the editor "${command}" ended with ${how}: the text was not changed`);
  }
}

/** A file that is to be written exists already. */
export class FileExistsError extends MurmureError {
  override readonly name = 'FileExistsError';

  constructor(path: string) {
    super('usage', `${path} exists already, and was not overwritten: choose another name`);
  }
}

/** A file of the home, or one that the user named, is not what it should be. */
export class InvalidFileError extends MurmureError {
  override readonly name = 'InvalidFileError';

  constructor(path: string, why: string) {
    super('invalid-data', `${path} cannot be used (${why}): correct it or move it away`);
  }
}

/** The time that --timeout gives was not enough. */
export class TimedOutError extends MurmureError {
  override readonly name = 'TimedOutError';

  constructor(timeoutMs: number) {
    super(
      'peer-unreachable',
      `the command did not finish within ${timeoutMs / 1000} s: try again, or allow more time with --timeout`,
    );
  }
}

/** As `TimedOutError`, where only the directory was waited for. */
export class DirectoryTimedOutError extends MurmureError {
  override readonly name = 'DirectoryTimedOutError';

  constructor(directory: string) {
    super(
      'directory-unreachable',
      `the directory ${directory} did not answer in time: try again, or allow more time with --timeout`,
    );
  }
}

export type StopCause = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'EPIPE';

/** The run has to end: a signal came, or nobody reads its output any longer. */
export class StoppedError extends MurmureError {
  override readonly name = 'StoppedError';
  readonly stopCause: StopCause;

  constructor(stopCause: StopCause) {
    super('interrupted', 'interrupted; everything done before is kept');
    this.stopCause = stopCause;
  }
}

/** Standard output takes nothing more. */
export class OutputFailedError extends MurmureError {
  override readonly name = 'OutputFailedError';

  constructor(cause: NodeJS.ErrnoException) {
    super(
      'unexpected',
      `the output could not be written: ${systemReason(cause)}; everything that the command did is kept`,
      {
        cause,
      },
    );
  }
}
