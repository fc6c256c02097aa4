import { expect, it } from "vitest";
import { errorsPage } from "./errors-page.ts";

it("gives each code one row with its disposition, status and meaning", () => {
  const page = errorsPage();
  expect(page).toContain(
    "| `BLOB_MISSING` | terminal |  | A referenced blob is not in the artifact bucket. |",
  );
  expect(page).toContain("| `TASK_CONTENDED` | retry | 503 | ");
  expect(page).toContain("| `TASK_ENDED` |  | 409 | The task has ended. |");
  expect(page).toContain("| `DIFF_EMPTY` | reject | 422 | The diff is empty. |");
  expect(page.match(/^\| `TASK_CONTENDED` /gm)).toHaveLength(1);
});
