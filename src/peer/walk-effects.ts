/** The effects of a download: they look up nodes in the store, keep those that come, and adopt the tree. */

import type { ReceivedNode } from '../../machines/events.ts';
import { merkleWalkMachine } from '../../machines/merkle-walk.machine.ts';
import { brokenDown, type LookedUp } from '../../machines/merkle-walk-context.ts';
import { toMessage } from '../feed/message.ts';
import { nextTurn } from '../runtime/clock.ts';
import type { CallOf } from '../runtime/shared-effects.ts';
import type { Hash } from '../wire/hash.ts';
import { failureFrom } from '../wire/murmure-error.ts';
import type { NodeBuffer } from './node-buffer.ts';
import type { PeerDependencies } from './peer-dependencies.ts';

export function provideMerkleWalk(
  { name: ownName, store, gate, clock, wallClock, tell, announce }: PeerDependencies,
  buffer: NodeBuffer,
) {
  const now = () => clock.now();
  const wallNow = () => wallClock.now();

  /** What a download needs from the store. If the disk fails, the download ends with the reason. */
  const inStore = ({ self, enter }: CallOf<'merkle-walk'>, work: () => void) => {
    try {
      work();
    } catch (error) {
      enter(self, { type: 'store.failed', failure: failureFrom(error) });
    }
  };

  /** What another copy of this home has published is added to what this one has. */
  const merge = (call: CallOf<'merkle-walk'>, { root, quota }: Pick<AdoptParams, 'root' | 'quota'>) => {
    const merged = store.merge(ownName, root, { nowMs: wallNow(), quota });
    if (merged.status !== 'incomplete') store.endWalk(ownName);
    if (merged.status !== 'merged')
      return call.enter(call.self, { type: 'tree.adopted', adoption: merged, atMs: now() });
    const { added, withdrawnMessages, totalMessages } = merged;
    const adoption = {
      ...{ status: 'adopted' as const, wentBack: false, added },
      ...{ newMessages: added.length, withdrawnMessages, totalMessages },
    };
    call.enter(call.self, { type: 'tree.adopted', adoption, atMs: now() });
    announce(merged.root);
    if (added.length === 0) return;
    const messages = store.messagesWith(added).map((kept) => toMessage(kept, wallNow()));
    tell({ type: 'messages.received', peer: ownName, hashes: added, messages });
  };

  return merkleWalkMachine.provide({
    actions: gate.effects({
      beginWalk: ({ self, enter }: CallOf<'merkle-walk'>, { name, root, authenticated, quota }: BeginParams) =>
        inStore({ self, enter }, () => {
          const isOwn = name === ownName;
          const isCurrent = isOwn ? store.ownFeed().root === root : store.isCurrent(name, root, { authenticated });
          const isSuperseded = store.wasCurrent(name, root);
          const known = store.peer(name);
          // Nodes that an earlier walk has just fetched count as known.
          buffer.flush();
          const terms = { authenticated, quota: known?.quota ?? quota };
          const isNew = !isCurrent && store.beginWalk(name, root, wallNow(), isOwn ? undefined : terms);
          const totalMessages = known?.messages ?? 0;
          const own = known?.quota === undefined ? {} : { quota: known.quota };
          enter(self, { type: 'walk.begun', isCurrent, isSuperseded, isNew, totalMessages, ...own, atMs: now() });
        }),
      lookUp: ({ self, enter }: CallOf<'merkle-walk'>, { hashes }: { hashes: readonly Hash[] }) =>
        inStore({ self, enter }, () => {
          const statuses = store.statusOf(hashes);
          const found = hashes.flatMap((hash, index): LookedUp[] => {
            const status = statuses[index] ?? 'missing';
            if (status === 'missing') return [];
            const value = status === 'partial' ? store.getNode(hash) : undefined;
            return [value === undefined ? { hash } : { hash, value }];
          });
          enter(self, { type: 'nodes.lookedUp', found });
        }),
      keepNodes: (call: CallOf<'merkle-walk'>, { nodes }: { nodes: readonly ReceivedNode[] }) =>
        inStore(call, () => buffer.add(nodes)),
      adoptTree: async ({ self, enter }: CallOf<'merkle-walk'>, { name, root, ...rest }: AdoptParams) => {
        try {
          buffer.flush();
          if (name === ownName) {
            merge({ self, enter }, { root, quota: rest.quota });
            return;
          }
          const input = { feed: name, root, ...rest, nowMs: wallNow() };
          let adoption = store.adopt(input);
          while (adoption.status === 'underway') {
            await nextTurn(wallClock);
            // The peer was closed, and perhaps the store as well. The next walk will continue.
            if (self.getSnapshot().status !== 'active') return;
            adoption = store.adopt(input);
          }
          if (adoption.status !== 'incomplete' && adoption.status !== 'withdraws') store.endWalk(name);
          enter(self, { type: 'tree.adopted', adoption, atMs: now() });
          if (adoption.status !== 'adopted') return;
          if (adoption.added.length > 0) {
            const messages = store.messagesWith(adoption.added).map((kept) => toMessage(kept, wallNow()));
            tell({ type: 'messages.received', peer: name, hashes: adoption.added, messages });
          }
          if (adoption.wentBack) tell({ type: 'history.wentBack', name, root });
        } catch (error) {
          enter(self, { type: 'adoption.failed', failure: brokenDown(name, error) });
        }
      },
    }),
  });
}

type BeginParams = { name: string; root: Hash; authenticated: boolean; quota: number };
type AdoptParams = BeginParams & { mayWithdraw: boolean };
