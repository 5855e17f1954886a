/** Bob at his front end, with answers as they are written down. */
import type { Drafts } from '../../src/cli/front-end/drafts.ts';
import { runFrontEnd } from '../../src/cli/front-end/run-front-end.ts';
import { listedPeers } from './scenarios.ts';
import { type Answer, type ScriptedDialogue, scripted } from './scripted-dialogue.ts';
import type { VirtualPeer, World } from './world.ts';

interface Told {
  readonly world: World;
  readonly alice: VirtualPeer;
  readonly bob: VirtualPeer;
  readonly seen: ScriptedDialogue['seen'];
  readonly rings: number;
  readonly drafts: Drafts;
}

export const paint = (_format: unknown, text: string) => text;

/** Alice has written something. */
export async function dialogue(answers: readonly Answer[] | ((world: World) => readonly Answer[])): Promise<Told> {
  const world = await listedPeers(5, ['alice', 'bob']);
  const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
  alice.peer.post('Is anybody there?');
  const person = scripted(world, typeof answers === 'function' ? answers(world) : answers);
  let drafts: Drafts = {};
  const keeper = {
    drafts,
    keep: (kept: Drafts) => {
      drafts = kept;
    },
  };
  await world.settle(runFrontEnd({ ...bob, dialogue: person, paint, drafts: keeper, clock: world.clock }));
  return { world, alice, bob, seen: person.seen, rings: person.rings, drafts };
}
