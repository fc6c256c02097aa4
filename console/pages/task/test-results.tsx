import { useMemo, useState } from "preact/hooks";
import type { BuildTestReport, Phase, TestCase } from "#schemas/artifacts/build-test-report.ts";
import type { TaskView } from "#schemas/http/task-view.ts";
import { formatBytes, formatCount, formatDuration } from "../../app/format.ts";
import { t } from "../../app/language.ts";
import { placeLink } from "../../app/place.ts";
import { State } from "../../parts/bits.tsx";
import { Empty, Shown } from "../../parts/notices.tsx";
import { readable } from "../../parts/readable.ts";
import { findArtifact, useArtifactText } from "./read-text.ts";

const PATHS = ["build-test/report.json", "run/report.json"];
const TESTS_SHOWN_FIRST = 200;

/** What the commands of a task did: its phases, and each test. */
export function TestResults({ task }: { task: TaskView }) {
  const artifact = PATHS.map((path) => findArtifact(task, path)).find((found) => found !== undefined);
  if (!artifact) return <Empty>{t(task.ended_at ? "task.no_report" : "task.no_report_yet")}</Empty>;
  return <Report task={task} artifact={artifact} />;
}

function Report({ task, artifact }: { task: TaskView; artifact: TaskView["artifacts"][number] }) {
  const loaded = useArtifactText(artifact);
  const text = loaded.data?.text;
  const report = useMemo(() => (text === undefined ? undefined : parse(text)), [text]);
  return (
    <Shown of={loaded}>
      {() =>
        report ? <ReportShown task={task} report={report} /> : <Empty>{t("task.report_unreadable")}</Empty>
      }
    </Shown>
  );
}

/** A report of a build and test, or of one command, which has one phase and no tests. */
type Shape = Partial<BuildTestReport> & { phase?: Phase };

function parse(text: string): Shape | undefined {
  try {
    return JSON.parse(text) as Shape;
  } catch {
    return undefined;
  }
}

function ReportShown({ task, report }: { task: TaskView; report: Shape }) {
  const { phases = report.phase ? [report.phase] : [], tests = [], test_problems = [], test_notice } = report;
  const counts = [
    ["passed", report.tests_passed, "good"],
    ["failed", report.tests_failed, "bad"],
    ["skipped", report.tests_skipped, "mute"],
  ] as const;
  return (
    <>
      {report.reason && (
        <p class="headline">
          {report.verdict && <State state={report.verdict} />}
          <span>{readable(report.reason)}</span>
        </p>
      )}
      {report.tests_passed !== undefined && (
        <ul class="figures">
          {counts.map(([name, count = 0, tone]) => (
            <li key={name} class={count > 0 ? tone : "mute"}>
              <strong>{formatCount(count)}</strong> {t(`task.tests_${name}`)}
            </li>
          ))}
        </ul>
      )}
      {[test_notice, ...test_problems].map(
        (notice) =>
          notice && (
            <div class="notice warn" key={notice}>
              <p>{readable(notice)}</p>
            </div>
          ),
      )}
      <Phases task={task} phases={phases} />
      {tests.length > 0 && <Tests tests={tests} />}
      {tests.length === 0 && report.first_failure && (
        <section>
          <h2>{t("task.first_failure")}</h2>
          <pre class="failure">{readable(report.first_failure)}</pre>
        </section>
      )}
    </>
  );
}

function Phases({ task, phases }: { task: TaskView; phases: readonly Phase[] }) {
  return (
    <section>
      <h2>{t("task.phases")}</h2>
      <div class="scroll-x">
        <table class="plain-table">
          <thead>
            <tr>
              {(["phase", "command", "result", "time", "memory", "log"] as const).map((name) => (
                <th scope="col" key={name}>
                  {t(`task.phase_${name}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {phases.map((phase) => (
              <tr key={phase.name}>
                <td>{phase.name}</td>
                <td>
                  <code class="command">{readable(phase.command)}</code>
                </td>
                <td>
                  <State state={phase.status} />{" "}
                  <span class="quiet">{phase.limit?.code ?? phase.signal ?? exitText(phase)}</span>
                </td>
                <td class="number">{formatDuration(phase.usage.wall_ms)}</td>
                <td class="number">
                  {phase.usage.memory_bytes_peak === null ? "–" : formatBytes(phase.usage.memory_bytes_peak)}
                </td>
                <td>
                  {phase.log && (
                    <a href={placeLink(["tasks", task.task_id, "logs"], { file: phase.log })}>
                      {t("task.phase_log")}
                    </a>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function exitText({ exit_code }: Phase): string {
  return exit_code === null || exit_code === 0 ? "" : t("task.exit", { code: exit_code });
}

const ORDER: Readonly<Record<TestCase["status"], number>> = { failed: 0, skipped: 1, passed: 2 };

/** Every test, those that failed first. */
function Tests({ tests }: { tests: readonly TestCase[] }) {
  const [shown_max, setShownMax] = useState(TESTS_SHOWN_FIRST);
  const sorted = useMemo(
    () => tests.toSorted((left, right) => ORDER[left.status] - ORDER[right.status]),
    [tests],
  );
  return (
    <section>
      <h2>{t("task.each_test")}</h2>
      <ul class="tests">
        {sorted.slice(0, shown_max).map((test, index) => (
          // Two tests may have the same name
          <li key={index}>
            <State state={test.status} /> <span class="path">{readable(test.name)}</span>
            {test.file && <span class="quiet path">{readable(test.file)}</span>}
            <span class="push number quiet">
              {test.duration_ms === null ? "" : formatDuration(test.duration_ms)}
            </span>
            {test.failure && <pre class="failure">{readable(test.failure)}</pre>}
          </li>
        ))}
      </ul>
      {sorted.length > shown_max && (
        <button type="button" onClick={() => setShownMax(shown_max + 1000)}>
          {t("task.more_tests", { count: formatCount(sorted.length - shown_max) })}
        </button>
      )}
    </section>
  );
}
