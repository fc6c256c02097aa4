import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { isExpired, recordExpiry, retentionTag } from "#lib/platform/table/retention.ts";
import { ArtifactsConfig } from "#schemas/config/artifacts.ts";

const policy = ArtifactsConfig.parse(JSON.parse(readFileSync("configs/artifacts.json", "utf8")));

describe("a record", () => {
  const deadline_at = "2026-11-22T10:00:00.500Z";
  const deadline_ms = Date.parse(deadline_at);

  it("counts as absent so many days after its deadline, not a moment before", () => {
    const expires_at = recordExpiry(deadline_at, { tasks_days: 3 });
    const last_ms = deadline_ms + 3 * 86_400_000;
    expect(isExpired({ expires_at }, last_ms)).toBe(false);
    expect(isExpired({ expires_at }, last_ms + 500)).toBe(true);
  });

  it("without an expiry is kept", () => {
    expect(isExpired({}, Number.MAX_SAFE_INTEGER)).toBe(false);
  });
});

describe("the retention policy", () => {
  it("keeps artifacts as long as the tasks that list them, replays included", () => {
    const refused = { ...policy, tasks_days: policy.blobs_days - 15 };
    expect(ArtifactsConfig.safeParse({ ...refused, tasks_days: refused.tasks_days - 1 }).success).toBe(true);
    expect(ArtifactsConfig.safeParse(refused).success).toBe(false);
    expect(ArtifactsConfig.safeParse({ ...policy, orphans_days: 1 }).success).toBe(false);
  });

  it("is what S3's lifecycle rules in serverless.yml do, class by class", () => {
    const { resources } = parse(readFileSync("serverless.yml", "utf8"));
    const { Rules } = resources.Resources.ArtifactBucket.Properties.LifecycleConfiguration;
    const days = Object.fromEntries(
      Rules.filter(({ TagFilters }: { TagFilters?: unknown }) => TagFilters).map(
        (rule: {
          Status: string;
          TagFilters: { Key: string; Value: string }[];
          ExpirationInDays: string;
        }) => {
          const [{ Key, Value }] = rule.TagFilters as [{ Key: string; Value: string }];
          expect([rule.Status, rule.TagFilters.length]).toEqual(["Enabled", 1]);
          return [`${Key}=${Value}`, rule.ExpirationInDays];
        },
      ),
    );
    const from = (option: string) => `$\{file(./configs/artifacts.json):${option}}`;
    expect(days).toEqual({
      [retentionTag("task")]: from("tasks_days"),
      [retentionTag("blob")]: from("blobs_days"),
      [retentionTag("upload")]: from("uploads_days"),
    });
    for (const option of ["tasks_days", "blobs_days", "uploads_days"]) expect(policy).toHaveProperty(option);
    expect(resources.Resources.Table.Properties.TimeToLiveSpecification).toEqual({
      AttributeName: "expires_at",
      Enabled: true,
    });
  });

  it("has no lifecycle rule for graph snapshots, nor one for all objects", () => {
    const { Rules } = parse(readFileSync("serverless.yml", "utf8")).resources.Resources.ArtifactBucket
      .Properties.LifecycleConfiguration;
    for (const rule of Rules) {
      expect(JSON.stringify(rule)).not.toContain('"graph"');
      expect("ExpirationInDays" in rule).toBe("TagFilters" in rule);
    }
  });
});
