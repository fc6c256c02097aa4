import { checkChanges } from "#lib/code/diff/check-changes.ts";
import { type FileChange, fileChanges } from "#lib/code/diff/file-changes.ts";
import { parseDiff } from "#lib/code/diff/parse-diff.ts";
import { planChanges } from "#lib/code/diff/plan-changes.ts";
import { writeChanges } from "#lib/code/diff/write-changes.ts";

/**
 * Applies a unified diff to a tree, all of it or nothing: every hunk is tried before a byte is
 * written. Strict: a hunk applies at its stated line with every line equal, or at the single other
 * place where it fits; there is no fuzz. Paths are relative to `directory` and never lead out of
 * it or through a symbolic link.
 *
 * @returns what became of each file, by path
 * @throws RejectedInput `DIFF_EMPTY`, `DIFF_TOO_LARGE`, `DIFF_MALFORMED`, `DIFF_BINARY_UNSUPPORTED`,
 * `DIFF_PATH_UNSAFE`, `DIFF_TARGET_EXISTS`, `DIFF_TARGET_MISSING`, `DIFF_DOES_NOT_APPLY`
 */
export async function applyDiff(directory: string, diff: string): Promise<FileChange[]> {
  const files = parseDiff(diff);
  const planned = await planChanges(directory, files);
  await checkChanges(directory, planned);
  await writeChanges(directory, planned);
  return fileChanges(files);
}
