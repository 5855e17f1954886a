/** The chosen actor at this instant: its state, how it came there, the event, and its context. */
import { Filling } from './filling.tsx';
import { Plots } from './plots.tsx';
import { actor, choose, go, lastStep, nameOf, position, run } from './state.ts';
import { plain, sinceText, timeText } from './text.ts';
import { Members } from './value.tsx';
import { Why } from './why.tsx';

export function Details() {
  const of = actor.value;
  const at = lastStep.value;
  if (of === undefined) return <section class="pane details" aria-label="Actor" />;
  const isEnded = of.endedAt <= position.value;
  return (
    <section class="pane details" aria-label="Actor">
      <header>
        <h2>{plain(of.path)}</h2>
      </header>
      <div class="scroll">
        <p class="standing">
          {at?.step === undefined ? 'not begun' : <strong>{at.step.to || at.step.status}</strong>}
          {isEnded && <span class="badge">ended</span>}
        </p>
        {at?.step !== undefined && <Why />}
        {at?.step !== undefined && <LastStep />}
        <Filling />
        <Plots />
        <h3>Context</h3>
        <Members value={at?.context} before={contextBefore()} path="context" />
      </div>
    </section>
  );
}

function LastStep() {
  const at = lastStep.value;
  if (at?.step === undefined) return null;
  const { step, message, seq, atMs } = at;
  const { startedAtMs } = run.value.header;
  return (
    <>
      <h3>
        Last event <span class="quiet">{sinceText(atMs - startedAtMs)}</span>
      </h3>
      <dl>
        <dt>event</dt>
        <dd class="event">{plain(step.event)}</dd>
        <dt>from</dt>
        <dd>
          {message?.from === undefined ? (
            'outside'
          ) : (
            <button type="button" class="link" onClick={() => goToSender()}>
              {nameOf(message.from)}
            </button>
          )}
        </dd>
        {step.guard !== undefined && (
          <>
            <dt>since</dt>
            <dd class="guard">{step.guard}</dd>
          </>
        )}
        <dt>state</dt>
        <dd>{step.from === step.to ? `stays ${step.to}` : `${step.from || '–'} → ${step.to}`}</dd>
        {step.actions !== undefined && (
          <>
            <dt>did</dt>
            <dd class="action">{step.actions.join(', ')}</dd>
          </>
        )}
        <dt>at</dt>
        <dd>
          {timeText(atMs)}
          {seq > 0 && <span class="quiet"> entry {seq}</span>}
        </dd>
      </dl>
      <Members value={message?.event} path="event" />
    </>
  );
}

/** Both ends of the message: the step of its sender that sent it. */
function goToSender(): void {
  const message = lastStep.value?.message;
  if (message?.from === undefined) return;
  choose(message.from);
  if (message.sentAfter >= 0) go(message.sentAfter - run.value.forgotten);
}

function contextBefore(): unknown {
  const of = actor.value;
  if (of === undefined) return undefined;
  const before = of.steps[run.value.stepsUntil(of, position.value) - 2];
  return before === undefined ? of.base?.context : run.value.moments[before]?.context;
}
