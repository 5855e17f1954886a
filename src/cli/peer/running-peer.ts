/** The peer that another process runs on this home: commands act through it, so that one home is one peer. */
import { existsSync } from 'node:fs';
import type { StoreWish, WishAnswer } from '../../../machines/wishes.ts';
import type { LocalApi } from '../../local-api/client.ts';
import type { LocalStatus } from '../../local-api/schemas.ts';
import { MurmureError } from '../../wire/murmure-error.ts';
import { abortable } from '../abortable.ts';
import type { CommandContext } from '../context.ts';
import { ContradictingOptionError } from '../errors.ts';
import type { Progress } from '../output/progress.ts';

type Context = Pick<CommandContext, 'settings' | 'signal' | 'output'>;

/** Undefined: none runs, or it does not answer, which is said. @throws ContradictingOptionError */
export async function findRunningPeer(context: Context): Promise<LocalApi | undefined> {
  try {
    return await reachRunningPeer(context);
  } catch (error) {
    if (!(error instanceof MurmureError) || error.code !== 'in-use') throw error;
    context.output.warn(`${error.message}. Meanwhile this command works by itself`);
    return undefined;
  }
}

export interface ReachOptions {
  /** This process will run a peer of its own later, with its own options. */
  readonly mayDiffer?: boolean;
  /** Where nothing can be shown, `noProgress`. */
  readonly progress?: Progress;
}

/**
 * As above, for commands that are about the running peer.
 * @throws MurmureError `in-use` for one that does not answer
 */
export async function reachRunningPeer(
  { settings, signal, output }: Context,
  { mayDiffer = false, progress = output.progress() }: ReachOptions = {},
): Promise<LocalApi | undefined> {
  const { localApiFile } = settings.home;
  // Most commands run where there is none: they need not load a client.
  if (!existsSync(localApiFile)) return undefined;
  const { findLocalApi } = await import('../../local-api/client.ts');
  using waiting = progress;
  waiting.tell('waiting for the murmure that runs on this home');
  const api = await abortable(findLocalApi(localApiFile), signal);
  if (api === undefined || mayDiffer) return api;
  try {
    await requireSameTerms(settings, api.process, async () => (await abortable(api.status(), signal)).directoryUrl);
    return api;
  } catch (error) {
    await api.close();
    throw error;
  }
}

/** The running peer keeps the directory and the journal that it was started with. @throws ContradictingOptionError */
export async function requireSameTerms(
  settings: CommandContext['settings'],
  pid: number,
  directoryUrl: () => Promise<string> | string,
): Promise<void> {
  const { folder } = settings.home;
  if (settings.record !== undefined) throw new ContradictingOptionError('--record', folder, pid);
  const directory = askedDirectory(settings);
  if (directory === undefined) return;
  const url = await directoryUrl();
  if (URL.parse(directory.url)?.href !== URL.parse(url)?.href)
    throw new ContradictingOptionError(directory.source, folder, pid, url);
}

/** For commands that download: the running peer does that on its own terms. @throws ContradictingOptionError */
export function requireNoQuota({ home, origins }: CommandContext['settings'], pid: number): void {
  const isAsked = origins.some(({ setting, from }) => setting === 'quota' && from === 'flag');
  if (isAsked) throw new ContradictingOptionError('--quota', home.folder, pid, 'its own quota');
}

/** Where a directory was named for this command alone. One in the settings file may be newer than the running peer. */
function askedDirectory({ directory, origins }: CommandContext['settings']) {
  const origin = origins.find(({ setting }) => setting === 'directory');
  const isAsked = origin?.from === 'flag' || origin?.from === 'environment';
  return isAsked && directory !== undefined ? { url: directory, source: origin.source ?? '--directory' } : undefined;
}

/**
 * What the running peer makes of these wishes, one after the other; undefined: none runs. `look`: at how it stands then.
 * @throws MurmureError as the peer fails
 */
export async function askRunningPeer<T extends WishAnswer['type']>(
  context: Context,
  wishes: readonly WithoutTicket<StoreWish>[],
  type: T,
  look?: (status: LocalStatus) => void,
): Promise<readonly Extract<WishAnswer, { type: T }>[] | undefined> {
  const api = await findRunningPeer(context);
  if (api === undefined) return undefined;
  try {
    const answers: Extract<WishAnswer, { type: T }>[] = [];
    for (const wish of wishes) {
      const ticket = `${process.pid}.${crypto.randomUUID()}`;
      const answer = await abortable(api.wish({ ...wish, ticket } as StoreWish), context.signal);
      if (answer?.type === 'wish.failed') throw new MurmureError(answer.failure.code, answer.failure.message);
      if (!isOfType(answer, type)) throw new Error(`the running peer answers a "${wish.type}" with "${answer?.type}"`);
      answers.push(answer);
    }
    look?.(await abortable(api.status(), context.signal));
    return answers;
  } finally {
    await api.close();
  }
}

function isOfType<T extends WishAnswer['type']>(
  answer: WishAnswer | undefined,
  type: T,
): answer is Extract<WishAnswer, { type: T }> {
  return answer?.type === type;
}

type WithoutTicket<T> = T extends unknown ? Omit<T, 'ticket'> : never;
