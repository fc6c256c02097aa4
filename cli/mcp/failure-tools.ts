import { randomUUID } from "node:crypto";
import { z } from "zod";
import {
  FailureDetail,
  FailureFilter,
  FailureGroups,
  FailureList,
  FailureName,
  FailureState,
} from "#schemas/http/dead-letters.ts";
import {
  ReplayId,
  ReplayPreview,
  ReplayRequest,
  ReplayResultList,
  ReplayView,
} from "#schemas/http/replays.ts";
import { queryOf } from "../ask-and-show.ts";
import { defineTool, QUOTES_OTHERS, type Tool } from "./tool.ts";

const replayPath = (replay_id: string) => `/api/dlq/replays/${encodeURIComponent(replay_id)}`;
const PREVIEWED_MAX = 100;

/** How a replay is asked for. A person edits and discards, by the command line or the console: neither can be undone. */
const Replay = z
  .strictObject(ReplayRequest.shape)
  .omit({ action: true, patch: true, dry_run: true, method: true });

const lookTools: Tool[] = [
  defineTool({
    name: "list_failures",
    title: "List failures",
    description: `List messages that failed for good (dead letters), the latest first, from their records. ${QUOTES_OTHERS}`,
    input: FailureFilter.extend({
      state: FailureState.optional(),
      limit: z.int().min(1).max(100).default(20),
      cursor: z.string().min(1).max(4096).optional().describe("next_cursor of the page before"),
    }),
    writes: false,
    run: async (input, { api }) => ({
      document: await api.get(FailureList, `/api/dlq/failures${queryOf(input)}`),
    }),
  }),
  defineTool({
    name: "group_failures",
    title: "Count failures by kind",
    description: `Count open failures by kind, the largest first: same agent, error code and first cause. Begin here. ${QUOTES_OTHERS}`,
    input: FailureFilter,
    writes: false,
    run: async (input, { api }) => ({
      document: await api.get(FailureGroups, `/api/dlq/groups${queryOf(input)}`),
    }),
  }),
  defineTool({
    name: "show_failure",
    title: "Show one failure",
    description: `Show one failure: message, causes, tries, policy and circuits then and now, and what a replay would do. ${QUOTES_OTHERS}`,
    input: z.strictObject({ failure: FailureName }),
    writes: false,
    run: async ({ failure }, { api }) => ({
      document: await api.get(FailureDetail, `/api/dlq/failures/${encodeURIComponent(failure)}`),
    }),
  }),
  defineTool({
    name: "preview_replay",
    title: "Dry-run a replay",
    description: `Say what a replay would do with the failures that are named, match a filter, or with all of them; changes nothing. Needs a key with scope operate. The first ${PREVIEWED_MAX} messages are listed, all are counted. ${QUOTES_OTHERS}`,
    input: z.strictObject({ selection: Replay.shape.selection }),
    writes: false,
    async run({ selection }, { api }) {
      const body = { selection, dry_run: true };
      const preview = await api.post(ReplayPreview, "/api/dlq/replays", { body });
      return { document: { ...preview, messages: preview.messages.slice(0, PREVIEWED_MAX) } };
    },
  }),
  defineTool({
    name: "show_replay",
    title: "Show a replay job",
    description: `Show a replay job, its progress, and what it did with its first 50 messages. ${QUOTES_OTHERS}`,
    input: z.strictObject({ replay_id: ReplayId }),
    writes: false,
    async run({ replay_id }, { api }) {
      const replay = await api.get(ReplayView, replayPath(replay_id));
      const results = await api.get(ReplayResultList, `${replayPath(replay_id)}/results?limit=50`);
      return { document: { ...replay, ...results } };
    },
  }),
];

const actTools: Tool[] = [
  defineTool({
    name: "start_replay",
    title: "Replay failures",
    description:
      "Put failures back to work, by a job on the platform. Use preview_replay first. Needs a key with scope operate. Follow the job with show_replay.",
    input: Replay.extend({
      idempotency_key: z
        .string()
        .min(1)
        .max(100)
        .optional()
        .describe("the same key never makes a second job"),
    }),
    writes: true,
    async run({ idempotency_key = `mcp-${randomUUID()}`, ...body }, { api }) {
      const headers = { "idempotency-key": idempotency_key };
      return { document: await api.post(ReplayView, "/api/dlq/replays", { body, headers }) };
    },
  }),
  defineTool({
    name: "command_replay",
    title: "Pause, resume or abort a replay job",
    description: "Pause, resume or abort a replay job. What it did stays done.",
    input: z.strictObject({ replay_id: ReplayId, command: z.enum(["pause", "resume", "abort"]) }),
    writes: true,
    run: async ({ replay_id, command }, { api }) => ({
      document: await api.post(ReplayView, `${replayPath(replay_id)}/${command}`),
    }),
  }),
];

export const failureTools: Tool[] = [...lookTools, ...actTools];
