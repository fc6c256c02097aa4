import type { SandboxCase } from "../sandbox-case.ts";
import { AT_THE_LIMIT } from "./at-the-limit.ts";
import { CAUGHT } from "./caught.ts";
import { ESCAPING } from "./escaping.ts";
import { LIMITS } from "./limits.ts";
import { NETWORK } from "./network.ts";
import { OUTPUT } from "./output.ts";
import { PROXIED_NETWORK } from "./proxied-network.ts";
import { READING } from "./reading.ts";
import { SPOOFING } from "./spoofing.ts";
import { WRITING } from "./writing.ts";

/** By what they try. */
export const ALL_CASES: Record<string, SandboxCase[]> = {
  reads: READING,
  writes: WRITING,
  exceeds: LIMITS,
  "hides that it met": CAUGHT,
  "takes as much as is allowed:": AT_THE_LIMIT,
  "prints to": OUTPUT,
  "reaches for": NETWORK,
  "asks the proxy for": PROXIED_NETWORK,
  "breaks out by": ESCAPING,
  "pretends with": SPOOFING,
};
