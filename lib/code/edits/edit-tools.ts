import type { AnsweredEdit } from "#schemas/edits.ts";
import { DeleteFile, RenameFile, ReplaceText, WriteFile } from "#schemas/edits.ts";

/** The tools that a model edits with: each one's description and the schema of its input. */
export const editTools = {
  replace_text: {
    description:
      "Replaces text in a file that was shown. `search` must be copied exactly from the file and occur exactly `occurrences` times.",
    input: ReplaceText,
  },
  write_file: {
    description: "Makes a file, or replaces all of a file that was shown whole.",
    input: WriteFile,
  },
  delete_file: { description: "Deletes a file that was shown.", input: DeleteFile },
  rename_file: { description: "Renames a file that was shown.", input: RenameFile },
} as const;

/**
 * The edit that a tool call asks for. Input that does not match the tool's schema, and an unknown tool, are
 * `unreadable` with the code `EDIT_MALFORMED`.
 */
export function editOfToolCall(_name: string, _input: unknown): AnsweredEdit {
  throw new Error("not written yet");
}
