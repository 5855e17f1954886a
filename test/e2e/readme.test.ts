/** What the README tells people to type, typed; and what it names, there. */
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, matchesGlob } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Programs } from '../support/program.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string) => readFileSync(join(checkout, file), 'utf8');
const readme = read('README.md');

/** Commands that run until they are stopped. */
const SERVICES = ['directory', 'serve'];

function blocks(info: string): string[][] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${info}\n(.*?)^\`\`\``, 'gms'))].map(([, text = '']) =>
    text.trimEnd().split('\n'),
  );
}

/** Words of a command line, quotes removed. */
function words(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('the walk of five minutes leads to a friend’s message', async () => {
  await using programs = new Programs();
  const here = `127.0.0.1:${await freePort()}`;
  const shown: Record<string, string> = {};
  let certificate: string | undefined;

  for (const part of ['directory', 'alice', 'bob', 'alice again']) {
    const [person = ''] = part.split(' ');
    const home = programs.home(person);
    mkdirSync(home, { recursive: true });
    if (certificate !== undefined) copyFileSync(certificate, join(home, 'directory-ca.pem'));
    const environment: NodeJS.ProcessEnv = { HOME: home };
    for (const line of blocks(`sh ${part}`).flat()) {
      const [command, ...argv] = words(line.replaceAll(/(203\.0\.113\.7|0\.0\.0\.0):8443/g, here));
      expect(command).toBe('murmure');
      if (SERVICES.includes(argv[0] ?? '')) {
        const service = programs.start(argv, environment, home);
        await service.said(/^ready: /m);
        if (person === 'directory') certificate = (await service.said(/--ca (\S+)/))[1];
      } else {
        const { code, stdout, stderr } = await programs.run(argv, environment, home);
        expect({ line, code, stderr: code === 0 ? '' : stderr }).toEqual({ line, code: 0, stderr: '' });
        shown[`${person}: ${argv[0]}`] = stdout;
      }
    }
  }
  expect(shown['alice: init']).toMatch(/fingerprint/i);
  expect(shown['bob: peers']).toContain('alice');
  expect(shown['bob: timeline']).toContain('Is anybody there?');
  expect(shown['alice: follow']).toContain('bob');
});

test('every link and picture of the README is in the package', () => {
  const { files } = JSON.parse(read('package.json')) as { files: string[] };
  const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, link = '']) => link);
  expect(links).not.toEqual([]);
  const isShipped = (link: string) => files.some((file) => matchesGlob(link, file) || link.startsWith(`${file}/`));
  expect(links.filter((link) => !isShipped(link))).toEqual([]);
});

test('a journal is recorded, replayed and explained as described', async () => {
  await using programs = new Programs();
  for (const line of blocks('sh journal').flat()) {
    const { code, stderr } = await programs.run(words(line).slice(1), { HOME: programs.folder });
    expect({ line, code, stderr: code === 0 ? '' : stderr }).toEqual({ line, code: 0, stderr: '' });
  }
});

test('the example for the library runs', async () => {
  const [example] = blocks('ts');
  const index = JSON.stringify(join(checkout, 'src/index.ts'));
  const code = example?.join('\n').replace("'murmure'", index) ?? '';
  const { execFileSync } = await import('node:child_process');
  const script = `${code}\nconsole.log(alice.root);`;
  const out = execFileSync(process.execPath, ['--input-type=module-typescript', '-e', script], { encoding: 'utf8' });
  expect(out).toMatch(/^[0-9a-f]{64}\n$/);
});

test('npm scripts that the documents name are there, and CI does what the README says', () => {
  const { scripts, version } = JSON.parse(read('package.json'));
  for (const file of ['README.md', 'CONTRIBUTING.md']) {
    for (const [, name = ''] of read(file).matchAll(/npm run (?:-s )?([a-z:]+)/g)) {
      expect(scripts, `${file} names npm run ${name}`).toHaveProperty(name);
    }
  }
  const ci = read('.ci/run');
  for (const [first = ''] of blocks('sh').filter(([line]) => line?.startsWith('npm'))) expect(ci).toContain(first);
  for (const command of ['npm start', 'npm test', 'npm pack']) expect(ci).toContain(command);
  expect(readme).toContain(`murmure-${version}.tgz`);
});

test.for([
  'README.md',
  'CONTRIBUTING.md',
  'docs/architecture.md',
  'docs/security.md',
  'docs/adr/README.md',
  'machines/README.md',
])('every file that %s names is there', (file) => {
  const folder = join(checkout, file, '..');
  const named = [...read(file).matchAll(/\]\((?!https?:)([^)#]+)\)|`((?:test|src|machines)\/[\w./-]+\.ts)`/g)];
  expect(named).not.toEqual([]);
  for (const [, link, path] of named) {
    expect(existsSync(link === undefined ? join(checkout, path ?? '') : join(folder, link)), `${link ?? path}`).toBe(
      true,
    );
  }
});
