/** What a directory offers to a program: its options and its calls. */
import type { Logger } from 'pino';
import type { DirectoryFact } from '../../machines/directory-context.ts';
import type { KeyPair } from '../identity/key-pair.ts';
import type { PublicKey } from '../identity/public-key.ts';
import type { JournalSink } from '../journal/recorder.ts';
import type { SocketAddress } from '../wire/socket-address.ts';
import type { Certificate } from './certificate.ts';

export interface DirectoryOptions {
  /** "HOST:PORT" for HTTPS; port 0 for any free one. Default 127.0.0.1:0. */
  readonly listen?: string | undefined;
  /** "HOST:PORT" for UDP, any number of them. Default 127.0.0.1:0. */
  readonly udp?: readonly string[] | undefined;
  /** What `/udp-address` tells, where that is not what is bound: behind NAT, or bound to all addresses. */
  readonly publicAddresses?: readonly string[] | undefined;
  /** PEM. Default: a self-signed one, kept in `home` if there is one. */
  readonly certificate?: Certificate | undefined;
  /** Folder for registry, certificate and key; without it nothing outlives the process. */
  readonly home?: string | undefined;
  /**
   * `redis://…` or `rediss://…`: the engine of a registry that several directories share, with one signing key and one certificate. The nodes
   * of a cluster are separated by commas. Default: a file in `home`.
   */
  readonly registry?: string | undefined;
  /** Signs for the directory. Default: the key kept in `home`; without a home a fresh one. */
  readonly keyPair?: KeyPair | undefined;
  readonly logger?: Logger | undefined;
  /** Days for which a name stays bound to its key after the last proof. Default 90. */
  readonly bindingDays?: number | undefined;
  /** Writes down what enters the UDP side, so that the run can be replayed: see `createJournalFile`. Closed with the directory. */
  readonly journal?: JournalSink | undefined;
  /** HTTP requests per second and address, and the burst on top. Default 100 and 500. */
  readonly rate?: { readonly perSecond: number; readonly burst: number } | undefined;
}

export interface Directory extends AsyncDisposable {
  /** https URL, with the port that was bound. */
  readonly url: string;
  /** As bound, IPv4 first; `publicAddresses`, if given, are what peers are told. */
  readonly udp: readonly SocketAddress[];
  /** The certificate in PEM: what peers pass as `ca`. */
  readonly ca: string;
  /** Under which its datagrams are signed (protocol §7), as `/server-key` gives it. */
  readonly serverKey: PublicKey;
  /** From the next connection on. @throws MurmureError if it cannot be used: the one before stays */
  useCertificate(certificate: Certificate): void;
  /** Calls back for each fact of this type, `*` for all. Returns the way to stop that. */
  on<T extends DirectoryFact['type'] | '*'>(
    type: T,
    listener: (fact: T extends '*' ? DirectoryFact : Extract<DirectoryFact, { type: T }>) => void,
  ): () => void;
  /** Releases its ports, and closes the registry. Twice is as once. */
  close(): Promise<void>;
}
