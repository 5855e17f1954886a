/** Peers as users name them: a name that nobody has, but that is like one that somebody has, is most likely mistyped. */
import type { Store } from '../../store/store.ts';
import { MurmureError } from '../../wire/murmure-error.ts';
import { abortable } from '../abortable.ts';
import { type CommandContext, requireDirectory } from '../context.ts';
import { NobodyOfThatNameError, UnknownPeerError } from '../errors.ts';
import { nearest } from './nearest.ts';
import { requireAskableName, requireValidName } from './validate.ts';

export interface LookUpOptions {
  /** Takes the names as they are, without asking the directory. */
  readonly force?: boolean;
}

export interface WantedPeers extends LookUpOptions {
  readonly names: readonly string[];
  readonly store: Store;
  readonly ownName: string;
  /** What happens with a name that nobody has yet: the end of a sentence. */
  readonly untilListed: string;
}

/**
 * Each name once. Those that this home does not know are looked up at the directory: one that is not listed is taken, and said to be absent,
 * as somebody may be followed before they first serve; but it is refused if somebody who is listed has almost that name. Where there is no
 * directory, or it does not answer, names are taken with a warning. @throws UsageError, NobodyOfThatNameError
 */
export async function requirePeers(
  context: CommandContext,
  { names, store, ownName, untilListed, force = false }: WantedPeers,
): Promise<readonly string[]> {
  for (const name of names) requireAskableName(name);
  const wanted = [...new Set(names)];
  const unknown = wanted.filter((name) => store.peer(name) === undefined);
  if (force || unknown.length === 0) return wanted;
  const listed = await listedNames(context);
  if (typeof listed === 'string') {
    for (const name of unknown) {
      const meant = nearest(name, knownNames(store));
      const proposal = meant === undefined ? '' : ` (did you mean "${meant}"?)`;
      context.output.warn(`nothing is known of "${name}" yet${proposal}, and ${listed}`);
    }
    return wanted;
  }
  const absent = unknown.filter((name) => !listed.includes(name));
  for (const name of absent) {
    const meant = likelyMeant(
      name,
      listed.filter((other) => other !== ownName),
    );
    if (meant !== undefined) throw new NobodyOfThatNameError(name, meant);
  }
  for (const name of absent) {
    context.output.note(`nobody called "${name}" is listed at the directory now: ${untilListed}`);
  }
  return wanted;
}

/** Each name once. @throws UsageError, UnknownPeerError for one that this home does not know */
export function requireStoredPeers(store: Store, names: readonly string[]): readonly string[] {
  for (const name of names) requireValidName(name);
  for (const name of names) {
    if (store.peer(name) === undefined) throw unknownPeer(store, name);
  }
  return [...new Set(names)];
}

/** Of everybody the directory lists, or why it cannot be asked. @throws UsageError for an address that is none */
async function listedNames(context: CommandContext): Promise<readonly string[] | string> {
  if (context.settings.directory === undefined) return 'no directory is given that could be asked';
  const { directory, ca } = await requireDirectory(context);
  const { createDirectoryHttp } = await import('../../peer/directory-http.ts');
  using progress = context.output.progress();
  progress.tell('waiting for the directory to say who is listed');
  try {
    const listed = await abortable(createDirectoryHttp({ url: directory, ca }).peers(context.signal), context.signal);
    return listed.map(({ name }) => name);
  } catch (error) {
    if (context.signal.aborted || !(error instanceof MurmureError)) throw error;
    return `the directory could not be asked: ${error.message}`;
  }
}

/** The name among these of which another one is a likely slip. One that differs by a number only, as peer2 and peer1, is none. */
export function likelyMeant(name: string, listed: readonly string[]): string | undefined {
  const unnumbered = (text: string) => text.replaceAll(/\d+/g, '#');
  return nearest(
    name,
    listed.filter((other) => unnumbered(other) !== unnumbered(name)),
  );
}

/** Added to an error about an unknown peer: the name that was probably meant. */
export function proposalFor(store: Store, name: string, code: string): string {
  if (code !== 'peer-unknown' || store.peer(name)?.key !== undefined) return '';
  const meant = nearest(
    name,
    knownNames(store).filter((known) => known !== name),
  );
  return meant === undefined ? '' : ` (did you mean "${meant}"?)`;
}

/** This home does not know the name. */
export function unknownPeer(store: Store, name: string): UnknownPeerError {
  return new UnknownPeerError(name, nearest(name, knownNames(store)));
}

function knownNames(store: Store): string[] {
  return store.peers().map(({ name }) => name);
}
