import { type EnvelopeParts, makeEnvelope } from "#lib/platform/messages/make-envelope.ts";
import { type MessagePorts, sendEnvelope } from "#lib/platform/messages/send-envelope.ts";
import type { Runtime } from "#lib/platform/runtime/runtime.ts";
import type { Settings } from "#lib/platform/settings/environment.ts";
import { messagingAttributes } from "#lib/platform/trace/entry-spans.ts";
import { inSpan } from "#lib/platform/trace/span.ts";
import type { SpanAttributes } from "#schemas/records/span.ts";

/** What sending a message needs. */
export interface SendPorts extends MessagePorts {
  runtime: Runtime;
  settings: Pick<Settings, "shard">;
  queueUrl(service: string): string;
}

/** Sends a message to its service's queue, in a producer span that the message names as its parent. */
export async function sendMessage(
  parts: Omit<EnvelopeParts, "role" | "shard">,
  ports: SendPorts,
  attributes: SpanAttributes = {},
): Promise<void> {
  const envelope = makeEnvelope({ ...parts, role: "worker", shard: ports.settings.shard }, ports.runtime);
  const queue_url = ports.queueUrl(parts.service);
  await inSpan(
    parts.parent,
    {
      name: `send ${parts.service}`,
      kind: "producer",
      span_id: envelope.span_id,
      attributes: {
        ...messagingAttributes("send", queue_url.split("/").at(-1) || parts.service, envelope),
        ...attributes,
      },
    },
    ports.runtime,
    () => sendEnvelope(queue_url, envelope, ports),
  );
}
