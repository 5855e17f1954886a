/** A peer on this machine, with its clock, network and randomness unless other ones are given. */
import { createVerifier } from '../identity/verify.ts';
import { record } from '../journal/record.ts';
import { systemClock } from '../runtime/clock.ts';
import { createSystemRandom } from '../runtime/random.ts';
import { createUdpNetwork } from '../runtime/udp-network.ts';
import { createPeerIn } from './create-peer.ts';
import { createDirectoryHttp } from './directory-http.ts';
import type { Peer, PeerOptions } from './peer.ts';

/**
 * Starts a peer (protocol §5); resolves once its sockets are bound.
 * @throws MurmureError `usage` for a URL, certificate or address that is none; `unexpected` for one that cannot be bound
 */
export async function createPeer(options: PeerOptions): Promise<Peer> {
  const { environment = {}, keyPair } = options;
  const outside = {
    clock: environment.clock ?? systemClock,
    network: environment.network ?? createUdpNetwork(),
    http: environment.http ?? createDirectoryHttp({ url: options.directory, ca: options.ca }),
    random: environment.random ?? createSystemRandom(),
    seed: environment.seed,
    sign: environment.sign ?? ((message) => keyPair.sign(message)),
    verify: environment.verify ?? createVerifier({ maxKeys: 1_024 }),
    record,
  };
  return createPeerIn(outside, options);
}
