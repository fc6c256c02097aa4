import type { Variant } from "./lab.ts";
import { redriveFleet } from "./redrive-fleet.ts";

/** SQS and Lambda as they come: no policy but the queue's redrive. */
export function plain(receives_max: number): Variant {
  return {
    name: `plain SQS, ${receives_max} receives`,
    description: `visibility timeout 60 s, maxReceiveCount ${receives_max}, nothing else`,
    start: (lab) =>
      redriveFleet(lab, {
        receives_max,
        visibility_ms: 60_000,
        environment:
          () =>
          ({ id }) =>
            lab.dependency.call(id),
      }),
  };
}
