import type { StepView, TaskView } from "#schemas/http/task-view.ts";
import { formatDuration } from "./render/format.ts";
import { modelUse, spentWords } from "./render/model-use.ts";
import { stepLine } from "./render/step-line.ts";
import type { Terminal } from "./terminal.ts";

/** Shows a task's steps as they change. */
export interface TaskDisplay {
  update(view: TaskView): void;
  notice(text: string): void;
  /** Leave what was shown last standing, and stop redrawing. */
  stop(): void;
}

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const FRAME_MS = 100;

function redrawn(terminal: Terminal): TaskDisplay {
  const { paint } = terminal;
  let view: TaskView | undefined;
  let frame = 0;
  const steps = () => {
    const spinner = FRAMES[frame % FRAMES.length] ?? "·";
    return (view?.steps ?? []).map((step) => stepLine(step, paint, Date.now(), spinner));
  };
  const timer = setInterval(() => {
    if (view === undefined) return;
    frame += 1;
    const elapsed = formatDuration(Date.now() - Date.parse(view.created_at));
    const use = modelUse(view.steps);
    const model = use === undefined ? [] : [`    round ${use.rounds}, ${spentWords(use)}`];
    const lines = [...model, `    ${view.status}, ${elapsed} in total`];
    terminal.live(...steps(), ...lines.map((line) => paint.dim(line)));
  }, FRAME_MS);
  return {
    update(next) {
      view = next;
    },
    notice: (text) => terminal.lines(`  ${paint.yellow("!")} ${text}`),
    stop() {
      clearInterval(timer);
      terminal.lines(...steps());
    },
  };
}

function appended(terminal: Terminal, show: (step: StepView) => boolean): TaskDisplay {
  const { paint } = terminal;
  const seen = new Map<string, string>();
  return {
    update(view) {
      for (const step of view.steps) {
        const name = `${step.step}#${step.round}`;
        const state = `${step.status} ${step.code ?? ""} ${step.attempts} ${step.parked_at ?? ""}`;
        if (seen.get(name) === state || !show(step)) continue;
        seen.set(name, state);
        terminal.lines(stepLine(step, paint, Date.now(), "·"));
      }
    },
    notice: (text) => terminal.lines(`  ! ${text}`),
    stop() {},
  };
}

/**
 * On a terminal a block with spinners; elsewhere one line a change, or with `ends_only` one line a
 * step. A queued step has nothing to tell yet.
 */
export function createTaskDisplay(terminal: Terminal, { ends_only = false } = {}): TaskDisplay {
  if (terminal.interactive) return redrawn(terminal);
  const shown = ends_only
    ? ["completed", "canceled"]
    : ["running", "waiting", "parked", "completed", "canceled"];
  return appended(terminal, (step) => shown.includes(step.status));
}
