/**
 * Whether edits of models are applied to the byte or refused: `npm run bench:edits -- --help`.
 */

import { readOptions } from "../scripts/read-options.ts";
import { editCases } from "./edits/cases.ts";
import { type CaseResult, type Result, runCases } from "./edits/run-cases.ts";

const HELP = `npm run bench:edits -- [options]

Applies several hundred edits to files in a directory: those that must be applied, of which every byte is compared,
and those that must be refused, of which the file must stay as it is. Beside it, what the rules of aider and of opencode, written anew
from their known behavior, make of the same edits. Exit code 1 when a byte is wrong, when an edit that must be applied
is refused, or one that must be refused is applied.

  --all    also each case that is not as it must be at the other tools
  --json   one JSON document instead of tables`;

const values = readOptions(HELP, {
  json: { type: "boolean", default: false },
  all: { type: "boolean", default: false },
});

const cases = editCases();
const results = await runCases(cases);
const names = [...new Set(cases.map(({ group }) => group))];

const wrong = results.filter(({ ours }) => ours.some(({ result }) => result === "wrong"));
const must_apply = results.filter((each) => each.case.applies);
const must_refuse = results.filter((each) => !each.case.applies);
const isRight = ({ ours }: CaseResult) => ours.every(({ result }) => result === "right");
const isRefused = ({ ours }: CaseResult) => ours.every(({ result }) => result === "refused");
const failed = [
  ...must_apply.filter((each) => !isRight(each)),
  ...must_refuse.filter((each) => !isRefused(each)),
];

function tally(of: readonly CaseResult[], tool: "aider" | "opencode"): Record<Result, number> {
  const counts = { right: 0, wrong: 0, refused: 0 };
  for (const each of of) counts[each[tool]]++;
  return counts;
}

const groups = names.map((group) => {
  const own = results.filter((each) => each.case.group === group);
  const applies = own[0]?.case.applies ?? false;
  const shown = ({ right, wrong: other, refused }: Record<Result, number>) =>
    `${right} / ${other} / ${refused}`;
  return {
    group,
    must: applies ? "apply" : "refuse",
    cases: own.length,
    "as it must be": own.filter(applies ? isRight : isRefused).length,
    "aider right / wrong / refused": shown(tally(own, "aider")),
    "opencode right / wrong / refused": shown(tally(own, "opencode")),
  };
});
const summary = {
  cases: results.length,
  applications: results.reduce((sum, { ours }) => sum + ours.length, 0),
  wrong_bytes: wrong.length,
  unambiguous: must_apply.length,
  unambiguous_applied: must_apply.filter(isRight).length,
  refused: must_refuse.filter(isRefused).length,
  refused_by_us: { aider: tally(must_refuse, "aider"), opencode: tally(must_refuse, "opencode") },
};

if (values.json) console.log(JSON.stringify({ summary, groups }, null, 2));
else {
  console.table(groups);
  const { aider, opencode } = summary.refused_by_us;
  const share = Math.round((100 * summary.unambiguous_applied) / summary.unambiguous);
  console.log(
    `${summary.cases} cases, ${summary.applications} applications: ${summary.wrong_bytes} with a wrong byte.`,
  );
  console.log(
    `Unambiguous edits applied: ${summary.unambiguous_applied} of ${summary.unambiguous} (${share} %).`,
  );
  console.log(`Of our ${must_refuse.length} refusals, the rules of`);
  for (const [tool, { right, wrong: other }] of Object.entries({ aider, opencode })) {
    console.log(`  ${tool.padEnd(8)} apply ${right + other}: ${right} as was meant, ${other} wrongly`);
  }
}
if (values.all) {
  for (const each of results) {
    const others = [each.aider, each.opencode];
    if (others.includes("wrong"))
      console.log(`aider ${each.aider}, opencode ${each.opencode}: ${each.case.group}: ${each.case.name}`);
  }
}
for (const { case: one, ours } of failed)
  console.error(`not as it must be: ${one.group}: ${one.name}: ${JSON.stringify(ours)}`);
process.exitCode = failed.length > 0 || wrong.length > 0 ? 1 : 0;
