import { describe, expect, it } from "vitest";
import type { DeliveryView, WebhookView } from "#schemas/http/webhooks.ts";
import { createPaint } from "./paint.ts";
import { deliveryLine, deliveryTable, newWebhookLines, webhookLine, webhookTable } from "./webhook-table.ts";

const plain = createPaint(false);
const at = "2026-01-01T00:00:00.000Z";
const webhook: WebhookView = {
  webhook_id: "0123456789abcdef",
  tenant: "acme",
  name: "ci",
  url: "https://ci.example.org/hook",
  state: "active",
  disabled_at: null,
  disabled_because: null,
  secrets: [{ number: 1, created_at: at, valid_until: null }],
  created_at: at,
  created_by: "local",
};
const delivery: DeliveryView = {
  delivery_id: `task_${"0".repeat(26)}_0_0123456789abcdef`,
  webhook_id: "0123456789abcdef",
  task_id: `task_${"0".repeat(26)}`,
  type: "task.ended",
  state: "waiting",
  attempts: 2,
  attempted_at: [at, at],
  status_code: null,
  code: "WEBHOOK_UNAVAILABLE",
  message: "the receiver answered 500",
  next_try_at: at,
  created_at: at,
  ended_at: null,
};

describe("a webhook", () => {
  it("is shown with what is wrong with it, and with how many secrets it signs", () => {
    expect(webhookLine(webhook, plain)).toBe("✓ 0123456789abcdef  active  ci  https://ci.example.org/hook");
    const gone: WebhookView = { ...webhook, state: "disabled", disabled_because: "WEBHOOK_GONE" };
    expect(webhookLine(gone, plain)).toContain("✗ 0123456789abcdef  disabled (WEBHOOK_GONE)");
    const rotated = { ...webhook, secrets: [...webhook.secrets, ...webhook.secrets] };
    expect(webhookLine(rotated, plain)).toContain("2 secrets sign");
    expect(webhookTable({ webhooks: [] }, plain).join()).toContain("agents webhooks create");
  });

  it("that was just made shows its secret first, for scripts that read one line", () => {
    expect(newWebhookLines({ ...webhook, secret: "whsec_AA==" }, plain)[0]).toBe("whsec_AA==");
  });
});

describe("a delivery", () => {
  it("is shown with its tries, what the last one came to, and when it is tried next", () => {
    const { delivery_id } = delivery;
    expect(deliveryLine(delivery, plain)).toBe(
      `· waiting    ${delivery_id}  2 attempts  WEBHOOK_UNAVAILABLE: the receiver answered 500  next try ${at}`,
    );
    const done: DeliveryView = { ...delivery, state: "delivered", status_code: 204, next_try_at: null };
    expect(deliveryLine(done, plain)).toBe(`✓ delivered  ${delivery_id}  2 attempts  204`);
    const table = deliveryTable({ deliveries: [done], next_cursor: "abc" }, plain);
    expect(table.at(-1)).toContain("--cursor abc");
  });
});
