import type { CodeFunctions } from "#lib/code/confined/computations.ts";

/** The code of the functions that run in a child process. Each is loaded when it is first asked for. */
export const codeWork: CodeFunctions = {
  async unpackArchive(...input) {
    const { unpackArchive } = await import("#lib/code/source/unpack-archive.ts");
    return unpackArchive(...input);
  },
  async parseDiff(...input) {
    const { parseDiff } = await import("#lib/code/diff/parse-diff.ts");
    parseDiff(...input);
  },
  async applyDiff(...input) {
    const { applyDiff } = await import("#lib/code/diff/apply-diff.ts");
    return applyDiff(...input);
  },
  async createDiff(...input) {
    const { createDiff } = await import("#lib/code/diff/create-diff.ts");
    return createDiff(...input);
  },
  async leaveOutFiles(...input) {
    const { leaveOutFiles } = await import("#lib/code/tree/leave-out-files.ts");
    await leaveOutFiles(...input);
  },
  async showFile(...input) {
    const { showFile } = await import("#lib/code/edits/show-file.ts");
    return showFile(...input);
  },
  async readEdits(...input) {
    const { readEdits } = await import("#lib/code/edits/read-edits.ts");
    return readEdits(...input);
  },
  async applyEdits(...input) {
    const { applyEdits } = await import("#lib/code/edits/apply-edits.ts");
    return applyEdits(...input);
  },
  async checkRules(...input) {
    const { checkRules } = await import("#lib/code/codemod/codemod-rules.ts");
    checkRules(...input);
  },
  async applyCodemod(...input) {
    const { applyCodemod } = await import("#lib/code/codemod/apply-codemod.ts");
    return applyCodemod(...input);
  },
  async readTreeTo(...input) {
    const { readTreeTo } = await import("#lib/code/graph/tree-file.ts");
    await readTreeTo(...input);
  },
  async reportFileVersions(...input) {
    const { reportFileVersions } = await import("#lib/code/test-results/report-files.ts");
    return reportFileVersions(...input);
  },
  async readTestResults(...input) {
    const { readTestResults } = await import("#lib/code/confined/read-test-results.ts");
    return readTestResults(...input);
  },
};
