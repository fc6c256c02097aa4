import { z } from "zod";
import type { Agent, AgentContext, AgentResult } from "#lib/agents/agent/agent.ts";
import {
  ParkedFault,
  QuotaFault,
  RejectedInput,
  RetryableFault,
  TerminalFault,
  ThrottledFault,
} from "#lib/platform/errors/fault.ts";
import { BuildtestInput, BuildtestOutput } from "#schemas/messages/buildtest.ts";
import { CodegenInput, CodegenOutput } from "#schemas/messages/codegen.ts";
import { IndexingInput, IndexingOutput } from "#schemas/messages/indexing.ts";
import { SandboxInput, SandboxOutput } from "#schemas/messages/sandbox.ts";
import type { World } from "../engine/world.ts";

/** Agents with the real contracts and no work: how an attempt goes is drawn from the seed. */
export function simulatedAgents(world: World): Map<string, Agent<z.ZodType, z.ZodType>> {
  const agent = <Input extends z.ZodType, Output extends z.ZodType>(
    name: string,
    input: Input,
    output: Output,
    work: (input: z.output<Input>, context: AgentContext) => Promise<z.input<Output>>,
  ) => ({
    name,
    input,
    output,
    async run(given: z.output<Input>, context: AgentContext): Promise<AgentResult<z.input<Output>>> {
      await spendTime(world, context);
      const now = context.runtime.now();
      if (name === "codegen" && refusesWork(world)) {
        world.count("runs refused: MODEL_QUOTA_SPENT");
        throw quotaSpent(world, now);
      }
      if (world.scheduler.now() < (world.broken_until ?? 0)) {
        world.count("runs failed: for good");
        throw new TerminalFault("BLOB_CORRUPT", "the cause is not mended yet");
      }
      maybeFail(world);
      const made = await work(given, context);
      const failed = world.random.chance(0.15);
      return failed
        ? { verdict: "failed", code: "TESTS_FAILED", message: "the tests failed", output: made }
        : { verdict: "passed", output: made };
    },
  });
  const agents = [
    agent("codegen", CodegenInput, CodegenOutput, async ({ source }, { blobs, artifacts, runtime }) => {
      const text = `diff of ${runtime.uuid()}\n`; // every attempt makes another one: models do
      await artifacts.text("codegen/diff.patch", text, "text/x-diff");
      // Some files are too large to travel in the outcome.
      const notes = world.random.chance(0.3) ? world.random.hex(4000) : "";
      await artifacts.text("codegen/summary.md", `summary of ${text}${notes}`, "text/markdown");
      const diff = await blobs.write(text, "text/x-diff");
      return { source, diff, provider: "patch" as const, files_changed: 1, insertions: 1, deletions: 0 };
    }),
    agent(
      "buildtest",
      BuildtestInput,
      BuildtestOutput,
      async ({ source, diff }, { blobs, artifacts, runtime }) => {
        const change = diff ? await blobs.readText(diff) : "no change";
        const report = { id: runtime.uuid(), change };
        await artifacts.json("build-test/report.json", "artifact.build_test_report", z.any(), report);
        return {
          source,
          verdict: "passed" as const,
          report: await blobs.write(JSON.stringify(report), "application/json"),
          tests_passed: 1,
          tests_failed: 0,
          tests_skipped: 0,
        };
      },
    ),
    agent("indexing", IndexingInput, IndexingOutput, async ({ source, repository, report }, context) => {
      const seen = report ? await context.blobs.readText(report) : "";
      await context.artifacts.text("index/report.json", `{"seen":${seen.length}}`, "application/json");
      return { source, repository, revision: "r1", files: 1, symbols: 1, chunks: 1, embedded: 1 };
    }),
    agent("sandbox", SandboxInput, SandboxOutput, async (_input, { artifacts, runtime }) => {
      await artifacts.text("run/output.log", runtime.uuid(), "text/plain");
      return { exit_code: 0, duration_ms: 1 };
    }),
  ] as unknown as Agent<z.ZodType, z.ZodType>[];
  const known = new Map(agents.map((one) => [one.name, one]));
  for (const { service } of world.deployment.functions) {
    const unknown = service !== "orchestrator" && !known.has(service);
    if (unknown)
      known.set(
        service,
        agent(service, z.unknown(), z.unknown(), async () => ({})),
      );
  }
  return known;
}

/** Mostly quick; sometimes several leases long, with or without regard to the signal. */
export async function spendTime(
  { random, deployment }: World,
  { runtime, signal }: AgentContext,
): Promise<void> {
  const way = random.next();
  if (way < 0.6) return runtime.sleep(random.int(1, 2000), signal);
  if (way < 0.63) return runtime.sleep(random.int(3, 40) * deployment.lease_ms, signal);
  if (way < 0.85) return runtime.sleep(random.int(1000, 3 * deployment.lease_ms), signal);
  await runtime.sleep(random.int(1000, 3 * deployment.lease_ms)); // deaf to the signal
}

function refusesWork({ scheduler, quota_since, quota_until }: World): boolean {
  return scheduler.now() >= quota_since && scheduler.now() < quota_until;
}

/** A dependency whose quota is spent says until when, in the caller's time. */
function quotaSpent({ quota_until, quota_since, scheduler, seed }: World, now: number): QuotaFault {
  const clock_offset_ms = now - scheduler.now();
  return new QuotaFault("MODEL_QUOTA_SPENT", "the quota is spent", {
    retry_at_ms: quota_until + clock_offset_ms,
    dependency: "model",
    ...(seed % 2 === 0 && { since_ms: quota_since + clock_offset_ms }),
  });
}

const FAILURES = [
  () => new RetryableFault("MODEL_UNAVAILABLE", "might work next time"),
  () => new RetryableFault("MODEL_UNAVAILABLE", "might work next time"),
  () => new TypeError("a bug"),
  () => new ThrottledFault("MODEL_THROTTLED", "too fast"),
  () => new ThrottledFault("MODEL_THROTTLED", "too fast", { retry_after_ms: 7000 }),
  () => new ParkedFault("CIRCUIT_OPEN", "a dependency is down", { retry_after_ms: 20_000 }),
  () => new TerminalFault("MODEL_REFUSED", "cannot ever work"),
  () => new RejectedInput("DIFF_DOES_NOT_APPLY", "the diff does not apply"),
];

export function maybeFail(world: World): void {
  const { random, faults } = world;
  const rate = world.faulty() ? faults.run_fails : Math.min(faults.run_fails, 0.02);
  if (!random.chance(rate)) return;
  const failure = random.pick(FAILURES)();
  world.count(`runs failed: ${"code" in failure ? failure.code : "UNEXPECTED"}`);
  throw failure;
}
