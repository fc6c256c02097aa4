import { canMove, moveQueue } from "#lib/agents/dlq/replay-cases.ts";
import { auditOrder } from "./audit.ts";
import { type Report, replay, replayPorts } from "./commands.ts";
import { DLQ_EXIT, DlqError } from "./dlq-error.ts";
import { type DlqOptions, filterOf, servicesOf } from "./options.ts";
import { progress } from "./progress.ts";

/** Whole DLQs by SQS's own move where the endpoint has it, else one message at a time. */
export async function move(ids: string[], options: DlqOptions): Promise<Report> {
  const { service: _, ...others } = options;
  if (Object.keys(filterOf(ids, others)).length > 0 || options.dryRun || options.force) {
    throw new DlqError(
      DLQ_EXIT.usage,
      "--native moves whole queues: give only --service or --all with it, and look first with replay --all --dry-run.",
    );
  }
  const ports = replayPorts(options);
  const services = servicesOf(options);
  const [first] = services;
  if (first && !(await canMove(first, ports))) {
    process.stderr.write("The SQS of this endpoint moves no messages itself; replaying them one by one.\n");
    return replay([], { ...options, all: true });
  }
  await auditOrder("dlq.move", ids, options);
  const moves = [];
  for (const service of services) {
    const { onProgress, end } = progress(`Preparing ${service}`);
    try {
      moves.push({ service, ...(await moveQueue(service, options.limit, ports, onProgress)) });
    } finally {
      end();
    }
  }
  return {
    lines: moves.map(
      ({ service, moved, removed, kept }) => `${service}: ${moved} moved, ${removed} removed, ${kept} kept.`,
    ),
    json: moves,
    exit: moves.some(({ kept }) => kept > 0) ? DLQ_EXIT.kept : DLQ_EXIT.done,
  };
}
