import type { z } from "zod";
import type { AnsweredEdit } from "#schemas/edits.ts";
import { DeleteFile, RenameFile, ReplaceText, WriteFile } from "#schemas/edits.ts";
import { describeIssues } from "#schemas/issue-sentence.ts";

/** The tools that a model edits with: each one's description and the schema of its input. */
export const editTools = {
  replace_text: {
    description:
      "Replaces text in a file that was shown. `search` must be copied exactly from the file, with enough lines that it occurs exactly `occurrences` times (once, unless you say otherwise). Nothing outside `search` is changed. An empty `search` makes a new file.",
    input: ReplaceText,
  },
  write_file: {
    description: "Makes a file, or replaces all of a file that was shown whole.",
    input: WriteFile,
  },
  delete_file: { description: "Deletes a file that was shown.", input: DeleteFile },
  rename_file: { description: "Renames a file that was shown.", input: RenameFile },
} as const;

const ISSUES_MAX = 5;

/**
 * The edit that a tool call asks for. Input that does not match the tool's schema, and an unknown tool, are
 * `unreadable` with the code `EDIT_MALFORMED`.
 */
export function editOfToolCall(name: string, input: unknown): AnsweredEdit {
  switch (name) {
    case "replace_text":
      return read(name, input, ReplaceText, (edit) => ({ kind: "replace", ...edit }));
    case "write_file":
      return read(name, input, WriteFile, (edit) => ({ kind: "write", ...edit }));
    case "delete_file":
      return read(name, input, DeleteFile, (edit) => ({ kind: "delete", ...edit }));
    case "rename_file":
      return read(name, input, RenameFile, (edit) => ({ kind: "rename", ...edit }));
    default: {
      const names = Object.keys(editTools).join(", ");
      return malformed(
        `There is no tool ${JSON.stringify(name.slice(0, 100))} to edit with. Use one of ${names}.`,
      );
    }
  }
}

function read<Schema extends z.ZodType>(
  name: string,
  input: unknown,
  schema: Schema,
  editOf: (input: z.output<Schema>) => AnsweredEdit,
): AnsweredEdit {
  const parsed = schema.safeParse(input);
  if (parsed.success) return editOf(parsed.data);
  const issues = describeIssues(parsed.error, ISSUES_MAX);
  return malformed(`The input of ${name} does not match its schema (${issues}).`, pathIn(input));
}

function pathIn(input: unknown): string | undefined {
  const path = typeof input === "object" && input !== null && "path" in input ? input.path : undefined;
  return typeof path === "string" ? path : undefined;
}

function malformed(message: string, path?: string): AnsweredEdit {
  return { kind: "unreadable", ...(path === undefined ? {} : { path }), code: "EDIT_MALFORMED", message };
}
