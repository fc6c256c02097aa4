import { fileURLToPath } from "node:url";
import { Client, type VersionNegotiationMode } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { FAKE_KEY } from "./fake-api.ts";

const LAUNCHER = fileURLToPath(new URL("../../cli/agents.mjs", import.meta.url));

interface McpOptions {
  url: string;
  key?: string;
  /** `legacy` opens with `initialize`, as the revisions before 2026-07-28 do. */
  mode?: VersionNegotiationMode;
}

/** What a tool answered: the document, the text of a file beside it, and whether it is an error. */
interface ToolOutcome {
  is_error: boolean;
  document: Record<string, unknown>;
  text: string | undefined;
}

export interface McpSession {
  client: Client;
  call(name: string, given?: Record<string, unknown>): Promise<ToolOutcome>;
  /** What the server wrote to standard error. */
  told(): string;
  close(): Promise<void>;
}

/** `agents mcp` as a child process, and the protocol's official client connected to it. */
export async function connectMcp(words: string[], options: McpOptions): Promise<McpSession> {
  const { url, key = FAKE_KEY, mode = "legacy" } = options;
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [LAUNCHER, "mcp", ...words],
    env: { PATH: "/usr/local/bin:/usr/bin:/bin", AGENTS_URL: url, AGENTS_KEY: key },
    stderr: "pipe",
  });
  let told = "";
  transport.stderr?.on("data", (part) => {
    told += part;
  });
  const client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode } });
  await client.connect(transport);
  return {
    client,
    async call(name, given = {}) {
      const options = { timeout: 180_000 };
      const { content, isError } = await client.callTool({ name, arguments: given }, options);
      const texts = content.flatMap((part) => (part.type === "text" ? [part.text] : []));
      return { is_error: isError === true, document: JSON.parse(texts[0] ?? "null"), text: texts[1] };
    },
    told: () => told,
    close: () => client.close(),
  };
}
