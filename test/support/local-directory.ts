/** A directory on loopback, and people who run the program beside it, each in a home of their own. */
import { expect } from 'vitest';
import { type Finished, type Json, Programs, type Running } from './program.ts';

export interface LocalDirectory extends AsyncDisposable {
  readonly programs: Programs;
  /** Flags of a person's home at this directory. */
  flags(name: string): string[];
  serve(name: string): Promise<Running>;
  /** @throws if it fails */
  run(name: string, ...command: string[]): Promise<Finished>;
  /** Posts, and gives the message's hash. */
  post(name: string, text: string): Promise<unknown>;
  /** Kills it with SIGKILL, calls `meanwhile` with its home, and starts it again on the same addresses. */
  restart(meanwhile: (home: string) => void): Promise<void>;
}

/** `udp`: where the directory listens, and all who serve. */
export async function startDirectory(udp: readonly string[]): Promise<LocalDirectory> {
  const programs = new Programs();
  const home = programs.home('directory');
  const start = (listen: string, addresses: readonly string[]) =>
    programs.start([
      ...['directory', '--json', '--listen', listen, '--home', home],
      ...addresses.flatMap((address) => ['--udp', address]),
    ]);
  let directory = start('127.0.0.1:0', udp);
  const ready = await directory.event('ready');
  const flags = (name: string) => [
    ...['--json', '--home', programs.home(name)],
    ...['--directory', ready.url as string, '--ca', ready.ca as string],
  ];
  const run = async (name: string, ...command: string[]) => {
    const finished = await programs.run([...command, ...flags(name)]);
    expect(finished, finished.stderr).toMatchObject({ code: 0 });
    return finished;
  };
  return {
    programs,
    flags,
    run,
    async serve(name) {
      const running = programs.start(['serve', ...udp.flatMap((address) => ['--udp', address]), ...flags(name)]);
      await running.event('ready');
      return running;
    },
    post: async (name, text) => (await run(name, 'post', text)).values[0]?.hash,
    async restart(meanwhile) {
      await directory.stop('SIGKILL');
      meanwhile(home);
      const { host } = new URL(ready.url as string);
      directory = start(
        host,
        (ready.udp as Json[]).map(({ ip, port }) => (String(ip).includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`)),
      );
      await directory.event('ready');
    },
    [Symbol.asyncDispose]: () => programs[Symbol.asyncDispose](),
  };
}
