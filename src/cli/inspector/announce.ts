/** Starts an inspector, says where it is, and opens the browser if that is wanted. */
import { spawn } from 'node:child_process';
import { type Inspector, type InspectorOptions, offerInspector } from '../../inspector/server.ts';
import type { CommandContext } from '../context.ts';

export async function startInspector(
  { output }: Pick<CommandContext, 'output'>,
  { opens = false, ...options }: InspectorOptions & { readonly opens?: boolean | undefined },
): Promise<Inspector> {
  const inspector = await offerInspector(options);
  if (!opens) return inspector;
  const browser = openBrowser(inspector.oneTimeUrl());
  browser.on('error', () => output.warn('no browser could be opened: open the link yourself'));
  return inspector;
}

/** Everybody on this machine can read the command line: the link is good once. */
function openBrowser(url: string) {
  const [command, ...args] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['rundll32', 'url.dll,FileProtocolHandler', url]
        : ['xdg-open', url];
  const browser = spawn(command as string, args, { stdio: 'ignore', detached: true });
  browser.unref();
  return browser;
}
