/** Our own Hello, which a NAT has sent back to us. */
import type { AnyActorRef } from 'xstate';
import { actorId } from './actor-ids.ts';
import type { RequestContext } from './request-context.ts';

/** Whether this is the id of a Hello with which this very peer looks for copies, or greets them: a NAT has sent it back to us. */
export function isOwnEcho(self: AnyActorRef, ownName: string, id: number): boolean {
  const { children = {} } = self.getSnapshot() as {
    readonly children?: Readonly<Record<string, AnyActorRef | undefined>>;
  };
  return Object.values(children).some((child) => {
    const isSearch = child?.id.startsWith('address-proof.') || child?.id === actorId.outgoingSession(ownName);
    if (child === undefined || !isSearch) return false;
    const { children: requests } = child.getSnapshot() as {
      readonly children: Readonly<Record<string, AnyActorRef | undefined>>;
    };
    return Object.values(requests).some(
      (request) => (request?.getSnapshot().context as RequestContext | undefined)?.ids.includes(id) === true,
    );
  });
}
