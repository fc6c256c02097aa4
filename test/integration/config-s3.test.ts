import { cpSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { s3Source } from "#lib/platform/config/config-source.ts";
import { makeCounters } from "#lib/platform/metrics/counters.ts";
import { configWorld, policy } from "#test/fakes/config-world.ts";
import { temporaryDirectory } from "#test/temporary.ts";
import { startSqsAndS3 } from "../../local/emulators/sqs-and-s3.ts";
import { findStage } from "../../scripts/config/find-stage.ts";
import { pushConfig } from "../../scripts/config/push-config.ts";

const directory = temporaryDirectory("config-s3");
const Bucket = "artifacts";
let emulator: Awaited<ReturnType<typeof startSqsAndS3>>;
let s3: S3Client;

const newClient = () =>
  new S3Client({
    endpoint: emulator.url,
    region: "us-east-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
    forcePathStyle: true,
  });

async function start(port = 0) {
  emulator = await startSqsAndS3({ directory: join(directory, "s3"), port });
  s3 = newClient();
}
beforeAll(async () => {
  await start();
  await s3.send(new CreateBucketCommand({ Bucket }));
});
afterAll(async () => {
  await emulator.close();
});
beforeEach(() => put(policy()));

const Key = "configs/retry_policy.json";
const put = (Body: string) => s3.send(new PutObjectCommand({ Bucket, Key, Body }));

/** A process whose configuration comes from the bucket. Its clock is set on, not waited for. */
function worldOnS3() {
  const statuses: (number | undefined)[] = [];
  const client = newClient();
  client.middlewareStack.add(
    (next) => async (call) => {
      const answer = await next(call);
      statuses.push((answer.response as { statusCode?: number }).statusCode);
      return answer;
    },
    { step: "deserialize", priority: "low" },
  );
  const world = configWorld(s3Source(() => client, Bucket, "configs/"));
  /** The next invocation, once the last look is too old. */
  const invoke = async () => {
    await world.clock.pass(8000);
    (await world.store.follow()).stop(makeCounters());
  };
  return Object.assign(world, { invoke, statuses });
}

describe("configuration in S3", () => {
  it("takes up a changed object, and asks for an unchanged one by its ETag", async () => {
    const world = worldOnS3();
    await world.invoke();
    await world.invoke();
    expect(world.statuses).toEqual([200, 304]);
    await put(policy({ attempts_max: 9 }));
    await world.invoke();
    expect([world.attempts(), world.codes()]).toEqual([9, ["CONFIG_CHANGED"]]);
    expect(world.view()).toMatchObject({ source: `s3://${Bucket}/${Key}`, state: "in_force" });
  });

  it("refuses a broken object, once, and one that is far too large", async () => {
    const world = worldOnS3();
    await world.invoke();
    await put("{ broken");
    await world.invoke();
    await world.invoke();
    expect([world.attempts(), world.codes()]).toEqual([5, ["CONFIG_REJECTED"]]);
    await put(" ".repeat(3_000_000));
    await world.invoke();
    expect(world.view().last_rejected).toMatchObject({ hash: null, reason: /^it has 3000000 bytes/ });
    await put(policy({ attempts_max: 8 }));
    await world.invoke();
    expect([world.attempts(), world.view().state]).toEqual([8, "in_force"]);
  });

  it("keeps the last good one while the bucket cannot be reached or the object is gone", async () => {
    const world = worldOnS3();
    await put(policy({ attempts_max: 6 }));
    await world.invoke();
    const { port } = new URL(emulator.url);
    await emulator.close();
    await world.invoke();
    expect([world.attempts(), world.codes()]).toEqual([6, ["CONFIG_UNREADABLE"]]);
    await start(Number(port));
    await world.invoke();
    expect([world.attempts(), world.view().state]).toEqual([6, "in_force"]);
    await s3.send(new DeleteObjectCommand({ Bucket, Key }));
    await world.invoke();
    expect([world.attempts(), world.view().state]).toEqual([6, "unreadable"]);
    expect(world.view().reason).toContain("npm run config:push");
  });

  it("starts on the deployed files without S3, says so, and goes over to S3 when it answers", async () => {
    const world = worldOnS3();
    world.bundled = policy({ attempts_max: 2 });
    const { port } = new URL(emulator.url);
    await emulator.close();
    await world.invoke();
    expect([world.attempts(), world.view().source]).toEqual([2, "bundled/retry_policy.json"]);
    expect(world.codes()).toEqual(["CONFIG_UNREADABLE"]);
    await start(Number(port));
    await world.invoke();
    expect([world.attempts(), world.view().source]).toEqual([5, `s3://${Bucket}/${Key}`]);
  });
});

describe("npm run config:push", () => {
  const configs = join(directory, "configs");
  beforeEach(() => cpSync("configs", configs, { recursive: true }));
  const push = (dry_run = false) =>
    pushConfig({ s3, bucket: Bucket, prefix: "pushed/", directory: configs, dry_run });
  const file = join(configs, "retry_policy.json");

  it("sends what differs, with old and new hash, and nothing twice", async () => {
    expect((await push(true)).lines.join()).toMatch(
      /retry_policy.json {2}absent → [0-9a-f]{12} {2}would be sent/,
    );
    expect((await push()).lines.join()).toContain("absent →");
    writeFileSync(file, policy({ attempts_max: 7 }));
    const { ok, lines } = await push();
    expect(ok).toBe(true);
    expect(lines.filter((line) => line.includes("unchanged"))).toHaveLength(lines.length - 1);
    expect(lines.join()).toMatch(/✓ retry_policy.json {2}[0-9a-f]{12} → [0-9a-f]{12}/);
  });

  it("sends nothing when one file is refused, and says why", async () => {
    writeFileSync(join(configs, "graph.json"), "{}");
    writeFileSync(file, policy({ attempts_max: 11 }));
    const { ok, lines } = await push();
    expect([ok, lines.at(-1)]).toEqual([false, "Nothing was sent."]);
    expect(lines[0]).toContain("graph.json: /$schema is absent");
    cpSync("configs/graph.json", join(configs, "graph.json"));
    expect((await push()).lines.join()).toContain("✓ retry_policy.json");
  });
});

describe("the bucket of a stage", () => {
  let cloudformation: Server;
  const asked: string[] = [];
  const detail = (inner: string) =>
    `<DescribeStackResourceResponse><DescribeStackResourceResult><StackResourceDetail>${inner}</StackResourceDetail></DescribeStackResourceResult></DescribeStackResourceResponse>`;
  beforeAll(async () => {
    cloudformation = createServer(async (request, response) => {
      let body = "";
      for await (const part of request) body += part;
      asked.push(body);
      const known = body.includes("StackName=distributed-agents-prod");
      response.writeHead(known ? 200 : 400, { "content-type": "text/xml" });
      response.end(
        known
          ? detail("<PhysicalResourceId>prod-bucket-1</PhysicalResourceId>")
          : "<ErrorResponse><Error><Code>ValidationError</Code><Message>Stack does not exist</Message></Error></ErrorResponse>",
      );
    });
    await new Promise<void>((resolve) => cloudformation.listen(0, "127.0.0.1", resolve));
    const { port } = cloudformation.address() as AddressInfo;
    Object.assign(process.env, {
      AWS_ENDPOINT_URL_CLOUDFORMATION: `http://127.0.0.1:${port}`,
      AWS_ACCESS_KEY_ID: "local",
      AWS_SECRET_ACCESS_KEY: "local",
    });
  });
  afterAll(() => {
    cloudformation.close();
  });

  it("is the one its CloudFormation stack made", async () => {
    expect((await findStage({ stage: "prod" })).bucket).toBe("prod-bucket-1");
    expect(asked[0]).toContain("LogicalResourceId=ArtifactBucket");
  });

  it("is not guessed for a stage that is not deployed", async () => {
    await expect(findStage({ stage: "nowhere" })).rejects.toThrow(
      /distributed-agents-nowhere .*does not exist/,
    );
  });
});
