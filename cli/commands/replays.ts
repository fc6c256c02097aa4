import { Command, Option } from "commander";
import { ReplayList, ReplayOutcome, ReplayResultList, ReplayView } from "#schemas/http/replays.ts";
import { addPaging, askAndShow, queryOf } from "../ask-and-show.ts";
import { followReplay, replayExit } from "../follow-replay.ts";
import { replayLines, replayTable, resultTable } from "../render/replay-table.ts";
import { openSession } from "../session.ts";

const path = (replay_id: string) => `/api/dlq/replays/${encodeURIComponent(replay_id)}`;

interface PageOptions {
  limit: number;
  cursor?: string;
  outcome?: string;
}

const list = askAndShow({
  ask: (api, { limit, cursor }: PageOptions) =>
    api.get(ReplayList, `/api/dlq/replays${queryOf({ limit, cursor })}`),
  lines: replayTable,
});

const show = askAndShow({
  ask: async (api, replay_id: string, { limit, cursor, outcome }: PageOptions) => {
    const replay = await api.get(ReplayView, path(replay_id));
    const results = await api.get(
      ReplayResultList,
      `${path(replay_id)}/results${queryOf({ limit, cursor, outcome })}`,
    );
    return { ...replay, ...results };
  },
  lines: ({ results, next_cursor, ...replay }, paint, [replay_id]) => [
    ...replayLines(replay, paint),
    ...resultTable({ results, next_cursor }, replay_id, paint),
  ],
});

const order = (command: "pause" | "resume" | "abort" | "approve") =>
  askAndShow({
    interrupted: "The command may have been carried out: agents replays list",
    ask: (api, replay_id: string) => api.post(ReplayView, `${path(replay_id)}/${command}`),
    lines: replayLines,
  });

async function watch(replay_id: string, _options: object, command: Command): Promise<void> {
  const session = openSession(command);
  session.interruptHints = ["The job goes on without you."];
  const first = await session.api.get(ReplayView, path(replay_id));
  const view = await followReplay(session.api, first, session.terminal);
  session.answer(view, () => replayLines(view, session.terminal.paint));
  process.exitCode = replayExit(view);
}

export function replaysCommand(): Command {
  const replays = new Command("replays")
    .summary("jobs that replay or discard failures")
    .description("See and command replay jobs. Create one: agents dlq replay, agents dlq discard.");
  addPaging(replays.command("list").description("jobs, newest first")).action(list);
  addPaging(
    replays
      .command("show <replay_id>")
      .description("one job, and what it did message by message")
      .addOption(new Option("--outcome <outcome>", "only these messages").choices(ReplayOutcome.options)),
  ).action(show);
  replays.command("watch <replay_id>").description("follow a job until it ends or pauses").action(watch);
  replays.command("pause <replay_id>").description("pause a running job").action(order("pause"));
  replays
    .command("resume <replay_id>")
    .description("go on with a paused or failed job")
    .action(order("resume"));
  replays
    .command("abort <replay_id>")
    .description("end a job; what it did stays done")
    .action(order("abort"));
  replays
    .command("approve <replay_id>")
    .description("approve another operator's job (scope admin)")
    .action(order("approve"));
  return replays;
}
