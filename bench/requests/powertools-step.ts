import { BatchProcessor, EventType, processPartialResponse } from "@aws-lambda-powertools/batch";
import { IdempotencyConfig, makeIdempotent } from "@aws-lambda-powertools/idempotency";
import { DynamoDBPersistenceLayer } from "@aws-lambda-powertools/idempotency/dynamodb";
import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import { parse } from "@aws-lambda-powertools/parser";
import { Tracer } from "@aws-lambda-powertools/tracer";
import { type DynamoDBDocumentClient, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { SQSRecord } from "aws-lambda";
import { z } from "zod";

const Step = z.object({ task_id: z.string(), command: z.string() });
type Step = z.infer<typeof Step>;

/** A table and where to write in it. */
export interface PowertoolsPorts {
  table: DynamoDBDocumentClient;
  table_name: string;
}

/**
 * The same step made with Powertools for AWS Lambda: one item says how far the task has come, written when it is accepted,
 * begun and ended; the handler of its message is idempotent. One function does the step: there is no workflow, no lease
 * with a fencing token, no list of artifacts and no sweeper.
 */
export function powertoolsStep({ table, table_name }: PowertoolsPorts) {
  const logger = new Logger({ serviceName: "step", logLevel: "SILENT" });
  const tracer = new Tracer({ serviceName: "step", enabled: false }); // segments go to a daemon by UDP, not to an API
  const metrics = new Metrics({ namespace: "bench", serviceName: "step" });
  const persistenceStore = new DynamoDBPersistenceLayer({
    tableName: table_name,
    keyAttr: "pk",
    sortKeyAttr: "sk",
    staticPkValue: "powertools",
    awsSdkV3Client: table as never,
  });
  const config = new IdempotencyConfig({ eventKeyJmesPath: "task_id" });
  config.registerLambdaContext({ getRemainingTimeInMillis: () => 60_000 } as never);
  const keyOf = (task_id: string) => ({ pk: "state", sk: task_id });
  const move = (task_id: string, status: string) =>
    table.send(
      new UpdateCommand({
        TableName: table_name,
        Key: keyOf(task_id),
        UpdateExpression: "SET #status = :status",
        ExpressionAttributeNames: { "#status": "status" },
        ExpressionAttributeValues: { ":status": status },
      }),
    );
  const work = async ({ task_id }: Step) => {
    await move(task_id, "running");
    await move(task_id, "succeeded");
    metrics.addMetric("steps", MetricUnit.Count, 1);
    return { exit_code: 0 };
  };
  const once = makeIdempotent(work, { persistenceStore, config });
  const processor = new BatchProcessor(EventType.SQS);
  const serve = async (record: SQSRecord) => {
    const step = parse(JSON.parse(record.body), undefined, Step) as Step;
    logger.info("step", { task_id: step.task_id });
    tracer.putAnnotation("task", step.task_id);
    await once(step);
  };
  return {
    accept: ({ task_id, command }: Step) =>
      table.send(
        new PutCommand({
          TableName: table_name,
          Item: { ...keyOf(task_id), status: "accepted", command },
          ConditionExpression: "attribute_not_exists(pk)",
        }),
      ),
    async handle(steps: readonly Step[]) {
      const Records = steps.map(
        (step) => ({ messageId: step.task_id, body: JSON.stringify(step) }) as SQSRecord,
      );
      const context = { getRemainingTimeInMillis: () => 60_000 } as never;
      return processPartialResponse({ Records }, serve, processor, { context });
    },
  };
}
