/** Lets other processes act through the peer that this one runs. */
import type { Peer } from '../../index.ts';
import type { LocalApiOptions } from '../../local-api/server.ts';
import type { CommandContext } from '../context.ts';

/** A peer goes on where that cannot be had: its home may be on a full disk. Others then open a peer of their own. */
export async function offerToOthers(
  { settings, output }: Pick<CommandContext, 'settings' | 'output'>,
  peer: Peer,
  options: Pick<LocalApiOptions, 'runBy' | 'directoryUrl'>,
): Promise<AsyncDisposable> {
  try {
    const { offerLocalApi } = await import('../../local-api/server.ts');
    return await offerLocalApi({ peer, file: settings.home.localApiFile, ...options });
  } catch (error) {
    output.warn(`other commands cannot act through this one: ${(error as Error).message}`);
    return { [Symbol.asyncDispose]: async () => {} };
  }
}
