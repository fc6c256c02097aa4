import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { artifactKey, blobKey, isKeyOf, snapshotKey, uploadKey } from "#lib/platform/blobs/object-keys.ts";
import { Sha256, TaskId, Tenant } from "#schemas/primitives.ts";
import { ManifestEntry } from "#schemas/records/step.ts";

const tenants = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,38}$/);
const digests = fc.stringMatching(/^[0-9a-f]{64}$/);
const tasks = fc.stringMatching(/^task_[0-9a-hjkmnp-tv-z]{26}$/);
const parts = fc.constantFrom(
  "..",
  ".",
  "/",
  "//",
  "%2e%2e",
  "%2f",
  "\\",
  "a",
  "b.json",
  "\n",
  "%",
  " ",
  "é",
);
const paths = fc.oneof(
  fc.string(),
  fc.array(parts, { maxLength: 12 }).map((list) => list.join("")),
  fc
    .array(fc.stringMatching(/^[A-Za-z0-9._-]{1,9}$/), { minLength: 1, maxLength: 5 })
    .map((l) => l.join("/")),
);
const accepted = (path: string) => ManifestEntry.shape.path.safeParse(path).success;

/** Where a path leads for someone who resolves dot segments, as browsers and file systems do. */
const resolved = (key: string) => new URL(`https://host/${key}`).pathname.slice(1);
const decoded = (text: string) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

describe("artifact keys", () => {
  it("never leave their task's prefix, nor after resolving and unescaping", () => {
    fc.assert(
      fc.property(tenants, tasks, paths, (tenant, task_id, path) => {
        if (!accepted(path)) return;
        const key = artifactKey(tenant, task_id, path);
        const prefix = `tenants/${tenant}/tasks/${task_id}/`;
        for (const seen of [key, decoded(key), resolved(key), resolved(decoded(key))]) {
          expect(seen).toBe(key);
          expect(seen.startsWith(prefix)).toBe(true);
        }
        expect(isKeyOf(tenant, key)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it("belong to one tenant only", () => {
    fc.assert(
      fc.property(tenants, tenants, digests, tasks, (one, other, digest, task_id) => {
        fc.pre(one !== other);
        const keys = [
          blobKey(one, digest),
          snapshotKey(one, digest),
          uploadKey(one, digest),
          artifactKey(one, task_id, "task.json"),
        ];
        expect(new Set(keys).size).toBe(keys.length);
        for (const key of keys) expect([isKeyOf(one, key), isKeyOf(other, key)]).toEqual([true, false]);
      }),
    );
  });

  it("with dot segments belong to nobody", () => {
    expect(isKeyOf("one", "tenants/one/../two/blobs/x")).toBe(false);
    expect(isKeyOf("one", "tenants/one/blobs/..")).toBe(false);
    expect(isKeyOf("one", "tenants/one/tasks/t/..rc")).toBe(true);
  });
});

describe("a manifest's paths", () => {
  it.each(["build-test/report.json", "codegen/earlier/codegen-0/diff.patch", "task.json", "a/_b/C.d-e"])(
    "may be %s",
    (path) => expect(accepted(path)).toBe(true),
  );

  it.each([
    ["", "nothing"],
    ["/etc/passwd", "absolute"],
    ["../task.json", "leaving"],
    ["a/../../b", "leaving"],
    ["a/./b", "a dot segment"],
    ["a//b", "an empty segment"],
    ["a/", "a folder"],
    ["a\\b", "a backslash"],
    ["a%2e%2e/b", "escaped"],
    ["a\n", "a line break"],
    ["a b", "a space"],
    [`a${"/b".repeat(128)}`, "too long"],
  ])("may not be %j (%s)", (path) => expect(accepted(path)).toBe(false));

  it("come from names that keys are safe with", () => {
    for (const hostile of ["..", "a/b", "a#b", "A", "", "a\n"]) {
      expect(Tenant.safeParse(hostile).success).toBe(false);
      expect(TaskId.safeParse(`task_${hostile}`).success).toBe(false);
      expect(Sha256.safeParse(hostile).success).toBe(false);
    }
  });
});
