import type { BuildTestReport, TestCase } from "#schemas/artifacts/build-test-report.ts";

export type TestFormat = BuildTestReport["test_format"];

/** Reads one format out of text; null when the text is not in that format. Never throws. */
export type TestParser = (text: string) => TestCase[] | null;
