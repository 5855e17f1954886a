/** Protocol §8: NAT traversal, which must not become a way to send datagrams to others. */
import { BOTH, type Check, DIRECTORY, PEER, passes, skipped, type Verdict } from '../check.ts';
import type { Subject } from '../subject.ts';
import { inSession, staysSilent } from './datagrams.ts';

const PATIENCE_MS = 3_000;

/** Another identity of ours, listed and in session, with its listed address; undefined: nobody can be registered. */
async function neighbour(subject: Subject) {
  const identity = await subject.options.another();
  const probe = await subject.register(identity);
  const [address] = (await subject.options.directory?.peer(identity.name))?.addresses ?? [];
  return probe === undefined || address === undefined ? undefined : { probe, address };
}

/** Nothing comes to another socket of ours once this datagram has named its address. */
function drawsNothing(
  subject: Subject,
  type: 'NatTraversalClient' | 'NatTraversalServer',
  details: { readonly quiet: string; readonly heard: string },
): Promise<Verdict> {
  return inSession(subject, async ({ probe }) => {
    const { bind } = subject.options;
    if (bind === undefined) return skipped('we do not know our own address');
    const third = await subject.probe();
    await probe.send({ type, id: 0, address: { ip: bind, port: third.address.port } });
    await third.wait(PATIENCE_MS);
    return third.heard.length === 0 ? passes(true, details.quiet) : passes(false, details.heard);
  });
}

export const traversalChecks: readonly Check[] = [
  {
    id: 'traversal-of-strangers',
    section: '8',
    level: 'MUST',
    roles: PEER,
    rule: 'NatTraversalServer is acted on only if it comes from a directory',
    run: (subject) =>
      drawsNothing(subject, 'NatTraversalServer', {
        quiet: 'ignored',
        heard: 'it sent a datagram to the address that we named',
      }),
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
    run: (subject) => drawsNothing(subject, 'NatTraversalClient', { quiet: 'not forwarded', heard: 'forwarded' }),
  },
  {
    id: 'keep-alive-unanswered',
    section: '5',
    level: 'MUST',
    roles: BOTH,
    rule: 'An unsolicited HelloReply, which keeps a NAT open, is not answered',
    run: (subject) =>
      staysSilent(subject, ({ probe }) =>
        probe.send({ type: 'HelloReply', id: 0, flags: 0, name: subject.options.name }),
      ),
  },
];
