import type { z } from "zod";
import type { AgentEntry } from "#schemas/config/codegen.ts";
import type { ScriptedAnswer } from "../../test/fakes/model-server.ts";

/** What an entry is made of on this machine. */
interface Surroundings {
  /** The agent's program, and the directories that it needs to read. */
  program: string;
  read_only: string[];
  /** Of the scripted model: `<host>:<port>`, the addresses of the host, and the file that its certificate is in. */
  host: string;
  addresses: string[];
  certificate: string;
}

export interface KnownAgent {
  name: string;
  /** As it is found on the PATH. */
  program: string;
  version: string[];
  entry(place: Surroundings): z.input<typeof AgentEntry>;
  /** Answers of a model by which this agent replaces a line of `file`, and ends. */
  answers(file: string, from: string, to: string): ScriptedAnswer[];
}

const URL_OF = ({ host }: Surroundings) => `https://${host}/v1`;
const KEY = { OPENAI_API_KEY: "MODEL_API_KEY_OPENAI" };

function sandboxOf({ host, addresses, read_only, certificate }: Surroundings) {
  return {
    private_hosts: { [host]: addresses.map((address) => `${address}/${address.includes(":") ? 128 : 32}`) },
    read_only: [...read_only, certificate],
    wall_seconds: 300,
  };
}

/** A shell command that replaces a line, for agents that edit by commands. */
function replacing(file: string, from: string, to: string): string {
  const script = `const fs = require("fs"); const text = fs.readFileSync(${JSON.stringify(file)}, "utf8"); fs.writeFileSync(${JSON.stringify(file)}, text.replace(${JSON.stringify(from)}, ${JSON.stringify(to)}))`;
  return `node -e '${script}'`;
}

const MINI: KnownAgent = {
  name: "mini",
  program: "mini",
  version: ["--help"],
  entry: (place) => ({
    command: `${place.program} --yolo --exit-immediately --model openai/scripted --task {prompt} --output "$HOME/trajectory.json"`,
    secrets: KEY,
    environment: {
      ...{ OPENAI_API_BASE: URL_OF(place), SSL_CERT_FILE: place.certificate },
      ...{ MSWEA_CONFIGURED: "true", MSWEA_COST_TRACKING: "ignore_errors", MSWEA_SILENT_STARTUP: "1" },
    },
    usage: {
      file: "trajectory.json",
      lines: [
        '"completion_tokens": {output_tokens},',
        '"prompt_tokens": {input_tokens},',
        '"instance_cost": {usd},',
      ],
    },
    ...sandboxOf(place),
  }),
  answers: (file, from, to) => [
    { text: "I replace the line.", calls: [{ name: "bash", input: { command: replacing(file, from, to) } }] },
    {
      text: "It is done.",
      calls: [{ name: "bash", input: { command: "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT" } }],
    },
  ],
};

const AIDER: KnownAgent = {
  name: "aider",
  program: "aider",
  version: ["--version"],
  entry: (place) => ({
    command: `${place.program} --yes-always --no-git --no-check-update --analytics-disable --no-show-model-warnings --no-pretty --edit-format diff --model openai/scripted --message-file {prompt_file}`,
    secrets: KEY,
    environment: { OPENAI_API_BASE: URL_OF(place), SSL_CERT_FILE: place.certificate },
    usage: { lines: ["Tokens: {input_tokens} sent, {output_tokens} received."] },
    ...sandboxOf(place),
  }),
  answers: (file, from, to) => [
    {
      text: `I replace the line.\n\n${file}\n\`\`\`\n<<<<<<< SEARCH\n${from}\n=======\n${to}\n>>>>>>> REPLACE\n\`\`\`\n`,
    },
  ],
};

const OPENCODE: KnownAgent = {
  name: "opencode",
  program: "opencode",
  version: ["--version"],
  entry: (place) => ({
    command: `${place.program} run --auto --format json --title change --model scripted/scripted {prompt}`,
    secrets: KEY,
    environment: {
      OPENCODE_CONFIG_CONTENT: JSON.stringify({
        share: "disabled",
        autoupdate: false,
        provider: {
          scripted: {
            npm: "@ai-sdk/openai-compatible",
            options: { baseURL: URL_OF(place), apiKey: "{env:OPENAI_API_KEY}" },
            models: { scripted: { name: "scripted", limit: { context: 100_000, output: 8000 } } },
          },
        },
      }),
      ...{ NODE_EXTRA_CA_CERTS: place.certificate, OPENCODE_DISABLE_MODELS_FETCH: "true" },
      ...{ OPENCODE_DISABLE_LSP_DOWNLOAD: "true", OPENCODE_DISABLE_AUTOUPDATE: "true" },
    },
    usage: { lines: ['"tokens":{{*}"input":{input_tokens},"output":{output_tokens},{*}"cost":{usd}'] },
    ...sandboxOf(place),
  }),
  answers: (file, from, to) => [
    {
      text: "I replace the line.",
      calls: [
        { name: "bash", input: { command: replacing(file, from, to), description: "Replace the line" } },
      ],
    },
    { text: "It is done." },
  ],
};

export const KNOWN_AGENTS: readonly KnownAgent[] = [MINI, AIDER, OPENCODE];
