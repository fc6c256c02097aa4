import { useState } from "preact/hooks";
import type { TaskView } from "#schemas/http/task-view.ts";
import type { SpanView, TraceView } from "#schemas/http/trace-view.ts";
import { ask } from "../../app/api.ts";
import { formatCount, formatDuration, formatInstant } from "../../app/format.ts";
import { t } from "../../app/language.ts";
import { useLoaded } from "../../app/load.ts";
import { Facts } from "../../parts/bits.tsx";
import { Shown } from "../../parts/notices.tsx";

const SPANS_SHOWN_MAX = 1000;
const PARTS = ["work", "queue", "retry", "idle"] as const;

/** A task's trace as a waterfall, and where the time of its longest chain went. */
export function Trace({ task }: { task: TaskView }) {
  const loaded = useLoaded(`${task.task_id}#${task.revision}`, (signal) =>
    ask<TraceView>(`/api/tasks/${task.task_id}/trace`, { signal }),
  );
  return <Shown of={loaded}>{(trace) => <TraceShown trace={trace} />}</Shown>;
}

function TraceShown({ trace }: { trace: TraceView }) {
  const rows = flatten(trace.root);
  return (
    <>
      <CriticalPath trace={trace} />
      <p class="quiet">
        {t("trace.spans", { count: formatCount(trace.span_count), time: formatDuration(trace.duration_ms) })}
        {trace.truncated && ` ${t("trace.truncated")}`}
        {trace.left_out !== undefined && ` ${t("trace.left_out", { count: trace.left_out })}`}
        {!trace.sampled && ` ${t("trace.not_sampled")}`}
      </p>
      <ol class="waterfall" aria-label={t("task.trace")}>
        {rows.slice(0, SPANS_SHOWN_MAX).map(({ span, depth }) => (
          <Span key={span.span_id} span={span} depth={depth} total_ms={Math.max(1, trace.duration_ms)} />
        ))}
      </ol>
      {rows.length > SPANS_SHOWN_MAX && <p class="quiet">{t("trace.truncated")}</p>}
    </>
  );
}

/** The parts of the critical path side by side. They add up to the whole. */
function CriticalPath({ trace: { critical_path } }: { trace: TraceView }) {
  const { total_ms } = critical_path;
  const parts = PARTS.map((name) => ({ name, ms: critical_path[`${name}_ms`] }));
  return (
    <section class="critical-path">
      <h2>{t("trace.critical_path", { time: formatDuration(total_ms) })}</h2>
      <div class="parts" aria-hidden="true">
        {parts.map(({ name, ms }) => (
          <span
            key={name}
            class={`part ${name}`}
            style={{ width: `${(100 * ms) / Math.max(1, total_ms)}%` }}
          />
        ))}
      </div>
      <ul class="legend">
        {parts.map(({ name, ms }) => (
          <li key={name}>
            <span class={`swatch part ${name}`} aria-hidden="true" /> {t(`trace.${name}`)}{" "}
            <strong class="number">{formatDuration(ms)}</strong>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface Row {
  span: SpanView;
  depth: number;
}

function flatten(root: SpanView): Row[] {
  const rows: Row[] = [];
  const open: Row[] = [{ span: root, depth: 0 }];
  for (let row = open.pop(); row !== undefined; row = open.pop()) {
    rows.push(row);
    const { span, depth } = row;
    open.push(...span.children.toReversed().map((child) => ({ span: child, depth: depth + 1 })));
  }
  return rows;
}

function Span({ span, depth, total_ms }: Row & { total_ms: number }) {
  const [is_open, setOpen] = useState(false);
  const is_error = span.status.code === "error";
  return (
    <li>
      <button type="button" class="span" aria-expanded={is_open} onClick={() => setOpen(!is_open)}>
        <span class="span-name" style={{ paddingLeft: `${Math.min(depth, 12) * 0.9}rem` }}>
          {is_error && (
            <span class="sign bad" role="img" aria-label={t("trace.error")}>
              ✗
            </span>
          )}{" "}
          {span.name} <span class="quiet">{span.service}</span>
        </span>
        <span class="track" aria-hidden="true">
          <span
            class={`bar ${span.lost ? "lost" : is_error ? "failed" : span.kind}`}
            style={{
              left: `${Math.min(99.6, (100 * span.offset_ms) / total_ms)}%`,
              width: `${Math.max(0.4, Math.min(100, (100 * span.duration_ms) / total_ms))}%`,
            }}
          />
        </span>
        <span class="number">{formatDuration(span.duration_ms)}</span>
      </button>
      {is_open && (
        <Facts
          facts={[
            [t("trace.started"), formatInstant(span.started_at)],
            [t("trace.kind"), span.kind],
            [t("trace.span"), <code key="id">{span.span_id}</code>],
            [
              t("trace.error"),
              span.status.error_code && `${span.status.error_code} ${span.status.message ?? ""}`,
            ],
            [t("trace.lost"), span.lost && t("trace.lost_about")],
            ...Object.entries(span.attributes).map(([name, value]) => [name, String(value)] as const),
          ]}
        />
      )}
    </li>
  );
}
