import { z } from "zod";

const Paging = {
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().min(1).max(1000).optional(),
};

/** `GET /api/tasks` */
export const ListQuery = z.strictObject(Paging);

/** `GET /api/artifacts/index` */
export const ArtifactQuery = z.strictObject({ ...Paging, task: z.string().min(1).max(64).optional() });

/** `GET /api/tasks/{id}` */
export const TaskQuery = z.strictObject({
  wait: z.coerce.number().min(0).max(25).default(0).describe("seconds to wait for news"),
  revision: z.string().min(1).max(64).describe("wait for a view other than this one").optional(),
});
