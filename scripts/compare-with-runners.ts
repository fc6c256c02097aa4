import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { type Row, rowOf, tableLines } from "./compare-with-runners/comparison.ts";
import { fetchPackages, runProject, versionOf } from "./compare-with-runners/live-runs.ts";
import { readRecorded, writeRecorded } from "./compare-with-runners/recorded-runs.ts";
import { RUNNERS } from "./compare-with-runners/runners.ts";

interface Options {
  recorded?: boolean;
  record?: boolean;
  tools?: string;
  fetch: boolean;
  only?: string;
}

/** Runs every form of every runner that is here, and compares what is read with what the runner counts. */
async function liveRows({ tools, fetch, only, record }: Options): Promise<{ rows: Row[]; absent: string[] }> {
  const rows: Row[] = [];
  const absent: string[] = [];
  const own_tools = tools ?? (await mkdtemp(join(tmpdir(), "test-runners-")));
  try {
    for (const runner of RUNNERS.filter(({ name }) => !only || name.toLowerCase() === only.toLowerCase())) {
      if (runner.packages.length > 0 && !tools && fetch) {
        console.log(`Fetching ${runner.packages.join(", ")} …`);
        await fetchPackages(own_tools, runner.packages);
      }
      const version = await versionOf(runner, own_tools);
      if (version === null) {
        absent.push(runner.name);
        continue;
      }
      for (const project of runner.projects) {
        const runs = await runProject(runner, project, version, own_tools);
        rows.push(...runs.map((run) => rowOf(run, "run now")));
        if (record) await writeRecorded(runs);
      }
    }
  } finally {
    if (!tools) await rm(own_tools, { recursive: true, force: true });
  }
  return { rows, absent };
}

async function compare(options: Options): Promise<void> {
  const live = options.recorded ? { rows: [], absent: [] } : await liveRows(options);
  const recorded = options.record ? [] : (await readRecorded()).map((run) => rowOf(run, "recorded"));
  const rows = [...live.rows, ...recorded];
  for (const line of tableLines(rows)) console.log(line);
  for (const name of live.absent)
    console.log(`– ${name} is not here: skipped; its recorded forms are compared`);
  const different = rows.filter(({ same }) => !same).length;
  console.log(
    `${rows.length} forms, ${rows.length - different} with the same counts, ${different} different`,
  );
  if (different > 0 || rows.length === 0) process.exitCode = 1;
}

await new Command("compare:reports")
  .description(
    "Compare what is read out of test reports with what each test runner counts itself: forms that were recorded from real runs, and runs of the runners that are here.",
  )
  .option("--recorded", "compare the recorded forms only; runs nothing")
  .option("--record", "run what is here and write it down as the recorded forms")
  .option("--tools <directory>", "take npm's runners from its node_modules instead of fetching them")
  .option("--no-fetch", "fetch nothing from npm: runners that are not here are skipped")
  .option("--only <runner>", "run only this one, for example mocha")
  .action(compare)
  .parseAsync();
