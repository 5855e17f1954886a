/** Whoever asks a directory over HTTPS, and a peer who speaks to it by hand. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { request } from 'node:https';
import { expect, onTestFinished } from 'vitest';
import type { Directory } from '../../../src/directory/directory.ts';
import type { KeyPair } from '../../../src/identity/key-pair.ts';
import {
  appendSignature,
  type Datagram,
  decodeDatagram,
  encodeDatagram,
  type ReceivedDatagram,
} from '../../../src/wire/datagram.ts';
import type { SocketAddress } from '../../../src/wire/socket-address.ts';

export interface Answer {
  readonly status: number | undefined;
  readonly body: Buffer;
}

export async function ask({ url, ca }: Directory, path: string, registration?: object): Promise<Answer> {
  const method = registration === undefined ? 'GET' : 'POST';
  const sent = request(new URL(path, url), { ca, agent: false, method });
  sent.end(registration && JSON.stringify(registration));
  const [response] = await once(sent, 'response');
  return { status: response.statusCode, body: Buffer.concat(await response.toArray()) };
}

/** A peer who speaks the protocol by hand: what it hears, and whether it answers Hello. */
export class Speaker {
  readonly name: string;
  readonly keyPair: KeyPair | undefined;
  readonly heard: ReceivedDatagram[] = [];
  answersHello = true;
  readonly #socket: Socket;

  private constructor(name: string, keyPair: KeyPair | undefined, socket: Socket) {
    this.name = name;
    this.keyPair = keyPair;
    this.#socket = socket;
    socket.on('message', (bytes, { address: ip, port }) => this.#hear(new Uint8Array(bytes), { ip, port }));
  }

  static async join(name: string, keyPair?: KeyPair): Promise<Speaker> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    onTestFinished(() => void socket.close());
    await once(socket, 'listening');
    return new Speaker(name, keyPair, socket);
  }

  get address(): SocketAddress {
    return { ip: '127.0.0.1', port: this.#socket.address().port };
  }

  async send(datagram: Datagram, { port, ip }: SocketAddress): Promise<void> {
    const bytes = encodeDatagram(datagram);
    this.#socket.send(this.keyPair ? appendSignature(bytes, await this.keyPair.sign(bytes)) : bytes, port, ip);
  }

  sayHello(to: SocketAddress): Promise<void> {
    return this.send({ type: 'Hello', id: 7, flags: 0, name: this.name }, to);
  }

  register(directory: Directory): Promise<Answer> {
    return ask(directory, '/register', { name: this.name, key: this.keyPair?.publicKey });
  }

  /** Registers, and proves its address. */
  async enlist(directory: Directory): Promise<void> {
    expect((await this.register(directory)).status).toBe(204);
    const proven = new Promise<void>((resolve) => {
      const stop = directory.on('address.proven', ({ name }) => {
        if (name !== this.name) return;
        stop();
        resolve();
      });
    });
    await this.sayHello(directory.udp[0] as SocketAddress);
    await proven;
  }

  #hear(bytes: Uint8Array, from: SocketAddress): void {
    const decoded = decodeDatagram(bytes);
    if (!decoded.ok) throw new Error(decoded.why);
    this.heard.push(decoded.value);
    const { datagram } = decoded.value;
    if (this.answersHello && datagram.type === 'Hello') {
      void this.send({ type: 'HelloReply', id: datagram.id, flags: 0, name: this.name }, from);
    }
  }
}
