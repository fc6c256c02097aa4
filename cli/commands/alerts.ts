import { Command } from "commander";
import { AlertList, AlertTestSent, SilenceView } from "#schemas/http/alerts.ts";
import { askAndShow } from "../ask-and-show.ts";
import { UsageError } from "../cli-error.ts";
import { spanOption } from "../parse-option.ts";
import { alertTable, silenceLines, testLines } from "../render/alert-table.ts";

const EXAMPLES = `
Examples:
  $ agents alerts list
  $ agents alerts silence circuit_open --label circuit=codegen.worker.model --for 2h --why "the provider is moving"
  $ agents alerts test --sink ops
  $ agents alerts list --json | jq '.alerts[] | select(.state == "firing")'`;

const list = askAndShow({ ask: (api) => api.get(AlertList, "/api/alerts"), lines: alertTable });

interface SilenceOptions {
  for: number;
  why: string;
  label: Record<string, string>;
}

const silence = askAndShow({
  ask: (api, rule: string, { for: for_ms, why, label }: SilenceOptions) =>
    api.post(SilenceView, "/api/alerts/silences", {
      body: { rule: rule === "all" ? "*" : rule, labels: label, for_seconds: Math.ceil(for_ms / 1000), why },
    }),
  lines: silenceLines,
});

const test = askAndShow({
  ask: (api, { sink }: { sink?: string }) =>
    api.post(AlertTestSent, "/api/alerts/test", { body: sink === undefined ? {} : { sink } }),
  lines: testLines,
});

/** Collects `--label name=value`, which may be given several times. */
function labelOption(text: string, before: Record<string, string>): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new UsageError(`--label is name=value, not ${text}.`);
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

export function alertsCommand(): Command {
  const command = new Command("alerts")
    .summary("show what fires; silence rules, test where it is told")
    .description("Show alerts, silence their rules for a time, and test the sinks of configs/alerts.json.")
    .addHelpText("after", EXAMPLES);
  command
    .command("list", { isDefault: true })
    .description("What fires, what is silenced, and where it is told.")
    .action(list);
  command
    .command("silence")
    .description("Tell nobody of a rule's alerts for a time; what still fires then is told then.")
    .argument("<rule>", "a rule's name, or all")
    .requiredOption("--for <span>", "how long, such as 30m or 2h", spanOption)
    .requiredOption("--why <text>", "the reason")
    .option("--label <name=value>", "only alerts with this label; may be repeated", labelOption, {})
    .action(silence);
  command
    .command("test")
    .description("Send a test notice.")
    .option("--sink <name>", "to this sink only")
    .action(test);
  return command;
}
