/** A directory whose power is cut while names register; whose name was bound stays bound to its key. */
import { readFileSync, realpathSync } from 'node:fs';
import { expect } from 'vitest';
import { generateKeyPair } from '../../../src/identity/key-pair.ts';
import type { PublicKey } from '../../../src/identity/public-key.ts';
import { createPeer, openSqliteStore } from '../../../src/index.ts';
import { createDirectoryHttp } from '../../../src/peer/directory-http.ts';
import { seededRandom } from '../../../src/simulation/seeded-random.ts';
import { type Json, Programs } from '../program.ts';
import { Shim } from './shim.ts';

/** What a start, and some registrations, write. */
const LATEST_CALL = 120;

/** Gives how many names were bound. @throws if one of them is lost */
export async function surviveRegistrationCuts(cuts: number, seed: number): Promise<number> {
  await using programs = new Programs();
  using shim = new Shim();
  const draw = seededRandom(seed).fork('registration cuts');
  const home = programs.home('directory');
  const start = (env: NodeJS.ProcessEnv) =>
    programs.start(['directory', '--json', '--listen', '127.0.0.1:0', '--udp', '127.0.0.1:0', '--home', home], env);
  const first = start({});
  await first.event('ready');
  await first.stop();
  const bound = new Map<string, PublicKey>();
  let made = 0;
  for (let cut = 0; cut < cuts; cut++) {
    const at = 1 + Math.floor(draw.fraction() * LATEST_CALL);
    const keeps = cut % 2 === 0 ? 'nothing' : 1 + cut;
    const directory = start(shim.environment(realpathSync(home), at, keeps));
    const ready = await directory.event('ready').catch(() => undefined);
    let isUp = ready !== undefined;
    const ended = directory.finished.then(() => {
      isUp = false;
    });
    while (isUp) {
      const name = `name-${made++}`;
      const keyPair = await generateKeyPair();
      using store = openSqliteStore(':memory:');
      const options = { name, keyPair, store, ...accessTo(ready ?? {}), udp: ['127.0.0.1:0'] };
      const peer = await Promise.race([createPeer(options), ended]);
      if (peer === undefined) continue;
      const isListed = await Promise.race([peer.whenListed().then(() => true), ended.then(() => false)]);
      if (isListed) bound.set(name, keyPair.publicKey);
      await peer.close();
    }
    expect(await directory.finished).toMatchObject({ code: null });
  }
  const directory = start({});
  const { directory: url, ca } = accessTo(await directory.event('ready'));
  const http = createDirectoryHttp({ url, ca });
  const other = await generateKeyPair();
  for (const [name, key] of bound) {
    await expect(http.register(name, other.publicKey), name).rejects.toMatchObject({ code: 'authentication' });
    await http.register(name, key);
  }
  return bound.size;
}

function accessTo({ url, ca }: Json): { readonly directory: string; readonly ca: string } {
  return { directory: String(url), ca: readFileSync(String(ca), 'utf8') };
}
