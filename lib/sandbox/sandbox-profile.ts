import { RejectedInput } from "#lib/platform/errors/fault.ts";
import type { SandboxLimitsConfig, SandboxProfile } from "#schemas/config/sandbox-limits.ts";

/** The profile of that name. Throws RejectedInput `PROFILE_UNKNOWN`. */
export function sandboxProfile(name: string, { profiles }: SandboxLimitsConfig): SandboxProfile {
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (profile) return profile;
  throw new RejectedInput(
    "PROFILE_UNKNOWN",
    `there is no sandbox profile ${JSON.stringify(name)}; configs/sandbox_limits.json has ${Object.keys(profiles).join(", ")}`,
  );
}
