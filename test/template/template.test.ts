import { beforeAll, describe, expect, it } from "vitest";
import { CORS_RULE } from "../../local/emulators/s3-cors.ts";
import type { Template } from "../../scripts/package/template.ts";
import { templateOf } from "../../scripts/package/template-of.ts";
import { alarmRules } from "./rules/alarms.ts";
import { dashboardRules } from "./rules/dashboard.ts";
import { dataRules } from "./rules/data.ts";
import { functionRules } from "./rules/functions.ts";
import { queueRules } from "./rules/queues.ts";
import { roleRules } from "./rules/roles.ts";
import { properties } from "./rules/rule.ts";

const RULES = [...queueRules, ...functionRules, ...roleRules, ...dataRules, ...alarmRules, ...dashboardRules];
/** `prod`, and any other that custom.stages says nothing of. */
const templates: Record<string, Template> = {};
beforeAll(async () => {
  for (const stage of ["prod", "trial"]) templates[stage] = await templateOf(stage);
});
const copyOf = (stage: string): Template => structuredClone(templates[stage] as Template);

describe.each(RULES)("$says", ({ check, mutations }) => {
  it.each(["prod", "trial"])("in stage %s", (stage) => {
    expect(check(copyOf(stage))).toEqual([]);
  });

  it.each(Object.entries(mutations))("and a template with this is found out: %s", (_name, mutate) => {
    const template = copyOf("prod");
    mutate(template);
    expect(check(template).length).toBeGreaterThan(0);
  });
});

describe("a stage", () => {
  it("has its own settings, and the default ones where it says nothing", () => {
    const of = (stage: string) => ({
      log_days: properties(copyOf(stage), "GatewayLogGroup").RetentionInDays,
      protected: properties(copyOf(stage), "Table").DeletionProtectionEnabled,
      concurrency: properties(copyOf(stage), "IndexingEventSourceMappingSQSIndexingQueue").ScalingConfig,
      routes: properties(copyOf(stage), "HttpApiStage").DefaultRouteSettings,
    });
    expect(of("prod")).toMatchObject({
      log_days: 90,
      protected: true,
      concurrency: { MaximumConcurrency: 10 },
      routes: { ThrottlingRateLimit: 500, ThrottlingBurstLimit: 1000 },
    });
    expect(of("trial")).toMatchObject({
      log_days: 14,
      protected: false,
      concurrency: { MaximumConcurrency: 5 },
      routes: { ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100 },
    });
  });

  it("lets pages upload to the bucket, and nothing else, as the local S3 does", () => {
    const { CorsConfiguration } = properties(copyOf("prod"), "ArtifactBucket");
    expect(CorsConfiguration).toEqual({ CorsRules: [CORS_RULE] });
  });

  it("says where it is, and what of it holds data", () => {
    expect(Object.keys(copyOf("prod").Outputs ?? {})).toEqual(
      expect.arrayContaining(["ApiUrl", "TableName", "ArtifactBucketName", "AlarmTopicArn"]),
    );
  });
});
