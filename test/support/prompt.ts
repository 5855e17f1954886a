/** A prompt without a terminal, key by key. */
import { render } from '@inquirer/testing';

/** One that a test leaves unanswered ends with the process, and that is no failure. */
export async function renderPrompt<Value, Config>(prompt: Parameters<typeof render<Value, Config>>[0], config: Config) {
  const rendered = await render(prompt, config);
  rendered.answer.catch(() => {});
  return rendered;
}
