import { z } from "zod";
import { TaskId } from "#schemas/primitives.ts";
import type { Api } from "../api.ts";
import { CliError } from "../cli-error.ts";
import { exitCode } from "../exit-code.ts";
import { fetchArtifact } from "../fetch-artifact.ts";
import { readTask } from "../follow-task.ts";
import { visible } from "../render/visible.ts";
import { textSlice } from "./text-slice.ts";
import { defineTool, QUOTES_OTHERS, type Tool } from "./tool.ts";

/** The largest artifact that is fetched for a slice of it. Its checksum needs all of its bytes. */
const ARTIFACT_BYTES_MAX = 20_000_000;
const SLICE_BYTES_MAX = 64_000;

const ArtifactPath = z
  .string()
  .min(1)
  .max(1024)
  .refine((path) => !path.split("/").some((part) => part === "" || part === "." || part === ".."), {
    error: "must be the path of an artifact, as follow_task lists it",
  })
  .describe("as follow_task lists it, for example codegen/diff.patch or build-test/test.log");

/** The artifact's bytes and what is known of it. What the task does not list is asked of the API, whose answer says why not. */
async function fetchListed(api: Api, task_id: string, path: string) {
  const view = await readTask(api, task_id);
  const listed = view.artifacts.find((artifact) => artifact.path === path);
  if (listed === undefined) {
    const escaped = path.split("/").map(encodeURIComponent).join("/");
    return { content_type: null, bytes: await api.download(`/artifacts/${task_id}/${escaped}`) };
  }
  if (listed.bytes > ARTIFACT_BYTES_MAX) {
    const message = `${path} has ${listed.bytes} bytes; at most ${ARTIFACT_BYTES_MAX} are read here.`;
    throw new CliError(exitCode.usage, "ARTIFACT_TOO_LARGE", message, {
      hints: [`Fetch it: agents artifacts ${task_id} ${path} --output <file>`],
    });
  }
  return { content_type: listed.content_type, bytes: await fetchArtifact(api, listed) };
}

export const artifactTools: Tool[] = [
  defineTool({
    name: "read_artifact",
    title: "Read an artifact",
    description: `Read a file that a task left, such as its patch, its test report or its logs: at most ${SLICE_BYTES_MAX} bytes a call, further ones from next_offset on. The first part of the answer is about the file, the second is its text. Characters that a person would not see are spelled out, as \\x1b or \\u{202e}. ${QUOTES_OTHERS}`,
    input: z.strictObject({
      task_id: TaskId,
      path: ArtifactPath,
      offset: z.int().min(0).default(0).describe("first byte to read"),
      bytes_max: z.int().min(4).max(SLICE_BYTES_MAX).default(16_000).describe("bytes to read at most"),
    }),
    writes: false,
    async run({ task_id, path, offset, bytes_max }, { api }) {
      const { bytes, content_type } = await fetchListed(api, task_id, path);
      const file = { task_id, path, content_type, bytes_total: bytes.length };
      if (bytes.includes(0)) return { document: { ...file, text: null, says: "The file is not text." } };
      const { text, ...slice } = textSlice(bytes, offset, bytes_max);
      return { document: { ...file, ...slice }, text: visible(text) };
    },
  }),
];
