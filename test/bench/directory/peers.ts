/** Simulated peers: sockets that say Hello, answer a directory's, and ask for roots; and HTTPS connections from as many hosts. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { generateKeyPair, type KeyPair } from '../../../src/identity/key-pair.ts';
import { appendSignature, type Datagram, decodeDatagram, encodeDatagram } from '../../../src/wire/datagram.ts';
import type { SocketAddress } from '../../../src/wire/socket-address.ts';

/** Loopback has 127.0.0.0/8: each peer and each connection is a host of its own, as directories ration by host. */
const hostOf = (index: number) => `127.${1 + (index >> 16)}.${(index >> 8) & 255}.${1 + (index % 254)}`;

export class BenchPeer {
  readonly name: string;
  readonly keyPair: KeyPair;
  readonly #socket: Socket;
  readonly #directory: SocketAddress;
  #nextId = 1;
  #isAsked = false;
  #answered: number | undefined;
  #done: (() => void) | undefined;

  private constructor(name: string, keyPair: KeyPair, socket: Socket, directory: SocketAddress) {
    this.name = name;
    this.keyPair = keyPair;
    this.#socket = socket;
    this.#directory = directory;
    socket.on('message', (bytes) => void this.#hear(new Uint8Array(bytes)));
  }

  static async join(index: number, name: string, directory: SocketAddress, keyPair?: KeyPair): Promise<BenchPeer> {
    const socket = createSocket('udp4').bind(0, hostOf(index));
    await once(socket, 'listening');
    return new BenchPeer(name, keyPair ?? (await generateKeyPair()), socket, directory);
  }

  /** Until the directory has answered, and has said Hello itself, which is answered. */
  async sayHello(): Promise<void> {
    this.#isAsked = false;
    const { name } = this;
    await this.#ask(await this.#signed({ type: 'Hello', id: this.#nextId, flags: 0, name }));
  }

  async askForRoot(): Promise<void> {
    this.#isAsked = true;
    await this.#ask(encodeDatagram({ type: 'RootRequest', id: this.#nextId }));
  }

  keepAlive(datagram: Uint8Array): void {
    this.#send(datagram);
  }

  keepAliveDatagram(): Promise<Uint8Array> {
    return this.#signed({ type: 'HelloReply', id: 0, flags: 0, name: this.name });
  }

  close(): void {
    this.#socket.close();
  }

  /** As the protocol repeats it (§6): what the directory drops comes again. */
  async #ask(bytes: Uint8Array): Promise<void> {
    this.#answered = undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#done = resolve;
    this.#send(bytes);
    const repeat = setInterval(() => this.#send(bytes), 2_000);
    await promise;
    clearInterval(repeat);
    this.#nextId += 1;
  }

  async #hear(bytes: Uint8Array): Promise<void> {
    const decoded = decodeDatagram(bytes);
    if (!decoded.ok) return;
    const { datagram } = decoded.value;
    if (datagram.type === 'Hello') {
      this.#send(await this.#signed({ type: 'HelloReply', id: datagram.id, flags: 0, name: this.name }));
      this.#isAsked = true;
    } else if ('id' in datagram && datagram.id === this.#nextId) this.#answered = datagram.id;
    if (this.#isAsked && this.#answered === this.#nextId) this.#done?.();
  }

  async #signed(datagram: Datagram): Promise<Uint8Array> {
    const bytes = encodeDatagram(datagram);
    return appendSignature(bytes, await this.keyPair.sign(bytes));
  }

  #send(bytes: Uint8Array): void {
    this.#socket.send(bytes, this.#directory.port, this.#directory.ip);
  }
}

export class Connection {
  readonly #agent: Agent;
  readonly #url: string;
  readonly #ca: string;
  readonly #host: string;

  constructor(index: number, url: string, ca: string) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1 });
    this.#url = url;
    this.#ca = ca;
    this.#host = hostOf(index);
  }

  /** Resolves to the text of an answer below 300; `compressed`: to how many bytes it had. */
  async ask(path: string, body?: object, compressed = false): Promise<{ text: string; bytes: number }> {
    const sent = request(new URL(path, this.#url), {
      agent: this.#agent,
      ca: this.#ca,
      localAddress: this.#host,
      method: body === undefined ? 'GET' : 'POST',
      ...(compressed && { headers: { 'Accept-Encoding': 'gzip' } }),
    });
    sent.end(body && JSON.stringify(body));
    const [response] = await once(sent, 'response');
    const chunks: Buffer[] = [];
    let bytes = 0;
    // A whole list is not kept: it is larger than what else this process does.
    const isKept = !compressed;
    for await (const chunk of response) {
      bytes += chunk.length;
      if (isKept && bytes < 1_000_000) chunks.push(chunk);
    }
    const text = Buffer.concat(chunks).toString();
    if (response.statusCode >= 300) throw new Error(`${path}: ${response.statusCode} ${text}`);
    return { text, bytes };
  }

  close(): void {
    this.#agent.destroy();
  }
}
