import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { packFiles } from "#lib/code/source/pack-source.ts";
import { fakeAgentContext } from "#test/fakes/agent-context.ts";
import { needing } from "#test/needing.ts";
import { buildtest } from "./agent.ts";

const files = { "greet.js": "console.log('hello');\n" };
const change = (from: string, to: string) =>
  `--- a/greet.js\n+++ b/greet.js\n@@ -1 +1 @@\n-console.log('${from}');\n+console.log('${to}');\n`;

(await needing("bubblewrap")).describe("the buildtest agent, with real archives, diffs and limits", () => {
  beforeEach(() => {
    vi.stubEnv("TABLE_NAME", "table");
    vi.stubEnv("ARTIFACT_BUCKET", "bucket");
  });
  afterEach(() => vi.unstubAllEnvs());

  async function run(test: string, diff?: string) {
    const { context, blobs } = fakeAgentContext();
    const archive = await packFiles(files);
    return buildtest.run(
      {
        source: { kind: "archive", blob: await blobs.write(archive, "application/gzip") },
        profile: "small",
        test,
        ...(diff && { diff: await blobs.write(diff, "text/x-diff") }),
      },
      context,
    );
  }

  it("tests the source as it is", async () => {
    expect(await run("node greet.js | grep hello")).toMatchObject({ verdict: "passed" });
    expect(await run("node greet.js | grep goodbye")).toMatchObject({ code: "TESTS_FAILED" });
  });

  it("tests the source with the diff applied", async () => {
    const diff = change("hello", "goodbye");
    expect(await run("node greet.js | grep goodbye", diff)).toMatchObject({ verdict: "passed" });
  });

  it("leaves a diff that does not apply to be rejected by its own code", async () => {
    await expect(run("true", change("salute", "goodbye"))).rejects.toMatchObject({
      disposition: "reject",
      code: expect.stringMatching(/^DIFF_/),
    });
  });
});
