/** Somebody on the virtual network who speaks the protocol by hand: well or badly, as a test says. */
import type { KeyPair } from '../../src/identity/key-pair.ts';
import type { DatagramSocket } from '../../src/runtime/network.ts';
import { appendSignature, type Datagram, decodeDatagram, encodeDatagram } from '../../src/wire/datagram.ts';
import type { SocketAddress } from '../../src/wire/socket-address.ts';
import type { World } from './world.ts';

export interface Heard {
  readonly datagram: Datagram;
  readonly from: SocketAddress;
  readonly bytes: Uint8Array;
  readonly isSigned: boolean;
}

export class Stranger {
  readonly heard: Heard[] = [];
  /** Called for each datagram: what answers by itself. */
  answer: (heard: Heard) => void = () => {};
  readonly address: SocketAddress;
  readonly keyPair: KeyPair;
  readonly #sign: (message: Uint8Array) => Promise<Uint8Array>;
  #socket: DatagramSocket | undefined;

  private constructor(address: SocketAddress, keyPair: KeyPair, sign: (message: Uint8Array) => Promise<Uint8Array>) {
    this.address = address;
    this.keyPair = keyPair;
    this.#sign = sign;
  }

  static async join(world: World, name: string, ip = '10.0.9.1', port = 5_000): Promise<Stranger> {
    const { keyPair, sign } = await world.identity(name);
    const stranger = new Stranger({ ip, port }, keyPair, sign);
    stranger.#socket = await world.network.open(stranger.address, (arrivals) => {
      for (const { bytes, from } of arrivals) stranger.#hear(bytes, from);
    });
    return stranger;
  }

  sendBytes(to: SocketAddress, bytes: Uint8Array): void {
    this.#socket?.send(bytes, to);
  }

  send(to: SocketAddress, datagram: Datagram): void {
    this.sendBytes(to, encodeDatagram(datagram));
  }

  async sendSigned(to: SocketAddress, datagram: Datagram): Promise<void> {
    const bytes = encodeDatagram(datagram);
    this.sendBytes(to, appendSignature(bytes, await this.#sign(bytes)));
  }

  /** What came of this type. */
  heardOf<T extends Datagram['type']>(type: T): (Datagram & { readonly type: T })[] {
    return this.heard.flatMap(({ datagram }) =>
      datagram.type === type ? [datagram as Datagram & { readonly type: T }] : [],
    );
  }

  #hear(bytes: Uint8Array, from: SocketAddress): void {
    const decoded = decodeDatagram(bytes);
    if (!decoded.ok) throw new Error(`a stranger got a malformed datagram: ${decoded.why}`);
    const { datagram, signature } = decoded.value;
    const heard = { datagram, from, bytes, isSigned: signature !== undefined };
    this.heard.push(heard);
    this.answer(heard);
  }
}
