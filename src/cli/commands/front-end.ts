/** `murmure` on a terminal: the interactive front end. */
import { type CommandContext, requireDirectory } from '../context.ts';
import { UsageError } from '../errors.ts';
import { draftsIn } from '../front-end/drafts.ts';
import { editSettings } from '../front-end/edit-settings.ts';
import { runFrontEnd } from '../front-end/run-front-end.ts';
import { journalOption } from '../journal-option.ts';
import { openIdentity, openStore } from '../open-home.ts';
import { lockHome } from '../serve-lock.ts';

/** While somebody writes nothing else is printed: what the peer reports is in "murmure why", and the count of new messages. */
export async function frontEnd(context: CommandContext): Promise<void> {
  const { dialogue, output, services, settings } = context;
  if (dialogue === undefined)
    throw new UsageError('the front end needs a terminal: name a command, see "murmure help"');
  const access = await requireDirectory(context);
  const identity = await openIdentity(context);
  using _lock = lockHome(settings.home);
  using store = (await openStore(settings.home)).store;
  await using peer = await services.createPeer({ ...identity, store, ...access, ...(await journalOption(context)) });
  await runFrontEnd({
    peer,
    store,
    dialogue,
    paint: output.paint,
    drafts: draftsIn(settings.home),
    settings: settings.origins,
    editSettings: () => editSettings(settings.home.configFile),
  });
}
