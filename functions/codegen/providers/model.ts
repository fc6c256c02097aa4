import type { AgentContext } from "#lib/agents/agent/agent.ts";
import type { ConfinedCode } from "#lib/code/confined/confined-code.ts";
import { readTree } from "#lib/code/diff/read-tree.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";
import type { ModelSettings } from "#lib/platform/settings/environment.ts";
import { askModel } from "./ask-model.ts";
import type { Provided, ProviderTask } from "./provider-task.ts";

/** What of the tree goes into the question; the paths of the rest are listed. */
const CHARACTERS_MAX = 60_000;
const FILE_BYTES_MAX = 20_000;
const PATHS_MAX = 500;

/**
 * Asks the configured model for the change in words, as a unified diff, and applies that diff as
 * strictly as a submitted one.
 *
 * @throws RejectedInput `MODEL_ANSWER_UNUSABLE`, `NO_REPAIR_LEFT` and the codes of `applyDiff`;
 * the faults of `askModel`
 */
export async function applyModel(
  { change, round, directory }: ProviderTask<"prompt">,
  { blobs, call }: Pick<AgentContext, "blobs" | "call">,
  { model, code }: { model: ModelSettings; code: Pick<ConfinedCode, "applyDiff"> },
): Promise<Provided> {
  if (round > 0) {
    throw new RejectedInput(
      "NO_REPAIR_LEFT",
      "A model is asked once a task; submit the change anew with more words.",
    );
  }
  const words = await blobs.readText(change.text);
  const asked = question(words, await describeTree(directory));
  const answer = await call("model", (signal) => askModel(asked, model, signal));
  await code.applyDiff(directory, diffOf(answer));
  return { provider: "model", notes: [`Model: ${model.name}.`] };
}

function question(words: string, tree: string): string {
  return [
    "Change the repository below as asked. Answer with one unified diff in a ```diff block and nothing else.",
    "Paths are relative to its root, with a/ and b/ before them; context lines are exact.",
    `\nThe change:\n${words}`,
    `\nThe repository:\n${tree}`,
  ].join("\n");
}

/** Small text files whole, in path order, while they fit; of the others the paths. */
async function describeTree(directory: string): Promise<string> {
  const shown: string[] = [];
  const listed: string[] = [];
  let characters = 0;
  for (const [path, file] of [...(await readTree(directory))].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const text = file.bytes_count > FILE_BYTES_MAX ? "\0" : file.read().toString("utf8");
    if (text.includes("\0") || characters + text.length > CHARACTERS_MAX) {
      listed.push(path);
      continue;
    }
    characters += text.length;
    shown.push(`=== ${path}\n${text}`);
  }
  return [...shown, ...listed.slice(0, PATHS_MAX).map((path) => `=== ${path} (not shown)`)].join("\n");
}

function diffOf(answer: string): string {
  const block = /```(?:diff|patch)?\n([\s\S]*?)```/.exec(answer)?.[1] ?? answer;
  if (/^--- /m.test(block)) return block;
  throw new RejectedInput(
    "MODEL_ANSWER_UNUSABLE",
    `The model's answer has no unified diff. It begins: ${JSON.stringify(answer.slice(0, 200))}`,
  );
}
