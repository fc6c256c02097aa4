import type {
  DeliveryList,
  DeliveryView,
  NewWebhook,
  WebhookList,
  WebhookView,
} from "#schemas/http/webhooks.ts";
import { count } from "./format.ts";
import type { Paint } from "./paint.ts";

/** A secret just made: the one time it is shown. */
export function newWebhookLines({ secret, ...view }: NewWebhook, paint: Paint): string[] {
  return [
    secret,
    "",
    paint.bold("Keep it now: it cannot be shown again. Verify what is sent with it."),
    webhookLine(view, paint),
  ];
}

/** One webhook on one line. */
export function webhookLine(view: WebhookView, paint: Paint): string {
  const { webhook_id, state, disabled_because, name, url, secrets } = view;
  const sign = state === "active" ? paint.green("✓") : paint.red("✗");
  const why = disabled_because === null ? "" : ` (${disabled_because})`;
  const signing = secrets.length > 1 ? `  ${count(secrets.length, "secret")} sign` : "";
  return `${sign} ${webhook_id}  ${state}${why}  ${name}  ${url}${signing}`;
}

export function webhookTable({ webhooks }: WebhookList, paint: Paint): string[] {
  if (webhooks.length === 0) return [paint.dim("No webhooks. Make one: agents webhooks create --help")];
  return webhooks.map((webhook) => webhookLine(webhook, paint));
}

/** One delivery on one line: its state, its id, its tries, and what the last one came to. */
export function deliveryLine(view: DeliveryView, paint: Paint): string {
  const { delivery_id, state, attempts, status_code, code, message, next_try_at } = view;
  const came_to =
    status_code === null ? (code === null ? "" : `${code}: ${message ?? ""}`) : `${status_code}`;
  const next = next_try_at === null ? "" : `next try ${next_try_at}`;
  const facts = [state.padEnd(9), delivery_id, count(attempts, "attempt"), came_to, next];
  return `${sign(view, paint)} ${facts.filter((fact) => fact !== "").join("  ")}`;
}

/** One line a delivery, newest first. */
export function deliveryTable({ deliveries, next_cursor }: DeliveryList, paint: Paint): string[] {
  const more =
    next_cursor === null ? [] : [paint.dim(`More: agents webhooks deliveries --cursor ${next_cursor}`)];
  if (deliveries.length === 0) return [paint.dim("No deliveries like that."), ...more];
  return [...deliveries.map((delivery) => deliveryLine(delivery, paint)), ...more];
}

function sign({ state }: DeliveryView, paint: Paint): string {
  if (state === "delivered") return paint.green("✓");
  return state === "failed" ? paint.red("✗") : paint.yellow("·");
}
