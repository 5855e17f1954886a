/** A directory's UDP side as an outsider sees it, with a registry that a test fills. */
import { createActor } from 'xstate';
import { addressProofMachine } from '../../machines/address-proof.machine.ts';
import { directoryMachine } from '../../machines/directory.machine.ts';
import type { DirectoryFact, ListedAddress } from '../../machines/directory-context.ts';
import { seededRandom } from '../../src/simulation/seeded-random.ts';
import { appendSignature, type Datagram, encodeDatagram } from '../../src/wire/datagram.ts';
import { formatAddress, type SocketAddress } from '../../src/wire/socket-address.ts';
import { isGenuine, Outside, type Signed, signature } from './outside.ts';

export const bind = { ip: '0.0.0.0', port: 1_194 };
export const at = (last: number, port = 1): SocketAddress => ({ ip: `192.0.2.${last}`, port });
export const hello = (id: number, name: string) => ({ type: 'Hello', id, flags: 0, name }) as const;

export class SeenDirectory {
  readonly outside = new Outside();
  /** Address → the other instance that has proven it. */
  readonly provers = new Map<string, string>();
  readonly facts: DirectoryFact[] = [];
  /** Names that are registered; whether they have a key. */
  readonly registered = new Map<string, boolean>();
  readonly listed = new Set<string>();
  readonly #random = seededRandom(1);
  readonly actor;

  constructor(binds: readonly SocketAddress[] = [bind]) {
    const { outside, registered, listed } = this;
    const line = ({ name, address }: Pick<ListedAddress, 'name' | 'address'>) => `${name} ${formatAddress(address)}`;
    const machine = directoryMachine.provide({
      actors: {
        socket: outside.socketMachine,
        addressProof: addressProofMachine.provide({ actors: { request: outside.request } }),
      },
      actions: {
        lookUpSender: ({ self }, { hello: asked }) => {
          const { datagram, signature: signed } = asked.received;
          const name = datagram.type === 'Hello' ? datagram.name : '';
          const isKeyed = registered.get(name) === true;
          const isForged = isKeyed && (signed === undefined || !isGenuine(signed));
          self.send({
            type: 'hello.checked',
            hello: asked,
            status: isForged ? 'forged' : registered.has(name) ? 'registered' : 'unregistered',
            key: isKeyed ? 'key' : undefined,
            isListed: listed.has(line({ name, address: asked.from })),
          });
        },
        lookUpTarget: ({ self }, { sender, target }) => {
          const isListed = [...listed].some((entry) => entry.endsWith(` ${formatAddress(target)}`));
          const through = this.provers.get(formatAddress(target));
          self.send({ type: 'traversal.checked', sender, target, isListed, through });
        },
        relayTraversal: (_, { sender, target, through }) =>
          outside.told.push(`relay ${formatAddress(sender)} to ${formatAddress(target)} through ${through}`),
        listAddress: (_, params) => {
          listed.add(line(params));
          outside.told.push(`list ${line(params)} ${params.key}`);
        },
        confirmAddress: (_, params) => outside.told.push(`confirm ${line(params)}`),
        dropAddress: (_, params) => {
          listed.delete(line(params));
          outside.told.push(`drop ${line(params)}`);
        },
        forgetExpired: () => outside.told.push('forget expired'),
        sendSigned: (_, { datagram, to, socket }) => {
          const bytes = appendSignature(encodeDatagram(datagram), signature);
          socket.send({ type: 'datagrams.send', datagrams: [bytes], to });
        },
      },
    });
    this.actor = createActor(machine, { clock: outside.clock, input: { binds, random: this.#random } });
    for (const type of FACTS) this.actor.on(type, (fact) => this.facts.push(fact));
    this.actor.start();
    outside.told.length = 0;
  }

  hear(from: SocketAddress, datagram: Datagram, signed: Signed = 'unsigned'): void {
    this.outside.receive(from, datagram, signed, this.socket());
  }

  socket(index = 0) {
    const socket = this.actor.getSnapshot().children[`socket.${index}`];
    if (socket === undefined) throw new Error(`there is no socket ${index}`);
    return socket;
  }

  /** What went to this address since `work` began: "TYPE ID". */
  sentBy(work: () => void, to?: SocketAddress): string[] {
    const before = this.outside.sent.length;
    work();
    return this.outside.sent
      .slice(before)
      .filter((sent) => to === undefined || formatAddress(sent.to) === formatAddress(to))
      .map(
        ({ datagram: { type, id }, isSigned }) =>
          `${type} ${type === 'Hello' ? '?' : id}${isSigned ? '' : ', unsigned'}`,
      );
  }

  /** It answers our last Hello to it. */
  reply(from: SocketAddress, name: string, signed: Signed = 'unsigned'): void {
    const sent = this.outside.sentOf('Hello').findLast(({ to }) => formatAddress(to) === formatAddress(from));
    this.hear(from, { type: 'HelloReply', id: sent?.datagram.id as number, flags: 0, name }, signed);
  }

  hellosTo(address: SocketAddress): number {
    return this.outside.sentOf('Hello').filter(({ to }) => formatAddress(to) === formatAddress(address)).length;
  }

  /** Registered, in session, and listed. */
  prove(from: SocketAddress, name: string, id = 1): void {
    this.registered.set(name, true);
    this.hear(from, hello(id, name), 'signed');
    this.reply(from, name, 'signed');
    this.outside.told.length = 0;
    this.facts.length = 0;
  }

  sweep(): void {
    this.actor.send({ type: 'sweep', atMs: this.outside.nowMs });
  }

  bytesTo(ip: string): number {
    return this.outside.sent
      .filter(({ to }) => to.ip === ip)
      .reduce((sum, { datagram, isSigned }) => sum + encodeDatagram(datagram).length + (isSigned ? 64 : 0), 0);
  }
}

const FACTS = [
  'socket.bound',
  'socket.failed',
  'hello.answered',
  'hello.ignored',
  'address.proven',
  'address.unproven',
  'address.dropped',
  'traversal.forwarded',
  'traversal.relayed',
  'directory.warning',
] as const;
