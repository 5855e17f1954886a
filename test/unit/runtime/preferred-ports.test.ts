/** The default UDP port: tried first, then a free one (docs/protocol.md, moving peers). */
import { expect, test } from 'vitest';
import { SocketBank } from '../../../src/runtime/socket-bank.ts';
import { createUdpNetwork } from '../../../src/runtime/udp-network.ts';
import type { SocketAddress } from '../../../src/wire/socket-address.ts';

const ANY = { ip: '127.0.0.1', port: 0 };

async function open(bank: SocketBank, bind: SocketAddress): Promise<SocketAddress> {
  const { promise, resolve, reject } = Promise.withResolvers<SocketAddress>();
  const ignore = () => {};
  await bank.open('socket', bind, { onOpen: resolve, onFailure: reject, onTrouble: ignore, onArrivals: ignore });
  return promise;
}

test('a preferred port is taken if it is free, the next one if it is not, any free one if none is', async () => {
  const first = new SocketBank(createUdpNetwork());
  const second = new SocketBank(createUdpNetwork());
  const taken = await open(first, ANY);
  const free = await open(second, ANY);
  second.closeAll();

  const bank = new SocketBank(createUdpNetwork(), [taken.port, free.port]);
  expect(await open(bank, ANY)).toEqual(free);
  const other = new SocketBank(createUdpNetwork(), [taken.port, free.port]);
  expect([taken.port, free.port]).not.toContain((await open(other, ANY)).port);
  for (const each of [first, bank, other]) each.closeAll();
});

test('a port that was asked for is not replaced by another', async () => {
  const first = new SocketBank(createUdpNetwork());
  const taken = await open(first, ANY);
  const bank = new SocketBank(createUdpNetwork(), [0]);
  await expect(open(bank, taken)).rejects.toContain('is in use');
  first.closeAll();
});
