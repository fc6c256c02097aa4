import type { AgentContext } from "#lib/agents/agent/agent.ts";
import type { ConfinedCode } from "#lib/code/confined/confined-code.ts";
import { EDIT_LIMITS } from "#lib/code/edits/edit-limits.ts";
import { editOfToolCall } from "#lib/code/edits/edit-tools.ts";
import { tellRefusals } from "#lib/code/edits/tell-refusals.ts";
import { flagsBut } from "#lib/code/flags/flag-of.ts";
import {
  type Evidence,
  pathsIn,
  type RoundBefore,
  readEvidence,
  writeMemory,
} from "#lib/code/repair/evidence.ts";
import type { ModelChoice } from "#lib/platform/config/model-choice.ts";
import type { CodeOf } from "#lib/platform/errors/codes.ts";
import { RejectedInput } from "#lib/platform/errors/fault.ts";
import { REDACTED, redactSecrets } from "#lib/platform/log/redact-secrets.ts";
import {
  checkTaskBudget,
  NOTHING_SPENT,
  plus,
  type Spending,
} from "#lib/resilience/spending/model-spending.ts";
import type { ModelUse } from "#schemas/artifacts/codegen-metrics.ts";
import type { AnsweredEdit, EditOutcome, EditState, RefusedEdit } from "#schemas/edits.ts";
import type { CodegenInput } from "#schemas/messages/codegen.ts";
import type { Message, Question } from "./ask-model.ts";
import { instructionsFor, PROMPT_VERSION, promptHash, questionText } from "./change-prompt.ts";
import { describeTree, showPart, type TreePorts } from "./describe-tree.ts";
import { mostOf, questionTokensAtMost, tokensAtMost } from "./money.ts";
import type { Provided, ProviderTask } from "./provider-task.ts";
import { type AnswerPorts, type StoredAnswer, storedAnswer } from "./stored-answer.ts";

export interface ModelPorts extends TreePorts, AnswerPorts {
  choice: ModelChoice;
  code: Pick<ConfinedCode, "applyDiff" | "showFile" | "readEdits" | "applyEdits">;
}

type ModelTask = ProviderTask<"prompt"> & RoundBefore & Pick<CodegenInput, "spent">;

/**
 * Asks the configured model for the change in words, as edits, and applies them to the tree. What is refused of an
 * answer goes back to the model, up to `turns_max` questions in one round. A repair round begins with the previous
 * change in the tree, and with what failed.
 *
 * @throws RejectedInput `EDITS_MISSING` and `EDIT_…` when edits are still refused after the last question,
 * `MODEL_BUDGET_SPENT`; the faults of `storedAnswer`, and the codes of `ConfinedCode`
 */
export async function applyModel(
  task: ModelTask,
  context: AgentContext,
  ports: ModelPorts,
): Promise<Provided> {
  const { choice, code } = ports;
  const words = await context.blobs.readText(task.change.text);
  const evidence = await readEvidence(task, context.blobs);
  if (evidence) await code.applyDiff(task.directory, evidence.previous_diff);
  const first = await firstQuestion(task, words, evidence, ports);
  const answers = await converse(task, first, context, ports);
  const intent = intentOf(answers);
  return {
    provider: "model",
    intent,
    asked: redactSecrets(words),
    notes: [],
    model: useOf(answers, task, choice),
    spent: spentBy(answers, task),
    memory: await writeMemory({ tried: evidence?.tried ?? [], intent }, context.blobs),
  };
}

interface FirstQuestion {
  question: Question;
  state: EditState;
}

/** Of the room for a question: what the turns after the first may take. */
const LATER_TURNS_SHARE = 0.3;

async function firstQuestion(
  { directory }: ModelTask,
  words: string,
  evidence: Evidence | undefined,
  ports: ModelPorts,
): Promise<FirstQuestion> {
  const { choice } = ports;
  const instructions = instructionsFor(choice.edit_form);
  const around = tokensAtMost(instructions) + tokensAtMost(words) + tokensAtMost(evidence?.text ?? "");
  const tree = await describeTree(
    {
      directory,
      words: [words, evidence?.words ?? ""].join("\n"),
      paths: evidence ? pathsIn(evidence.previous_diff) : new Set(),
      tokens_max: Math.floor((choice.input_tokens_max - around) * (1 - LATER_TURNS_SHARE)),
    },
    ports,
  );
  const text = questionText({ words, tree: tree.text, evidence: evidence?.text });
  const question: Question = { instructions, messages: [{ role: "user", text }] };
  const tokens = questionTokensAtMost(question);
  if (tokens > choice.input_tokens_max) {
    throw new RejectedInput(
      "MODEL_QUESTION_TOO_LONG",
      `The question has up to ${tokens} tokens, more than input_tokens_max (${choice.input_tokens_max}) of the model "${choice.name}". Say it in fewer words, or raise input_tokens_max.`,
    );
  }
  return { question, state: tree.state };
}

/** Asks until nothing is refused. */
async function converse(
  task: ModelTask,
  { question, state }: FirstQuestion,
  context: AgentContext,
  ports: ModelPorts,
): Promise<StoredAnswer[]> {
  const { choice, code } = ports;
  const { turns_max, flagged_files_allowed } = choice.policy;
  const limits = { ...EDIT_LIMITS, refused_flags: flagsBut(flagged_files_allowed) };
  const messages: Message[] = [...question.messages];
  const answers: StoredAnswer[] = [];
  let known = state;
  for (let turn = 1; ; turn += 1) {
    const asked = { ...question, messages };
    checkTaskBudget(spentBy(answers, task), mostOf(asked, choice), choice);
    const answer = await storedAnswer(asked, turn, choice, context, ports);
    context.signal.throwIfAborted();
    answers.push(answer);
    const edits = (await editsOf(answer, code)).map(withoutPlaceholders);
    const outcome = await code.applyEdits(task.directory, edits, known, limits);
    if (outcome.refused.length === 0) return answers;
    context.log.info("EDITS_REFUSED", `${outcome.refused.length} of ${edits.length} edits are refused`, {
      turn,
      codes: [...new Set(outcome.refused.map(({ code: reason }) => reason))],
    });
    if (turn >= turns_max) throw stillRefused(outcome.refused, turn);
    const reply = await replyTo(outcome, task.directory, code);
    known = reply.state;
    messages.push({ role: "assistant", text: answer.text || "(no text)", calls: answer.calls });
    if (answer.calls.length > 0) messages.push({ role: "tool", results: resultsOf(answer, outcome) });
    messages.push({ role: "user", text: reply.text });
    if (questionTokensAtMost({ ...question, messages }) > choice.input_tokens_max) {
      throw stillRefused(outcome.refused, turn);
    }
  }
}

/** Those of tool calls first, as the model wrote them, else those in its text. */
async function editsOf(
  { text, calls }: StoredAnswer,
  code: Pick<ConfinedCode, "readEdits">,
): Promise<AnsweredEdit[]> {
  if (calls.length > 0) return calls.map(({ name, input }) => editOfToolCall(name, input));
  return code.readEdits(text);
}

/** An edit that would write the placeholder of a secret over the secret itself. */
function withoutPlaceholders(edit: AnsweredEdit): AnsweredEdit {
  const written = edit.kind === "replace" ? edit.replace : edit.kind === "write" ? edit.content : "";
  if (!written.includes(REDACTED)) return edit;
  return {
    kind: "unreadable",
    path: "path" in edit ? edit.path : undefined,
    code: "EDIT_MALFORMED",
    message: `The edit writes ${REDACTED}, which stands for a secret that was not shown. Edit only the lines around it.`,
  };
}

/** Refusals after which the file is shown, as far as it is not too long. */
const SHOWN_AFTER = new Set(["EDIT_FILE_NOT_SHOWN", "EDIT_FILE_CHANGED"]);
const SHOWN_FILES_MAX = 4;
const SHOWN_CHARACTERS_MAX = 16_000;

async function replyTo(
  outcome: EditOutcome,
  directory: string,
  code: Pick<ConfinedCode, "showFile">,
): Promise<{ text: string; state: EditState }> {
  const paths = new Set(outcome.whole_files_wanted);
  for (const { path, code: reason } of outcome.refused) {
    if (path !== undefined && SHOWN_AFTER.has(reason)) paths.add(path);
  }
  let state = outcome.state;
  const parts = [tellRefusals(outcome)];
  for (const path of [...paths].slice(0, SHOWN_FILES_MAX)) {
    const part = await showPart(directory, path, { characters_max: SHOWN_CHARACTERS_MAX }, state, code);
    if (!part) continue;
    state = part.state;
    parts.push(part.text);
  }
  return { text: parts.join("\n\n"), state };
}

function resultsOf({ calls }: StoredAnswer, { refused }: EditOutcome) {
  const reasons = new Map(
    refused.map(({ number, code, message }) => [number, `refused: ${code}: ${message}`]),
  );
  return calls.map(({ id, name }, place) => ({ id, name, text: reasons.get(place + 1) ?? "applied" }));
}

function stillRefused(refused: readonly RefusedEdit[], turns: number): RejectedInput {
  const [first] = refused;
  const code = (first?.code ?? "EDITS_MISSING") as CodeOf<"reject">;
  const where = first?.path === undefined ? "" : `${first.path}: `;
  const more = refused.length > 1 ? ` (and ${refused.length - 1} more refused edits)` : "";
  const asked = turns === 1 ? "one question" : `${turns} questions`;
  return new RejectedInput(
    code,
    `After ${asked} the model's edits still cannot be applied: ${where}${first?.message ?? "there is none"}${more}`,
  );
}

const INTENT_CHARACTERS_MAX = 1000;

const EDIT_BEGINS = /^(?: {0,3}(?:`{3,}|~{3,})|<{5,} |\*\*\* |diff --git |--- |@@ )/m;
const REASONING_TAG = /<(\/?)(think|thinking|thought|reasoning)>/g;

/** A text without what stands between reasoning tags, in one pass, however many are never closed. */
function withoutReasoning(text: string): string {
  let kept = "";
  let from = 0;
  let open: string | undefined;
  for (const { 0: tag, 1: slash, 2: name, index } of text.matchAll(REASONING_TAG)) {
    if (open === undefined && slash === "") {
      kept += text.slice(from, index);
      from = index;
      open = name;
    } else if (slash !== "" && name === open) {
      from = index + tag.length;
      open = undefined;
    }
  }
  return kept + text.slice(from);
}

/** The words before the first edit of the first answer that has any: what the model says that it does. */
function intentOf(answers: readonly StoredAnswer[]): string {
  for (const { text } of answers) {
    const [before = ""] = withoutReasoning(text).split(EDIT_BEGINS);
    const lines = before.trimEnd().split("\n");
    // The line before a block is the path of its file.
    if (before.length < text.length && /^[^\s]*[./][^\s]*$/.test(lines.at(-1)?.trim() ?? "")) lines.pop();
    const words = lines.join(" ").replace(/\s+/g, " ").trim();
    if (words !== "") return words.slice(0, INTENT_CHARACTERS_MAX).toWellFormed();
  }
  return "";
}

/** On models, by the rounds before and these answers. */
function spentBy(
  answers: readonly StoredAnswer[],
  { spent = NOTHING_SPENT }: Pick<ModelTask, "spent">,
): Spending {
  return answers.reduce((sum, answer) => plus(sum, answer.spent), spent);
}

function useOf(
  answers: readonly StoredAnswer[],
  task: ModelTask,
  { name, model, provider, edit_form, policy }: ModelChoice,
): ModelUse {
  const sum = (of: (answer: StoredAnswer) => number) =>
    answers.reduce((total, answer) => total + of(answer), 0);
  const spent = spentBy(answers, task);
  return {
    ...{ name, model, provider },
    prompt_version: PROMPT_VERSION,
    prompt_sha256: promptHash(edit_form),
    rounds: task.round + 1,
    turns: answers.length,
    input_tokens: sum(({ usage }) => usage.input_tokens),
    cached_input_tokens: sum(({ usage }) => usage.cached_input_tokens),
    output_tokens: sum(({ usage }) => usage.output_tokens),
    usd: sum((answer) => answer.spent.usd_micros) / 1e6,
    answer_ms: sum(({ duration_ms }) => duration_ms),
    task_tokens: spent.tokens,
    task_usd: spent.usd_micros / 1e6,
    task_tokens_max: policy.task_tokens_max,
    task_usd_max: policy.task_usd_max,
  };
}
