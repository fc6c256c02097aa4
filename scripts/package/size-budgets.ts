/** Kilobytes (1000 bytes) that the code of a function may have, compressed; every other one `default`. */
const BUDGETS_KILOBYTES: Record<string, number> = {
  default: 600, // the AWS SDK is most of it
  gateway: 3_700, // ast-grep
  codegen: 3_700,
  coder: 3_700,
  buildtest: 3_700,
  sandbox: 3_700,
  retrieval: 50_000, // the embedding model
  indexing: 52_500, // both
};

/** Unpacked, layers included: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const UNPACKED_BYTES_MAX = 262_144_000;

export interface Size {
  name: string;
  /** As it is uploaded. */
  packed_bytes: number;
  unpacked_bytes: number;
}

/** The sizes as a table, beside what each may be. */
export function sizeTable(sizes: readonly Size[]): string {
  const kilobytes = (bytes: number) => `${Math.ceil(bytes / 1000)} kB`;
  return sizes
    .map(({ name, packed_bytes, unpacked_bytes }) =>
      [
        name.padEnd(16),
        kilobytes(packed_bytes).padStart(10),
        `of ${kilobytes(budgetBytes(name))}`.padStart(14),
        `${kilobytes(unpacked_bytes)} unpacked`.padStart(20),
      ].join(" "),
    )
    .join("\n");
}

/** What is too large, a sentence each. */
export function overBudget(sizes: readonly Size[]): string[] {
  return sizes.flatMap(({ name, packed_bytes, unpacked_bytes }) => {
    const faults: string[] = [];
    if (packed_bytes > budgetBytes(name)) {
      faults.push(
        `${name} has ${packed_bytes} bytes; its budget is ${budgetBytes(name)}. See what came in, or raise it in scripts/package/size-budgets.ts`,
      );
    }
    if (unpacked_bytes > UNPACKED_BYTES_MAX) {
      faults.push(`${name} has ${unpacked_bytes} bytes unpacked; Lambda takes ${UNPACKED_BYTES_MAX}`);
    }
    return faults;
  });
}

function budgetBytes(name: string): number {
  return (BUDGETS_KILOBYTES[name] ?? BUDGETS_KILOBYTES.default ?? 0) * 1000;
}
