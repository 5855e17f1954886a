/** Protocol §7: signatures, made and verified. */
import { p256 } from '@noble/curves/nist.js';
import { createVerifier } from '../../identity/verify.ts';
import { appendSignature, encodeDatagram, SIGNATURE_BYTES } from '../../wire/datagram.ts';
import { BOTH, type Check, passes, skipped, type Verdict } from '../check.ts';
import type { Heard } from '../probe.ts';
import type { Subject } from '../subject.ts';
import { inSession } from './datagrams.ts';

const HALF = p256.Point.Fn.ORDER / 2n;

const sOf = (signature: Uint8Array) =>
  BigInt(`0x${Buffer.from(signature.subarray(SIGNATURE_BYTES / 2)).toString('hex')}`);

/** With the other one of the two s that verify. */
function otherS(signature: Uint8Array): Uint8Array {
  const other = Uint8Array.from(signature);
  other.set(
    Buffer.from((p256.Point.Fn.ORDER - sOf(signature)).toString(16).padStart(64, '0'), 'hex'),
    SIGNATURE_BYTES / 2,
  );
  return other;
}

async function isSigned(subject: Subject, heard: Heard | undefined): Promise<Verdict> {
  const key = await subject.key();
  if (key === undefined) return skipped('it has no key, or its directory is not given');
  if (heard === undefined) return passes(false, 'not answered');
  if (heard.signature === undefined) return passes(false, 'unsigned');
  const isValid = await createVerifier({ maxKeys: 1 })(key, heard.signed, heard.signature);
  return passes(isValid, isValid ? 'the signature verifies' : 'the signature does not verify');
}

export const signatureChecks: readonly Check[] = [
  {
    id: 'hello-reply-signed',
    section: '7',
    level: 'MUST',
    roles: BOTH,
    rule: 'HelloReply of a peer with a key is signed over header and body',
    run: (subject) => inSession(subject, ({ reply }) => isSigned(subject, reply)),
  },
  {
    id: 'hello-signed',
    section: '7',
    level: 'MUST',
    roles: BOTH,
    rule: 'Hello of a peer with a key is signed over header and body',
    run: (subject) =>
      inSession(subject, async ({ probe }) => {
        const hello = probe.heard.find(({ datagram }) => datagram.type === 'Hello');
        return hello === undefined ? skipped('it says no Hello to us') : isSigned(subject, hello);
      }),
  },
  {
    id: 'root-signed',
    section: '7',
    level: 'MUST',
    roles: BOTH,
    rule: 'Root of a peer with a key is signed over header and body',
    run: (subject) => inSession(subject, async () => isSigned(subject, (await subject.tree())?.root)),
  },
  {
    id: 'low-s',
    section: '7',
    level: 'SHOULD',
    roles: BOTH,
    rule: 'Of the two signatures that verify it sends that with the smaller s',
    run: (subject) =>
      inSession(subject, async ({ probe }) => {
        const all = probe.heard.flatMap(({ signature }) => (signature === undefined ? [] : [sOf(signature)]));
        if (all.length === 0) return skipped('it signs nothing');
        const high = all.filter((s) => s > HALF).length;
        return passes(high === 0, `${high} of ${all.length} have the larger one`);
      }),
  },
  {
    id: 'high-s-accepted',
    section: '7',
    level: 'MUST',
    roles: BOTH,
    rule: 'Both signatures are accepted, that with the larger s as well',
    run: async (subject) => {
      if (!(await subject.listed())) return skipped('our key is not known to it: give its directory with --directory');
      const probe = await subject.probe();
      const hello = encodeDatagram(probe.hello());
      const signature = await subject.options.keyPair.sign(hello);
      probe.sendBytes(appendSignature(hello, sOf(signature) > HALF ? signature : otherS(signature)));
      const isThere = () => probe.heard.some(({ datagram }) => datagram.type === 'HelloReply');
      await probe.until(isThere, 8_000);
      return passes(isThere(), isThere() ? 'accepted' : 'not answered');
    },
  },
];
