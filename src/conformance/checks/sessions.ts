/** Protocol §5 and §6: Hello, who gets what without one, and how often things are repeated. */
import { type Datagram, encodeDatagram, typeCode } from '../../wire/datagram.ts';
import { EMPTY_ROOT } from '../../wire/hash.ts';
import { whyInvalidName } from '../../wire/name.ts';
import { BOTH, type Check, DIRECTORY, PEER, passes, skipped, some } from '../check.ts';
import type { Probe } from '../probe.ts';
import type { Subject } from '../subject.ts';
import { inSession } from './datagrams.ts';

/** As a probe's: known programs take three seconds for an answer. */
const PATIENCE_MS = 8_000;
const SILENCE_MS = 4_000;
/** Four sends of a Hello (protocol §6). */
const LAST_HELLO_MS = 34_000;
const AMPLIFICATION = 3;

/** Does it answer a Hello that is sent as these bytes? */
async function isGreeted(probe: Probe, bytes: Uint8Array): Promise<boolean> {
  probe.sendBytes(bytes);
  const isThere = () => probe.heard.some(({ datagram }) => datagram.type === 'HelloReply');
  await probe.until(isThere, PATIENCE_MS);
  return isThere();
}

/** A Hello for which much may be sent back. */
function longHello(probe: Probe, bytes: number): Promise<Uint8Array> {
  const hello = probe.hello();
  const body = new Uint8Array(bytes);
  body.set(encodeDatagram(hello).subarray(7));
  return probe.sign({ type: 'Unknown', id: hello.id, code: typeCode(hello), body });
}

const hellosIn = (probe: Probe) => probe.heard.filter(({ datagram }) => datagram.type === 'Hello');

/** What `withoutSession` asks for; each from a new address. */
async function isRefused(subject: Subject, question: (id: number) => Datagram) {
  const probe = await subject.probe();
  const id = probe.newId();
  await probe.send(question(id));
  await probe.until(() => probe.heard.length > 0, PATIENCE_MS);
  const [answer] = probe.heard;
  const said =
    answer?.datagram.type === 'Error' ? `Error "${answer.datagram.text}"` : (answer?.datagram.type ?? 'nothing');
  return passes(answer?.datagram.type === 'Error' && answer.datagram.id === id, `answered with ${said}`);
}

export const sessionChecks: readonly Check[] = [
  {
    id: 'no-session-root',
    section: '5',
    level: 'MUST',
    roles: BOTH,
    rule: 'RootRequest without a session gets Error, with its id',
    run: (subject) => isRefused(subject, (id) => ({ type: 'RootRequest', id })),
  },
  {
    id: 'no-session-datum',
    section: '5',
    level: 'MUST',
    roles: BOTH,
    rule: 'GetDatum without a session gets Error, with its id',
    run: (subject) => isRefused(subject, (id) => ({ type: 'GetDatum', id, hash: EMPTY_ROOT })),
  },
  {
    id: 'peer-name',
    section: '5',
    level: 'MUST',
    roles: PEER,
    rule: 'A peer says a name of 1 to 255 bytes without control characters, "/" and line breaks',
    run: (subject) =>
      inSession(subject, async ({ reply }) => {
        const why = whyInvalidName(reply.datagram.name);
        return passes(why === undefined, why ?? 'it does');
      }),
  },
  {
    id: 'directory-name',
    section: '1',
    level: 'MUST',
    roles: DIRECTORY,
    rule: 'A directory has an empty name',
    run: (subject) =>
      inSession(subject, async ({ reply }) =>
        passes(reply.datagram.name === '', `its name has ${some(reply.datagram.name.length, 'character')}`),
      ),
  },
  {
    id: 'empty-name',
    section: '5',
    level: 'MUST',
    roles: BOTH,
    rule: 'A Hello with an empty name, which is not from a directory, is ignored',
    run: async (subject) => {
      const probe = await subject.probe({ name: '' });
      const isAnswered = await isGreeted(probe, await probe.sign(probe.hello()));
      return passes(!isAnswered, isAnswered ? 'answered with HelloReply' : 'ignored');
    },
  },
  {
    id: 'own-hello',
    section: '5',
    level: 'SHOULD',
    roles: BOTH,
    rule: 'After HelloReply it says Hello itself, to prove the address',
    run: (subject) =>
      inSession(subject, async ({ probe }) => {
        const { length } = hellosIn(probe);
        return passes(length > 0, length > 0 ? 'it does' : 'it does not');
      }),
  },
  {
    id: 'hello-again',
    section: '5',
    level: 'MUST',
    roles: BOTH,
    rule: 'HelloReply is owed for every Hello that is not ignored, a second one in a session included',
    run: (subject) =>
      inSession(subject, async ({ probe }) => {
        const answer = await probe.askHello();
        return passes(answer?.datagram.type === 'HelloReply', `answered with ${answer?.datagram.type ?? 'nothing'}`);
      }),
  },
  {
    id: 'amplification',
    section: '5',
    level: 'MUST',
    roles: BOTH,
    rule: 'An address that has not answered its Hello gets at most three times the bytes that came from there, beside the first HelloReply',
    run: async (subject) => {
      const nodes = [...((await subject.tree())?.nodes ?? [])].sort(([, a], [, b]) => b.length - a.length);
      const probe = await subject.probe();
      probe.answersHello = false;
      if (!(await isGreeted(probe, await longHello(probe, 64)))) return skipped('it does not answer');
      const firstReply = probe.heard.find(({ datagram }) => datagram.type === 'HelloReply')?.bytes.length ?? 0;
      const hash = nodes[0]?.[0] ?? EMPTY_ROOT;
      for (let i = 0; i < 8; i++) probe.sendBytes(encodeDatagram({ type: 'GetDatum', id: probe.newId(), hash }));
      await probe.wait(SILENCE_MS);
      await subject.isCalm();
      const got = probe.bytesHeard - firstReply;
      return passes(got <= AMPLIFICATION * probe.bytesSent, `${got} bytes for ${probe.bytesSent}`);
    },
  },
  {
    id: 'hello-forged',
    section: '5',
    level: 'MUST',
    roles: BOTH,
    rule: 'A Hello under a name whose key is known is ignored unless its signature verifies',
    run: async (subject) => {
      if (!(await subject.listed())) return skipped('our key is not known to it: give its directory with --directory');
      const other = await subject.probe({ keyPair: (await subject.options.another()).keyPair });
      if (await isGreeted(other, await other.sign(other.hello())))
        return passes(false, 'signed with another key, and answered');
      const unsigned = await subject.probe();
      if (await isGreeted(unsigned, encodeDatagram(unsigned.hello()))) return passes(false, 'unsigned, and answered');
      return passes(true, 'ignored, with another signature and without one');
    },
  },
  {
    id: 'hello-unregistered',
    section: '5',
    level: 'MUST',
    roles: BOTH,
    rule: 'A Hello under a name that nobody knows is answered',
    run: async (subject) => {
      const probe = await subject.probe(await subject.options.another());
      const isAnswered = await isGreeted(probe, await probe.sign(probe.hello()));
      return passes(isAnswered, isAnswered ? 'answered with HelloReply' : 'not answered');
    },
  },
  {
    id: 'ids-differ',
    section: '4',
    level: 'MUST',
    roles: BOTH,
    rule: 'A request carries an unpredictable id that is not 0',
    run: async (subject) => {
      const ids: number[] = [];
      for (let i = 0; i < 3; i++) {
        const probe = await subject.probe();
        await isGreeted(probe, await longHello(probe, 64));
        await probe.until(() => hellosIn(probe).length > 0, 1_500);
        ids.push(
          ...hellosIn(probe)
            .slice(0, 1)
            .map(({ datagram }) => datagram.id),
        );
      }
      if (ids.length < 3) return skipped('it sends no requests to us');
      const isRight = new Set(ids).size === ids.length && !ids.includes(0);
      return passes(isRight, ids.map((id) => id.toString(16).padStart(8, '0')).join(', '));
    },
  },
  {
    id: 'hello-repeats',
    section: '6',
    level: 'MUST',
    roles: BOTH,
    rule: 'A Hello is sent four times at most, with pauses that double',
    isSlow: true,
    run: async (subject) => {
      await subject.session();
      const probe = await subject.probe();
      probe.answersHello = false;
      await isGreeted(probe, await longHello(probe, 512));
      await probe.wait(LAST_HELLO_MS);
      const sent = hellosIn(probe).map(({ atMs }) => atMs);
      if (sent.length === 0) return skipped('it sends no requests to us');
      const pauses = sent.slice(1).map((atMs, i) => atMs - (sent[i] as number));
      const areGrowing = pauses.every((ms, i) => i === 0 || ms > 1.5 * (pauses[i - 1] as number));
      return passes(
        sent.length <= 4 && areGrowing,
        `${some(sent.length, 'send')}, ${pauses.map((ms) => `${(ms / 1_000).toFixed(1)} s`).join(', ')} apart`,
      );
    },
  },
];
