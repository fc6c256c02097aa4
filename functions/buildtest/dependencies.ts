import type { AgentContext } from "#lib/agent/agent.ts";
import { config } from "#lib/config/config.ts";
import { applyDiff } from "#lib/diff/apply-diff.ts";
import { resolveSource } from "#lib/source/resolve-source.ts";
import type { SourcePorts } from "#lib/source/source-ports.ts";
import { unpackSource } from "#lib/source/unpack-source.ts";
import type { BuildtestPorts } from "./ports.ts";

/** The real ports, for one message. */
export function buildtestPorts({ blobs, signal, span }: AgentContext): BuildtestPorts {
  const limits = config.sandboxLimits();
  const { allow_private_git_hosts } = config.environment();
  const source_ports: SourcePorts = {
    blobs,
    signal,
    limits: limits.value,
    allow_private_hosts: allow_private_git_hosts,
  };
  return {
    sandboxLimits: () => limits,
    resolveSource: (source) =>
      span("resolve source", { "agents.source.kind": source.kind }, () =>
        resolveSource(source, source_ports),
      ),
    unpackSource: (archive, directory) =>
      span("unpack", { "agents.source.bytes": archive.bytes }, () =>
        unpackSource(archive, directory, source_ports),
      ),
    applyDiff: (directory, diff) => span("apply diff", {}, () => applyDiff(directory, diff)),
  };
}
