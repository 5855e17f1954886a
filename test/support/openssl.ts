/** The openssl command, where it is installed: what it reads and writes is the measure of key files. */
import { execFileSync } from 'node:child_process';
import { hasTool } from './tools.ts';

export const hasOpenssl = hasTool('openssl');

export const openssl = (...args: string[]) => execFileSync('openssl', args, { encoding: 'utf8', stdio: 'pipe' });
