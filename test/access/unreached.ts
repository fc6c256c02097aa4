/**
 * What roles allow and the run of everything does not show, and why it is needed all the same. As text:
 * `<function> <action> <resource> <partition>`.
 */
export const UNREACHED: [RegExp, string][] = [
  [/ (logs|xray):/, "Lambda's runtime does it"],
  [/ sqs:(ReceiveMessage|DeleteMessage|GetQueueAttributes) \w+Queue/, "the event source mapping does it"],
  [
    / s3:GetObject ArtifactBucket.Arn\/configs/,
    "here the files are watched; test/integration/config-s3.test.ts",
  ],
  [/ s3:ListBucket /, "S3 looks for it when an object is missing, to answer 404"],
  [
    /^(indexing|retrieval) dynamodb:\w+ Table.Arn CIRCUITS/,
    "where the code graph is in Neo4j; test/neo4j/whole-system.test.ts",
  ],
  [
    /^(codegen|coder) dynamodb:UpdateItem Table.Arn MODEL_SPENDING#/,
    "where configs/codegen.json limits a tenant's day; test/integration/model-answers.test.ts, test/e2e/model.test.ts",
  ],
  [
    / secretsmanager:GetSecretValue /,
    "here keys come from the environment; lib/platform/secrets/model-key.test.ts",
  ],
  [/^codegen bedrock:/, "no hosted model is called here; docs/guides/models.md"],
  [/^alerts sns:Publish AlarmTopic/, "a sink of kind sns; test/integration/alerts.test.ts"],
  [/ sqs:ChangeMessageVisibility /, "a failure that is tried again; test/e2e/retry.long.test.ts"],
  [
    /^gateway (sqs:SendMessage \w+Queue|dynamodb:UpdateItem Table.Arn (TASK|FAILURE|REPLAY)#|dynamodb:(GetItem|PutItem) Table.Arn (FAILURE|REPLAY)#)/,
    "a failure that is edited or imported, a replay job that is paused; test/e2e/redrive.test.ts",
  ],
  [
    /^replays (sqs:\w+ \w+Queue|dynamodb:(GetItem|PutItem|UpdateItem|Query) Table.Arn (TASK|REPLAY|FAILURE)#)/,
    "a message that is sent again, a whole queue that is moved; test/e2e/redrive.test.ts, test/integration/replay.long.test.ts",
  ],
  [
    /^replays s3:GetObject ArtifactBucket.Arn\/tenants\/\*\/blobs/,
    "an edit of a payload that travels by reference; lib/agents/dlq/edit-payload.test.ts",
  ],
  [
    /^dlq-sweeper (sqs:\w+ \w+Queue|dynamodb:(GetItem|PutItem|UpdateItem) Table.Arn (REPLAY|FAILURE)#)/,
    "only when a replay job stands still, or SQS moved a message; test/integration/replay-jobs.long.test.ts",
  ],
  [
    / sqs:SendMessage (Indexing|Buildtest|Sandbox|Coder|Orchestrator|Webhooks)Queue/,
    "parked work; test/integration/parking.long.test.ts",
  ],
  [
    / dynamodb:GetItem Table.Arn (TASK|AUDIT|IDEMPOTENCY)#\*/,
    "only when a conditional write finds another one before it",
  ],
  [
    /^(retrieval|authorizer) dynamodb:(Get|Update)Item Table.Arn KEY#/,
    "whichever function sees a key first reads it and notes its use; here they share a process",
  ],
  [
    /^retrieval dynamodb:(PutItem Table.Arn AUDIT|UpdateItem Table.Arn ATTEMPTS|GetItem Table.Arn LIMIT)#/,
    "as the gateway does",
  ],
  [
    /^orchestrator s3:PutObject\w* ArtifactBucket.Arn\/tenants\/\*\/blobs/,
    "the claim check of a large message",
  ],
  [
    /^indexing s3:PutObject\w* ArtifactBucket.Arn\/tenants\/\*\/blobs/,
    "a git source, or a report with a thousand files left out",
  ],
  [/^orchestrator dynamodb:UpdateItem Table.Arn TASK#/, "takes up a step again, on replay"],
  [
    /^sweeper dynamodb:\w+ Table.Arn TASK#/,
    "only when a delivery stands still; test/integration/webhooks.test.ts",
  ],
  [/^sweeper sqs:SendMessage OrchestratorQueue/, "only when a task stands still"],
  [
    / dynamodb:UpdateItem Table.Arn METRICS#/,
    "counts wait in a process, and whichever function's turn it is writes them; here all share one",
  ],
  [
    /^observability dynamodb:UpdateItem Table.Arn METRICS_(HOURS|TOTALS)/,
    "only when five minutes are over; test/integration/metrics.test.ts",
  ],
  [
    /^observability dynamodb:Query Table.Arn (METRICS_TOTALS|.*FAILURES)/,
    "only where there are dead letters; test/e2e/alerts.test.ts",
  ],
  [
    /^sweeper (dynamodb:(Query|PutItem) Table.Arn (ALERT|SILENCES)|sqs:SendMessage AlertsQueue)/,
    "only when alerts are not evaluated; test/integration/alerts.test.ts",
  ],
  [
    /^(observability|gateway) sqs:SendMessage AlertsQueue/,
    "only where a sink is configured; test/e2e/alerts.test.ts",
  ],
  [
    /^alerts (dynamodb:\w+ Table.Arn (NOTICE|LIMIT|CIRCUITS)|sqs:SendMessage AlertsQueue)/,
    "only where a sink is configured; test/e2e/alerts.test.ts",
  ],
  [/ dynamodb:PutItem Table.Arn TRACE#/, "only for spans that no write of the ledger carried"],
];
