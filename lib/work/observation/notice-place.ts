import { NOTICE } from "#lib/platform/table/items.ts";
import { keyOf, recordFields } from "#lib/platform/table/keys.ts";
import type { StepStorage } from "#lib/resilience/idempotency/step-item.ts";
import { StepRecord } from "#schemas/records/step.ts";

/** Notices are claimed as steps are, and listed nowhere. */
export const noticePlace: StepStorage = {
  item: (key) => ({
    key: keyOf(NOTICE, key),
    name: `notice of ${key.task_id}`,
    parse: (item) => StepRecord.parse(recordFields(item)),
  }),
  ended: () => ({ set: {}, remove: [] }),
  rearmed: () => ({ set: {}, remove: [] }),
};
