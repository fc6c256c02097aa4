import { HttpError } from "#lib/platform/errors/http-error.ts";
import { childSpan } from "#lib/platform/trace/traceparent.ts";
import type { Submission } from "#schemas/messages/submission.ts";
import type { TaskRecord } from "#schemas/records/task.ts";
import { cancelTask } from "../../../functions/gateway/cancel-task.ts";
import { submitTask } from "../../../functions/gateway/submit-task.ts";
import type { Invocation } from "../engine/invocation.ts";
import { kill } from "../engine/network.ts";
import type { World } from "../engine/world.ts";
import type { SimulatedPlatform } from "./simulated-platform.ts";
import type { Stack } from "./stack.ts";

const TRIES_MAX = 6;

interface Request {
  tenant: string;
  submission: Submission;
  idempotency_key: string | undefined;
}

/** What clients do: submit, repeat what got no answer, cancel. */
export interface Client {
  submit(request: Request, answered: (task: TaskRecord) => void): void;
  cancel(tenant: string, task_id: string): void;
  /** Requests that may still be tried. */
  open(): number;
}

export function makeClient(world: World, stack: Stack): Client {
  let open = 0;
  const answers = new Map<string, { task_id: string; submission: Submission }>();

  /** Calls the gateway; like API Gateway it gives up at the function's timeout. */
  const request = <Answer>(run: (platform: SimulatedPlatform) => Promise<Answer>) => {
    const timeout_ms = world.deployment.gateway_timeout_ms;
    const { invocation, platform } = stack.invoke("gateway", timeout_ms);
    return new Promise<Answer>((resolve, reject) => {
      world.scheduler.after(timeout_ms, `${invocation.number} gateway timeout`, () => {
        if (invocation.state === "running") kill(world, invocation);
        if (invocation.state === "dead") reject(new Error("503"));
      });
      run(platform).then(
        (answer) => settle(world, invocation, () => resolve(answer)),
        (error) => settle(world, invocation, () => reject(error)),
      );
    });
  };

  const submit = (asked: Request, answered: (task: TaskRecord) => void, tries = 1): void => {
    open += 1;
    request((platform) => {
      const trace = childSpan(undefined, platform.runtime);
      return submitTask({ ...asked, trace, log: platform.logOf("gateway") }, platform);
    })
      .then(
        ({ task }) => {
          world.count("submissions answered");
          checkAnswer(world, asked, task, answers);
          answered(task);
        },
        (error: unknown) => {
          if (error instanceof HttpError) checkRefusal(world, asked, error, answers);
          else if (tries < TRIES_MAX) {
            const again = () => submit(asked, answered, tries + 1);
            open += 1;
            world.scheduler.after(world.random.int(100, 5000), "client tries again", () => {
              open -= 1;
              again();
            });
          }
        },
      )
      .finally(() => {
        open -= 1;
      });
  };

  const cancel = (tenant: string, task_id: string): void => {
    request((platform) => cancelTask(tenant, task_id, childSpan(undefined, platform.runtime), platform)).then(
      () => world.count("cancels accepted"),
      () => world.count("cancels not accepted"),
    );
  };
  return { submit, cancel, open: () => open };
}

function settle(world: World, invocation: Invocation, then: () => void): void {
  if (invocation.state === "dead") return;
  invocation.state = "ended";
  world.invocations.delete(invocation);
  then();
}

type Answers = Map<string, { task_id: string; submission: Submission }>;

function checkAnswer(world: World, asked: Request, task: TaskRecord, answers: Answers): void {
  const { tenant, idempotency_key, submission } = asked;
  if (!world.table.get({ pk: `TASK#${tenant}#${task.task_id}`, sk: "TASK" })) {
    world.violate("an answered submission is accepted", `${task.task_id} is not in the table`);
  }
  if (idempotency_key === undefined) return;
  const name = `${tenant} ${idempotency_key}`;
  const before = answers.get(name);
  answers.set(name, { task_id: task.task_id, submission });
  if (!before) return;
  world.count("repeated submissions");
  if (before.task_id !== task.task_id) world.violate("a repeated key gives the same task", name);
  if (JSON.stringify(before.submission) !== JSON.stringify(submission)) {
    world.violate("a key of another body is refused", name);
  }
}

function checkRefusal(world: World, asked: Request, error: HttpError, answers: Answers): void {
  world.count(`submissions refused: ${error.code}`);
  const before = answers.get(`${asked.tenant} ${asked.idempotency_key}`);
  if (before && JSON.stringify(before.submission) === JSON.stringify(asked.submission)) {
    world.violate("a repeated key gives the same task", `refused with ${error.code}`);
  }
}
