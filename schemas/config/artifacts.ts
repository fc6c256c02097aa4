import { z } from "zod";

/** A failed message stays 14 days in its DLQ and may be replayed with a deadline of a day. */
const REPLAY_DAYS = 16;

/** `configs/artifacts.json`: how long things are kept. S3's part is in force with the next deployment. */
export const ArtifactsConfig = z
  .strictObject({
    $schema: z.string(),
    tasks_days: z
      .int()
      .min(1)
      .max(3650)
      .describe("days after its deadline that a task, its steps and its standard layout are kept"),
    blobs_days: z
      .int()
      .min(17)
      .max(3700)
      .describe(
        "days a blob is kept after it was last written; at least 16 more than tasks_days, for replays (S3 lifecycle)",
      ),
    uploads_days: z.int().min(2).max(3650).describe("days an uploaded archive can be submitted and is kept"),
    orphans_days: z
      .int()
      .min(2)
      .max(365)
      .describe(
        "days before `artifacts:clean` takes a blob or graph snapshot nothing refers to; two at least, longer than any deadline",
      ),
  })
  .refine(({ tasks_days, blobs_days }) => blobs_days >= tasks_days + REPLAY_DAYS, {
    path: ["blobs_days"],
    message: `must be at least ${REPLAY_DAYS} more than tasks_days, or artifacts go before the tasks that list them`,
  });
export type ArtifactsConfig = z.infer<typeof ArtifactsConfig>;
