/** `murmure follow`, `unfollow` and `following`: whose messages `sync` and `serve` download. A running `serve` notices. */
import type { Command } from 'commander';
import { safeLine } from '../../feed/safe-text.ts';
import type { FollowedStanding } from '../../peer/status.ts';
import { requireUnblocked } from '../../store/blocked.ts';
import { followedPeers } from '../../store/followed.ts';
import { isMuted } from '../../store/muting.ts';
import type { Store } from '../../store/store.ts';
import { MurmureError } from '../../wire/murmure-error.ts';
import { abortable } from '../abortable.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { UsageError } from '../errors.ts';
import { openStore } from '../home/open-home.ts';
import { withKnownOfLists, withLists } from '../input/peer-lists.ts';
import { type LookUpOptions, requirePeers, requireStoredPeers } from '../input/peer-names.ts';
import { askRunningPeer, reachRunningPeer } from '../peer/running-peer.ts';
import { doubtMarks } from '../render/message-marks.ts';
import { doubtsAmong } from '../render/name-doubts.ts';
import { renderFollowed } from '../render/peers.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('follow')
    .summary('follow peers')
    .description(
      'Follows peers: sync and serve download what they publish. You may follow a peer before it is first listed. A name that is not listed, but is very similar to that of a listed peer, is refused as a likely typing error. --quota sets the most messages that their feeds may have from now on, and replaces the general quota for them.',
    )
    .argument('<peer...>', 'whom to follow; @LIST for all of a list')
    .option('--force', 'follow them without asking the directory whether the names are right')
    .addHelpText('after', examples('follow alice', 'follow alice bob', 'follow alice --quota 3000000'))
    .action((peers: string[], options: LookUpOptions) => run((context) => follow(context, peers, options)));
  program
    .command('unfollow')
    .summary('stop following peers')
    .description('Stops following peers. Messages already downloaded are kept.')
    .argument('<peer...>', 'whom to stop following; @LIST for all of a list')
    .addHelpText('after', examples('unfollow alice'))
    .action((peers: string[]) => run((context) => unfollow(context, peers)));
  program
    .command('following')
    .summary('list the peers you follow')
    .description(
      'Lists the peers you follow, and, if a peer runs on this home, which of them do not answer. Works offline.',
    )
    .addHelpText('after', examples('following'))
    .action(() => run(following));
}

async function follow(context: CommandContext, peers: readonly string[], options: LookUpOptions): Promise<void> {
  const { name, store: opened } = await openStore(context.settings.home);
  using store = opened;
  if (peers.includes(name)) throw new UsageError(`"${name}" is yourself: your own messages are here already`);
  const untilListed = 'serve and sync look for that name from now on';
  const wanted = withLists(store, peers);
  for (const peer of wanted) requireUnblocked(store, peer);
  const names = await requirePeers(context, { ...options, names: wanted, store, ownName: name, untilListed });
  warnOfDoubts(context, names, doubtsAmong(name, store));
  const { settings, nowMs } = context;
  const isAsked = settings.origins.some(({ setting, from }) => setting === 'quota' && from === 'flag');
  const quota = isAsked ? settings.quota : undefined;
  // First, so that the download that following begins is on these terms.
  if (quota !== undefined) for (const peer of names) store.setQuota(peer, quota, nowMs());
  await setFollowing(context, store, names, true, quota);
}

/** Only a warning: two people may really have such names. */
function warnOfDoubts(
  { output }: CommandContext,
  names: readonly string[],
  doubtsOf: ReturnType<typeof doubtsAmong>,
): void {
  for (const name of names) {
    const doubts = doubtMarks(doubtsOf(name));
    if (doubts.length === 0) continue;
    output.warn(`"${name}": ${doubts.join(', ')}; compare the fingerprint, which "murmure peers" shows`);
  }
}

async function unfollow(context: CommandContext, peers: readonly string[]): Promise<void> {
  using store = (await openStore(context.settings.home)).store;
  await setFollowing(context, store, requireStoredPeers(store, withKnownOfLists(store, peers)), false);
}

async function setFollowing(
  context: CommandContext,
  store: Store,
  names: readonly string[],
  following: boolean,
  quota?: number,
): Promise<void> {
  const { output, nowMs } = context;
  const wishes = names.map((name) => ({ type: 'follow.wanted', name, following }) as const);
  const answers = await askRunningPeer(context, wishes, 'follow.changed');
  if (answers === undefined) for (const name of names) store.setFollowing(name, following, nowMs());
  const upTo = quota === undefined ? '' : `, up to ${quota} messages`;
  for (const peer of names) {
    const said = following ? `You now follow ${safeLine(peer)}${upTo}.` : `You no longer follow ${safeLine(peer)}.`;
    output.data({ peer, following, ...(quota !== undefined && { quota }) }, () => said);
  }
}

async function following(context: CommandContext): Promise<void> {
  const { settings, output, nowMs } = context;
  const { name: ownName, store: opened } = await openStore(settings.home);
  using store = opened;
  const followed = followedPeers(store, ownName);
  const standings = await standingsNow(context);
  for (const peer of followed) {
    const { name, root, messages, quota } = peer;
    const standing = standings.get(name);
    const lastSyncMs = standing?.lastSyncMs ?? peer.lastSyncMs;
    const line = {
      peer: name,
      following: true,
      muted: isMuted(peer, nowMs()),
      root: root ?? null,
      messages,
      quota: quota ?? null,
      lastSync: lastSyncMs === undefined ? null : new Date(lastSyncMs).toISOString(),
      state: standing?.state ?? null,
      error: standing?.failure ?? null,
    };
    output.data(line, (paint) => renderFollowed(line, paint));
  }
  if (followed.length === 0)
    output.note('You follow nobody yet: "murmure peers" lists names, and "murmure follow PEER" follows one.');
}

/** As a running peer has it. What it lists is in the home, so that nothing else depends on that peer. */
async function standingsNow(context: CommandContext): Promise<ReadonlyMap<string, FollowedStanding>> {
  try {
    const api = await reachRunningPeer(context);
    if (api === undefined) return new Map();
    await using _api = { [Symbol.asyncDispose]: () => api.close() };
    const { following } = await abortable(api.status(), context.signal);
    return new Map(following.map((standing) => [standing.peer, standing]));
  } catch (error) {
    if (context.signal.aborted || !(error instanceof MurmureError)) throw error;
    return new Map();
  }
}
