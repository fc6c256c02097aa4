import { describe, it } from "vitest";
import { bubblewrapBackend } from "#lib/sandbox/bubblewrap/bubblewrap-backend.ts";
import { strongestBackend } from "#lib/sandbox/choose-backend.ts";
import { processBackend } from "#lib/sandbox/process/process-backend.ts";
import type { SandboxBackend } from "#lib/sandbox/process/sandbox-backend.ts";
import { isHere, nameNeeding, type Tool } from "#test/tools.ts";

/** `describe` and `it` of tests that are skipped, by name, where the tool is missing. */
export async function needing(tool: Tool) {
  const missing = !(await isHere(tool));
  return {
    describe: (name: string, tests: () => void) => describe.skipIf(missing)(nameNeeding(tool, name), tests),
    it: (name: string, test: () => Promise<void> | void) =>
      it.skipIf(missing)(nameNeeding(tool, name), async () => test()),
  };
}

/** Tests under every backend of the sandbox; those under bubblewrap are skipped, by name, where it is missing. */
export async function underEachBackend(
  name: (backend: string) => string,
  tests: (backend: SandboxBackend) => void,
): Promise<void> {
  const strongest = await strongestBackend();
  const never_used = bubblewrapBackend({ file: "/usr/bin/bwrap", modern: true });
  const bubblewrap = strongest === processBackend ? never_used : strongest;
  (await needing("bubblewrap")).describe(name(bubblewrap.name), () => tests(bubblewrap));
  describe(name(processBackend.name), () => tests(processBackend));
}
