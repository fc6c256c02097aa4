import { chatMessage } from "#lib/work/observation/chat-card.ts";
import { signatureHeaders } from "#lib/work/webhooks/sign-webhook.ts";
import type { AlertSink } from "#schemas/config/alerts.ts";

/** How a gate ended. */
export interface GateOutcome {
  name: string;
  passed: boolean;
  /** Where its output is. */
  link?: string | undefined;
}

/** A gate's result as a sink of configs/alerts.json takes it. */
export function gateMessage(
  { name, passed, link }: GateOutcome,
  sink: { kind: Exclude<AlertSink["kind"], "sns"> },
  { secret = "", now_ms, id }: { secret?: string | undefined; now_ms: number; id: string },
): { headers: Record<string, string>; body: string } {
  const headers = { "content-type": "application/json; charset=UTF-8" };
  const title = `${passed ? "🟢" : "🔴"} ${name} ${passed ? "passed" : "failed"}`;
  if (sink.kind === "google_chat") {
    const sections = [{ lines: [{ label: "result", text: passed ? "passed" : "failed" }] }];
    const links = link === undefined ? [] : [{ text: "Output", url: link }];
    const card = { key: "gate", title, subtitle: "A gate of the build", sections, links };
    return { headers, body: JSON.stringify(chatMessage(card)) };
  }
  if (sink.kind === "slack") {
    const text = title.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
    return {
      headers,
      body: JSON.stringify({ text: link === undefined ? text : `${text}\n<${link}|Output>` }),
    };
  }
  const body = JSON.stringify({
    type: passed ? "gate.passed" : "gate.failed",
    timestamp: new Date(now_ms).toISOString(),
    data: { name, passed, link: link ?? null },
  });
  const bytes = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  return { headers: { ...headers, ...signatureHeaders({ id, now_ms, body }, [bytes]) }, body };
}
