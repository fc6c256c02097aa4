import { createHash } from "node:crypto";
import type { ArtifactView } from "#schemas/http/task-view.ts";
import type { Api } from "./api.ts";
import { CliError } from "./cli-error.ts";
import { exitCode } from "./exit-code.ts";

/** An artifact's bytes. @throws CliError when they are not those the index lists */
export async function fetchArtifact(api: Api, artifact: ArtifactView): Promise<Uint8Array> {
  const bytes = await api.download(artifact.href);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  if (sha256 === artifact.sha256) return bytes;
  const message = `${artifact.path} is damaged: its SHA-256 is ${sha256}, listed is ${artifact.sha256}.`;
  throw new CliError(exitCode.error, "ARTIFACT_DAMAGED", message, { hints: ["Fetch it again."] });
}
