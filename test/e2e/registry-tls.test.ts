/** An engine that wants TLS under a certificate of its own authority, and a user who may do no more than docs/operating.md says. */

import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { selfSignedCertificate } from '../../src/directory/certificate.ts';
import { eventually } from '../support/eventually.ts';
import { Programs } from '../support/program.ts';
import { freePort, startRedis } from '../support/redis-server.ts';
import { hasTool } from '../support/tools.ts';

const page = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8');

test.skipIf(!hasTool('redis-server')).each(['alone', 'as a cluster'])(
  'a directory registers names on an engine %s with TLS, as the user of the instructions; without the authority it says what is wrong',
  async (how) => {
    await using programs = new Programs();
    const [cert, key] = [join(programs.folder, 'cert.pem'), join(programs.folder, 'key.pem')];
    const made = await selfSignedCertificate(['127.0.0.1']);
    writeFileSync(cert, made.cert);
    writeFileSync(key, made.key);
    const port = await freePort();
    const tls = ['--tls-port', `${port}`, '--tls-cert-file', cert, '--tls-key-file', key, '--tls-auth-clients', 'no'];
    const clustered = ['--cluster-enabled', 'yes', '--cluster-port', `${await freePort()}`, '--tls-cluster', 'yes'];
    const settings = how === 'alone' ? tls : [...tls, ...clustered];
    const engine = await startRedis([...settings, '--tls-ca-cert-file', cert]);
    onTestFinished(() => engine.stop());
    if (how !== 'alone') {
      await engine.ask('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
      await eventually(async () => expect(await engine.ask('CLUSTER', 'INFO')).toContain('cluster_state:ok'));
    }
    const [, command = ''] = /`(ACL SETUSER [^`]+)`/.exec(page) ?? [];
    expect(await engine.ask(...command.split(' '))).toBe('+OK\r\n');
    expect(await engine.ask('ACL', 'SETUSER', 'default', 'off')).toBe('+OK\r\n');
    const registry = `rediss://murmure:PASSWORD@127.0.0.1:${port}`;
    const start = (home: string, trust: NodeJS.ProcessEnv) =>
      programs.start(['directory', '--json', '--home', programs.home(home), '--udp', '127.0.0.1:0'], {
        MURMURE_REGISTRY: registry,
        ...trust,
      });

    const { code, stderr } = await start('without', {}).finished;
    expect(code).toBe(1);
    expect(stderr).toContain(
      `the engine of the registry at rediss://127.0.0.1:${port} cannot be used (self-signed certificate`,
    );
    expect(stderr).toContain('set NODE_EXTRA_CA_CERTS to the certificate of its authority');
    expect(stderr).not.toContain('PASSWORD');

    const running = start('with', { NODE_EXTRA_CA_CERTS: cert });
    const { url, ca } = await running.event('ready');
    const asked = request(new URL('/register', url as string), {
      method: 'POST',
      ca: readFileSync(ca as string),
      agent: false,
    });
    asked.end(JSON.stringify({ name: 'alice' }));
    const [response] = await once(asked, 'response');
    expect(response.statusCode).toBe(204);
    response.resume();
    expect(await running.stop('SIGTERM')).toMatchObject({ code: 0 });
  },
);
