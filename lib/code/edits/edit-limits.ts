import type { FlagClass } from "#schemas/flags.ts";

/** Limits of edits, all of them bounds on what one answer of a model may do. */
export interface EditLimits {
  /** Bytes of a file that is shown or edited, before and after each edit. */
  file_bytes_max: number;
  /** Bytes of all written files of one answer together. */
  written_bytes_max: number;
  edits_max: number;
  /** Refused edits of a file after which the model is asked for the whole file. */
  refusals_max: number;
  /** Kinds of flagged files (lib/code/flags) that may not be changed. */
  refused_flags: readonly FlagClass[];
}

export const EDIT_LIMITS: EditLimits = {
  file_bytes_max: 1024 * 1024,
  written_bytes_max: 16 * 1024 * 1024,
  edits_max: 500,
  refusals_max: 3,
  refused_flags: [],
};
