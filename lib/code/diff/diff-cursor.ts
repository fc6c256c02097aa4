/** Where a parser stands in a diff; its functions move `index` past what they read. */
export interface DiffCursor {
  readonly lines: readonly string[];
  index: number;
}
