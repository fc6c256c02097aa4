import type { Circuits } from "#schemas/http/circuits.ts";
import type { IntegrationStatus } from "#schemas/http/integration-status.ts";
import type { MetricsSummary } from "#schemas/http/metrics-summary.ts";
import { ask } from "../app/api.ts";
import { formatCount, formatDuration } from "../app/format.ts";
import { named, t } from "../app/language.ts";
import { useLoaded } from "../app/load.ts";
import { type Place, placeLink } from "../app/place.ts";
import { may } from "../app/session.ts";
import { Age, PageHead, State, type Tone } from "../parts/bits.tsx";
import { Chart } from "../parts/chart.tsx";
import { Empty, Shown } from "../parts/notices.tsx";
import { effectiveState } from "./circuits.tsx";
import { type History, historyOf } from "./overview/history.ts";
import { loadRecentTasks } from "./overview/load-recent-tasks.ts";

const REFRESH_MS = 10_000;
const HISTORY_REFRESH_MS = 60_000;

/** How it goes: what is open, what failed, how fast, what waits, and which circuits are not closed. */
export function Overview(_: { place: Place }) {
  const summary = useLoaded("summary", (signal) => ask<MetricsSummary>("/api/metrics/summary", { signal }), {
    every_ms: REFRESH_MS,
  });
  const history = useLoaded(
    "history",
    async (signal) => historyOf(await loadRecentTasks(Date.now(), signal), Date.now()),
    { every_ms: HISTORY_REFRESH_MS },
  );
  return (
    <>
      <PageHead title={t("nav.overview")} about={t("overview.about")} />
      <Shown of={summary}>
        {({ tasks, alerts, generated_at }) => (
          <>
            {alerts && <Alerts alerts={alerts} />}
            {tasks && <Figures tasks={tasks} />}
            <p class="quiet">
              {t("overview.as_of")} <Age at={generated_at} />
              {tasks && !tasks.complete && ` · ${t("overview.incomplete")}`}
            </p>
          </>
        )}
      </Shown>
      <Shown of={history}>{(shown) => <Charts history={shown} />}</Shown>
      <div class="columns">
        <Troubled />
        <Backlog />
      </div>
    </>
  );
}

/** Alerts that fire, for operators of the platform. */
function Alerts({ alerts }: { alerts: NonNullable<MetricsSummary["alerts"]> }) {
  if (alerts.length === 0) return null;
  return (
    <section class="notice bad" aria-label={t("overview.alerts")}>
      <p>
        <strong>{t("overview.alerts")}</strong>
      </p>
      <ul>
        {alerts.map(({ rule, labels, since }) => (
          <li key={rule + JSON.stringify(labels)}>
            {rule} {Object.values(labels).join(", ")} <Age at={since} />
          </li>
        ))}
      </ul>
      {may("operate") && (
        <p>
          <a href={placeLink(["alerts"])}>{t("overview.see_alerts")}</a>
        </p>
      )}
    </section>
  );
}

function Figures({ tasks: { open, ended, verdicts } }: { tasks: NonNullable<MetricsSummary["tasks"]> }) {
  const { passed = 0, failed = 0, error = 0 } = verdicts;
  const figures: readonly [string, number, Tone, Record<string, string>][] = [
    [t("overview.open"), open, "busy", { status: "running" }],
    [t("overview.passed"), passed, "good", { status: "succeeded" }],
    [t("overview.failed"), failed, "bad", { status: "failed" }],
    [t("overview.errors"), error, "bad", { status: "failed" }],
    [t("overview.canceled"), ended.canceled ?? 0, "mute", { status: "canceled" }],
  ];
  return (
    <ul class="figures">
      {figures.map(([name, count, tone, query]) => (
        <li key={name} class={count > 0 ? tone : "mute"}>
          <a href={placeLink(["tasks"], query)}>
            <strong>{formatCount(count)}</strong> {name}
          </a>
        </li>
      ))}
    </ul>
  );
}

function Charts({
  history: { times, passed, other, p50_ms, p95_ms, is_whole, since },
}: {
  history: History;
}) {
  if (times.length === 0) return <Empty>{t("overview.no_tasks")}</Empty>;
  return (
    <section>
      <div class="columns">
        <Chart
          title={t("overview.throughput")}
          times={times}
          kind="steps"
          format={formatCount}
          series={[
            { label: t("overview.passed"), color: "good", values: passed },
            { label: t("overview.not_passed"), color: "bad", values: other },
          ]}
        />
        <Chart
          title={t("overview.latency")}
          times={times}
          kind="lines"
          format={formatDuration}
          series={[
            { label: t("overview.median"), color: "busy", values: p50_ms },
            { label: t("overview.p95"), color: "warn", values: p95_ms },
          ]}
        />
      </div>
      {!is_whole && (
        <p class="quiet">
          {t("overview.newest_only")} <Age at={since} />
        </p>
      )}
    </section>
  );
}

function Troubled() {
  const loaded = useLoaded("circuits", (signal) => ask<Circuits>("/api/circuits", { signal }), {
    every_ms: REFRESH_MS,
  });
  return (
    <section class="card">
      <h2>
        <a href={placeLink(["circuits"])}>{t("nav.circuits")}</a>
      </h2>
      <Shown of={loaded}>
        {({ circuits }) => {
          const troubled = circuits.filter((each) => effectiveState(each) !== "closed");
          if (troubled.length === 0) {
            return (
              <p>
                <State state="ok" />{" "}
                {t(circuits.length === 0 ? "circuits.none" : "overview.all_closed", {
                  count: formatCount(circuits.length),
                })}
              </p>
            );
          }
          return (
            <ul class="rows">
              {troubled.map((circuit) => (
                <li key={circuit.key}>
                  <State state={effectiveState(circuit)} />{" "}
                  <a class="path" href={placeLink(["circuits"], { text: circuit.key })}>
                    {circuit.key}
                  </a>{" "}
                  {circuit.since && <Age at={circuit.since} />}
                </li>
              ))}
            </ul>
          );
        }}
      </Shown>
    </section>
  );
}

function Backlog() {
  return (
    <section class="card">
      <h2>{t("overview.backlog")}</h2>
      {may("operate") ? <Queues /> : <p class="quiet">{t("scope.needed", { scope: "operate" })}</p>}
    </section>
  );
}

function Queues() {
  const loaded = useLoaded(
    "status",
    (signal) => ask<IntegrationStatus>("/api/integration/status", { signal }),
    {
      every_ms: REFRESH_MS,
    },
  );
  return (
    <Shown of={loaded}>
      {({ parts }) => {
        const queues = Object.entries(parts).filter(([name]) => name.startsWith("queue:"));
        const broken = Object.entries(parts).filter(([, { ok }]) => !ok);
        return (
          <>
            {broken.map(([name, { detail }]) => (
              <p class="notice bad" key={name}>
                <strong>{name}</strong> {detail}
              </p>
            ))}
            <table class="plain-table">
              <thead>
                <tr>
                  <th scope="col">{t("overview.queue")}</th>
                  {(["waiting", "in_flight", "dead_lettered"] as const).map((name) => (
                    <th scope="col" class="number" key={name}>
                      {named("overview", name)}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {queues.map(([name, part]) => (
                  <tr key={name}>
                    <th scope="row">{name.slice("queue:".length)}</th>
                    {["waiting", "in_flight", "dead_lettered"].map((fact) => (
                      <td
                        class={`number ${fact === "dead_lettered" && Number(part[fact]) > 0 ? "bad" : ""}`}
                        key={fact}
                      >
                        {part[fact] === undefined ? "–" : formatCount(Number(part[fact]))}
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </>
        );
      }}
    </Shown>
  );
}
