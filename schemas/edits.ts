import { z } from "zod";
import { ErrorCode, Sha256 } from "./primitives.ts";

/** How often a search text may be stated to occur. */
const OCCURRENCES_MAX = 1000;

const path = z.string().describe("path of the file from the root of the repository, parted by /");

/** What the tool `replace_text` takes. */
export const ReplaceText = z.strictObject({
  path,
  search: z
    .string()
    .describe(
      "the exact text to be replaced, with its indentation; empty only to make a file that is not there",
    ),
  replace: z.string().describe("the text in its place; empty to delete the searched text"),
  occurrences: z
    .int()
    .min(1)
    .max(OCCURRENCES_MAX)
    .default(1)
    .describe("how often the search text occurs in the file; every occurrence is replaced"),
});

/** What the tool `write_file` takes. */
export const WriteFile = z.strictObject({
  path,
  content: z.string().describe("the whole file, which replaces all of a file that is there"),
});

/** What the tool `delete_file` takes. */
export const DeleteFile = z.strictObject({ path });

/** What the tool `rename_file` takes. */
export const RenameFile = z.strictObject({
  path,
  new_path: z.string().describe("path that no file has yet"),
});

/** One wished change of one file, in whatever form a model wrote it. */
export const Edit = z.discriminatedUnion("kind", [
  ReplaceText.extend({
    kind: z.literal("replace"),
    whole_lines: z
      .literal(true)
      .optional()
      .describe("both texts are whole lines, so no match begins within a line"),
  }),
  WriteFile.extend({
    kind: z.literal("write"),
    is_new: z.literal(true).optional().describe("the file must not be there yet"),
    executable: z.literal(true).optional().describe("the new file is a program"),
  }),
  DeleteFile.extend({
    kind: z.literal("delete"),
    content: z.string().optional().describe("what the file must hold, where the form of the edit says it"),
  }),
  RenameFile.extend({ kind: z.literal("rename") }),
]);
export type Edit = z.infer<typeof Edit>;

/** A part of a model's answer that is meant as an edit and cannot be read as one. */
export const UnreadableEdit = z.strictObject({
  kind: z.literal("unreadable"),
  path: z.string().optional().describe("the file, where it is known"),
  code: ErrorCode,
  message: z.string().describe("what is wrong, as a sentence for the model"),
});
export type UnreadableEdit = z.infer<typeof UnreadableEdit>;

/** What was read out of an answer, in its order. */
export const AnsweredEdit = z.discriminatedUnion("kind", [...Edit.options, UnreadableEdit]);
export type AnsweredEdit = z.infer<typeof AnsweredEdit>;

/** A file as the model knows it. */
export const KnownFile = z.strictObject({
  path: z.string(),
  sha256: Sha256.nullable().describe("of the file's bytes when it was shown last; null when it was not"),
  lines_total: z.int().min(0),
  lines_shown: z
    .array(z.tuple([z.int().min(1), z.int().min(1)]))
    .describe("first and last line of each part that was shown, from 1, in order and apart"),
  refusals: z.int().min(0).describe("edits of the file that were refused since it was last written whole"),
});
export type KnownFile = z.infer<typeof KnownFile>;

/** What is remembered between the answers of one conversation. */
export const EditState = z.strictObject({ files: z.array(KnownFile) });
export type EditState = z.infer<typeof EditState>;

/** Lines of the file that an edit is refused for. */
export const NearbyLines = z.strictObject({
  from_line: z.int().min(1),
  lines: z.array(z.string()).describe("without line ends; long ones are cut"),
});
export type NearbyLines = z.infer<typeof NearbyLines>;

export const AcceptedEdit = z.strictObject({
  number: z.int().min(1).describe("place of the edit in the list, from 1"),
  kind: z.enum(["replace", "write", "delete", "rename"]),
  path: z.string(),
  new_path: z.string().optional().describe("of a renamed file"),
  lines: z
    .array(z.int().min(1))
    .describe("of a replacement: the line at which each begins, in the file as it was before this edit"),
  tolerances: z
    .array(z.enum(["line_ends_and_trailing_blanks", "indentation"]))
    .describe("what had to be overlooked to find the search text"),
});
export type AcceptedEdit = z.infer<typeof AcceptedEdit>;

export const RefusedEdit = z.strictObject({
  number: z.int().min(1).describe("place of the edit in the list, from 1"),
  path: z.string().optional(),
  code: ErrorCode,
  message: z.string().describe("what is wrong and what to do, as sentences for the model"),
  nearby: z.array(NearbyLines).describe("the lines most like the search text, or the places where it occurs"),
});
export type RefusedEdit = z.infer<typeof RefusedEdit>;

/** What became of a list of edits. A success has no refused edit. */
export const EditOutcome = z.strictObject({
  accepted: z.array(AcceptedEdit),
  refused: z.array(RefusedEdit),
  whole_files_wanted: z
    .array(z.string())
    .describe("files with so many refused edits that the model is to be shown them and asked for them whole"),
  state: EditState,
});
export type EditOutcome = z.infer<typeof EditOutcome>;

/** A file, or a part of it, as a model gets to see it; or why it is not shown. */
export const FileView = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("shown"),
    path: z.string(),
    text: z
      .string()
      .describe("lines end in a line feed, whatever the file has; a byte order mark is left out"),
    from_line: z.int().min(1),
    to_line: z.int().min(0).describe("last line that is shown, less than from_line when none is"),
    lines_total: z.int().min(0),
    sha256: Sha256,
    state: EditState.describe("the state to go on with, in which the file is known"),
  }),
  z.strictObject({
    kind: z.literal("refused"),
    path: z.string(),
    code: ErrorCode,
    message: z.string(),
  }),
]);
export type FileView = z.infer<typeof FileView>;
