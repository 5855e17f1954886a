/** Why a request failed, in a sentence for the user. */
import { formatAddress } from '../src/wire/socket-address.ts';
import type { Failure } from './events.ts';
import type { Faults, RequestOrder, RequestOutcome } from './request-context.ts';

/** `name`: of the other side; empty if it is not known. */
export function requestFailure(order: RequestOrder, outcome: RequestOutcome, sends: number, name: string): Failure {
  const address = formatAddress(order.to);
  const who = name === '' ? address : `${name} (${address})`;
  const what = order.question.type;
  switch (outcome.kind) {
    case 'refused':
      return { code: 'peer-unreachable', message: `${who} refused our ${what}: ${outcome.text}` };
    case 'unsendable':
      return { code: 'peer-unreachable', message: `${who} cannot be reached: ${outcome.why}` };
    case 'unanswered': {
      const wrong = wrongAnswers(outcome.faults, { name, who, what });
      if (wrong !== undefined) return wrong;
      const times = sends === 1 ? 'once' : `${sends} times`;
      const waited = Math.round(outcome.waitedMs / 1000);
      const message = `${who} did not answer ${what}, which was sent ${times} in ${waited} s; try again later`;
      return { code: 'peer-unreachable', message };
    }
    case 'answered':
    case 'served':
      return { code: 'unexpected', message: `${who} answered ${what}` };
  }
}

/** There were answers, but none that can be believed (protocol §4). */
function wrongAnswers(
  faults: Faults,
  { name, who, what }: { readonly name: string; readonly who: string; readonly what: string },
): Failure | undefined {
  if (faults.forged !== undefined) {
    return {
      code: 'authentication',
      message: `${who} answered ${what} with a signature that its known key did not make${proposal('if it has a new key, accept that with', name)}`,
    };
  }
  if (faults.unsigned !== undefined) {
    return {
      code: 'authentication',
      message: `${who} answered ${what} without a signature, although it has a key${proposal('to believe it all the same, use', name, ' --unsigned')}`,
    };
  }
  if (faults['other name'] !== undefined) {
    return { code: 'authentication', message: `somebody else answers at the address of ${who}` };
  }
  if (faults['other hash'] !== undefined || faults['other type'] !== undefined) {
    return { code: 'invalid-data', message: `${who} answered ${what} with something else than what was asked for` };
  }
  return undefined;
}

/** Only a peer that has a name can be trusted by it. */
function proposal(what: string, name: string, option = ''): string {
  return name === '' ? '' : `; ${what} "murmure trust ${name}${option}"`;
}
