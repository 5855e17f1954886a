/** Protocol §8: NAT traversal, which is not to become a way of sending datagrams to others. */

import { BOTH, type Check, DIRECTORY, PEER, passes, skipped } from '../check.ts';
import type { Subject } from '../subject.ts';

const PATIENCE_MS = 3_000;

/** Somebody else who is listed and in session, and the address that is listed; undefined: nobody can be. */
async function neighbour(subject: Subject) {
  const identity = await subject.options.another();
  const probe = await subject.register(identity);
  const [address] = (await subject.options.directory?.peer(identity.name))?.addresses ?? [];
  return probe === undefined || address === undefined ? undefined : { probe, address };
}

export const traversalChecks: readonly Check[] = [
  {
    id: 'traversal-of-strangers',
    section: '8',
    level: 'MUST',
    roles: PEER,
    rule: 'NatTraversalServer is acted on only if it comes from a directory',
    run: async (subject) => {
      const session = await subject.session();
      const { bind } = subject.options;
      if (session === undefined) return skipped('it answers no Hello');
      if (bind === undefined) return skipped('we do not know our own address');
      const third = await subject.probe();
      await session.probe.send({ type: 'NatTraversalServer', id: 0, address: { ip: bind, port: third.address.port } });
      await third.wait(PATIENCE_MS);
      return passes(
        third.heard.length === 0,
        third.heard.length === 0 ? 'ignored' : 'it sent a datagram to the address that we named',
      );
    },
  },
  {
    id: 'traversal-forwarded',
    section: '8',
    level: 'MUST',
    roles: DIRECTORY,
    rule: 'NatTraversalClient from a live session to an address that is listed is forwarded as NatTraversalServer',
    run: async (subject) => {
      const session = await subject.session();
      const other = await neighbour(subject);
      if (session === undefined || other === undefined) return skipped('nobody else can be registered');
      await session.probe.send({ type: 'NatTraversalClient', id: 0, address: other.address });
      const isThere = () => other.probe.heard.some(({ datagram }) => datagram.type === 'NatTraversalServer');
      await other.probe.until(isThere, PATIENCE_MS);
      return passes(isThere(), isThere() ? 'forwarded' : 'not forwarded');
    },
  },
  {
    id: 'traversal-without-session',
    section: '8',
    level: 'MUST',
    roles: DIRECTORY,
    rule: 'NatTraversalClient without a session is not forwarded',
    run: async (subject) => {
      const other = await neighbour(subject);
      if (other === undefined) return skipped('nobody else can be registered');
      const stranger = await subject.probe(await subject.options.another());
      await stranger.send({ type: 'NatTraversalClient', id: 0, address: other.address });
      await other.probe.wait(PATIENCE_MS);
      const isThere = other.probe.heard.some(({ datagram }) => datagram.type === 'NatTraversalServer');
      return passes(!isThere, isThere ? 'forwarded' : 'not forwarded');
    },
  },
  {
    id: 'traversal-unlisted',
    section: '8',
    level: 'MUST',
    roles: DIRECTORY,
    rule: 'NatTraversalClient to an address that nobody has proven is not forwarded',
    run: async (subject) => {
      const session = await subject.session();
      const { bind } = subject.options;
      if (session === undefined) return skipped('it answers no Hello');
      if (bind === undefined) return skipped('we do not know our own address');
      const third = await subject.probe();
      await session.probe.send({ type: 'NatTraversalClient', id: 0, address: { ip: bind, port: third.address.port } });
      await third.wait(PATIENCE_MS);
      return passes(third.heard.length === 0, third.heard.length === 0 ? 'not forwarded' : 'forwarded');
    },
  },
  {
    id: 'keep-alive-unanswered',
    section: '5',
    level: 'MUST',
    roles: BOTH,
    rule: 'An unsolicited HelloReply, which keeps a NAT open, is not answered',
    run: async (subject) => {
      const session = await subject.session();
      if (session === undefined) return skipped('it answers no Hello');
      const { name } = subject.options;
      const seen = await session.probe.provoked(() =>
        session.probe.send({ type: 'HelloReply', id: 0, flags: 0, name }),
      );
      return passes(seen?.length === 0, seen?.length === 0 ? 'it is silent' : 'it answers, or not even Hello any more');
    },
  },
];
