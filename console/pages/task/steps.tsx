import type { StepView, TaskView } from "#schemas/http/task-view.ts";
import { formatDuration } from "../../app/format.ts";
import { t } from "../../app/language.ts";
import { Age, State } from "../../parts/bits.tsx";
import { Empty } from "../../parts/notices.tsx";

/** The steps of a task as a timeline, in the order in which they were dispatched. */
export function Steps({ task }: { task: TaskView }) {
  if (task.steps.length === 0) return <Empty>{t("task.no_steps")}</Empty>;
  const began_ms = Date.parse(task.created_at);
  const ended_ms = task.ended_at ? Date.parse(task.ended_at) : Date.now();
  const place = { began_ms, span_ms: Math.max(1, ended_ms - began_ms), now_ms: ended_ms };
  return (
    <ol class="steps">
      {task.steps.map((step) => (
        <Step key={`${step.step}-${step.round}`} step={step} {...place} />
      ))}
    </ol>
  );
}

interface StepProps {
  step: StepView;
  began_ms: number;
  span_ms: number;
  now_ms: number;
}

function Step({ step, began_ms, span_ms, now_ms }: StepProps) {
  const { verdict, status, code, message, attempts, started_at, ended_at, retry_at, parked_at } = step;
  const shown_state = verdict ?? status;
  const from_ms = started_at ? Date.parse(started_at) : undefined;
  const to_ms = ended_at ? Date.parse(ended_at) : now_ms;
  return (
    <li class="step">
      <div class="step-head">
        <State state={shown_state} />
        <strong>{step.step}</strong>
        {step.round > 0 && <span class="quiet">{t("task.round", { round: step.round })}</span>}
        <span class="quiet">{step.service}</span>
        {attempts > 1 && <span class="quiet">{t("task.attempts", { count: attempts })}</span>}
        <span class="push number">
          {from_ms === undefined ? "" : formatDuration(Math.max(0, to_ms - from_ms))}
        </span>
      </div>
      {from_ms !== undefined && (
        <div class="track" aria-hidden="true">
          <span
            class={`bar ${shown_state}`}
            style={{
              left: `${(100 * (from_ms - began_ms)) / span_ms}%`,
              width: `${Math.max(0.4, (100 * (to_ms - from_ms)) / span_ms)}%`,
            }}
          />
        </div>
      )}
      {(code || message) && (
        <p>
          {code && <code>{code}</code>} <span class="message">{message}</span>
        </p>
      )}
      {parked_at && (
        <p class="quiet">
          {t("task.parked")} <Age at={parked_at} />
        </p>
      )}
      {retry_at && (
        <p class="quiet">
          {t("task.retry_at")} <Age at={retry_at} />
        </p>
      )}
      {step.output && Object.keys(step.output).length > 0 && (
        <details>
          <summary>{t("task.output")}</summary>
          <pre>{JSON.stringify(step.output, undefined, 2)}</pre>
        </details>
      )}
    </li>
  );
}
