import type { TestCase } from "#schemas/artifacts/build-test-report.ts";

const NAME_CHARACTERS_MAX = 1000;
const FAILURE_CHARACTERS_MAX = 8000;

interface LooseTestCase {
  /** Suites from the outermost in, then the test. */
  names: readonly string[];
  status: TestCase["status"];
  file?: string | null | undefined;
  duration_ms?: number | null | undefined;
  failure?: string | null | undefined;
}

/** A test case within the report's bounds, whatever a reporter wrote. */
export function testCase({ names, status, file, duration_ms, failure }: LooseTestCase): TestCase {
  const name = names.filter((each) => each !== "").join(" > ") || "(unnamed test)";
  return {
    name: name.slice(0, NAME_CHARACTERS_MAX),
    file: file?.slice(0, NAME_CHARACTERS_MAX) || null,
    status,
    duration_ms:
      typeof duration_ms === "number" && Number.isFinite(duration_ms)
        ? Math.max(0, Math.round(duration_ms * 1000) / 1000)
        : null,
    failure: status === "failed" ? failure?.trim().slice(0, FAILURE_CHARACTERS_MAX) || null : null,
  };
}
