import { uploadKey } from "#lib/platform/blobs/object-keys.ts";
import { sha256 } from "#lib/platform/hash/sha256.ts";
import type { Submission } from "#schemas/messages/submission.ts";
import type { Random } from "../engine/random.ts";
import type { World } from "../engine/world.ts";

/** Rules that the gateway accepts; the simulated codegen does not run them. */
export const CODEMOD_RULES = "id: one\nlanguage: TypeScript\nrule: { pattern: a }\nfix: b\n";

const DIFF = "--- a/one.txt\n+++ b/one.txt\n@@ -1 +1 @@\n-one\n+two\n";
const UPLOAD = "the bytes of an archive";
const UPLOAD_ID = sha256(UPLOAD);

export const TENANTS = ["acme", "globex", "initech"];

/** What tenants had uploaded before. */
export function uploadSources({ bucket }: World): void {
  for (const tenant of TENANTS) bucket.put(uploadKey(tenant, UPLOAD_ID), UPLOAD, "application/gzip");
}

/** A submission of any workflow, valid. */
export function drawSubmission(random: Random): Submission {
  const common = {
    source: random.chance(0.5)
      ? { kind: "upload" as const, upload_id: UPLOAD_ID }
      : { kind: "git" as const, url: `https://example.com/${random.int(0, 99)}.git` },
    repository: "default",
    profile: "standard",
    deadline_seconds: random.pick([20, 120, 300, 600, 900, 1800]),
  };
  switch (random.pick(["change", "change", "buildtest", "index", "run"])) {
    case "change":
      return { ...common, workflow: "change", test: "npm test", change: drawChange(random) };
    case "buildtest":
      return { ...common, workflow: "buildtest", build: "npm run build", test: "npm test" };
    case "index":
      return { ...common, workflow: "index" };
    default:
      return { ...common, workflow: "run", command: "make" };
  }
}

function drawChange(random: Random): NonNullable<Submission["change"]> {
  if (random.chance(0.3)) return { kind: "codemod", rules: CODEMOD_RULES };
  return { kind: "patch", diff: DIFF, ...(random.chance(0.5) && { fallback_diffs: [DIFF] }) };
}
