import type { TopicMessage } from "#lib/platform/aws/publish-to-topic.ts";
import { type CardLine, chatMessage } from "#lib/work/observation/chat-card.ts";
import { signatureHeaders } from "#lib/work/webhooks/sign-webhook.ts";
import type { AlertSink, AlertsConfig } from "#schemas/config/alerts.ts";
import type { Notice } from "#schemas/records/alert.ts";

interface NoticeMessage {
  url: URL;
  headers: Record<string, string>;
  body: string;
}

/** A sink that takes a POST. */
export type HttpSink = Exclude<AlertSink, { kind: "sns" }>;

type Links = Pick<AlertsConfig, "console_url" | "runbook_url">;

/** A notice as its sink takes it. `url` is the sink's, checked. */
export function noticeMessage(
  notice: Notice,
  { sink, url, secret }: { sink: HttpSink; url: URL; secret?: string | undefined },
  links: Links,
  now_ms: number,
): NoticeMessage {
  const headers = { "content-type": "application/json; charset=UTF-8" };
  switch (sink.kind) {
    case "google_chat": {
      const thread_key = sink.threads ? notice.alert_id : undefined;
      const card = {
        key: "alert",
        ...headline(notice),
        sections: sectionsOf(notice, links),
        links: linksOf(notice, links),
      };
      const threaded = new URL(url);
      if (sink.threads)
        threaded.searchParams.set("messageReplyOption", "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD");
      return { url: threaded, headers, body: JSON.stringify(chatMessage({ ...card, thread_key })) };
    }
    case "slack":
      return { url, headers, body: JSON.stringify(slackMessage(notice, links)) };
    case "webhook": {
      const body = JSON.stringify({ type: `alert.${notice.kind}`, timestamp: notice.at, data: notice });
      const id = `alert_${notice.alert_id}_${notice.number}`;
      const bytes = Buffer.from((secret ?? "").replace(/^whsec_/, ""), "base64");
      return { url, headers: { ...headers, ...signatureHeaders({ id, now_ms, body }, [bytes]) }, body };
    }
  }
}

/** A notice as a topic of SNS takes it: for people by mail, and by its attributes for programs. */
export function topicMessage(notice: Notice, links: Links): TopicMessage {
  const { title, subtitle } = headline(notice);
  const lines = sectionsOf(notice, links).flatMap(({ lines: of_section }) => of_section);
  const text = [
    title,
    subtitle,
    "",
    ...lines.map(({ label, text: said }) => `${label}: ${said}`),
    ...linksOf(notice, links).map(({ text: name, url }) => `${name}: ${url}`),
  ].join("\n");
  const { rule, severity, kind, group } = notice;
  return {
    subject: `${severity}: ${rule} ${WORDS[kind]}`,
    text,
    attributes: { rule, severity, kind, group },
  };
}

const SIGNS: Record<Notice["severity"], string> = { critical: "🔴", warning: "🟠", info: "🔵" };
const WORDS: Record<Notice["kind"], string> = {
  fired: "fires",
  repeated: "still fires",
  resolved: "is resolved",
  test: "is only a test",
};

function headline({ kind, rule, severity, summary }: Notice): { title: string; subtitle: string } {
  const sign = kind === "resolved" ? "🟢" : SIGNS[severity];
  return { title: `${sign} ${rule} ${WORDS[kind]}`, subtitle: `${severity}: ${summary}` };
}

function sectionsOf(notice: Notice, { runbook_url }: Links): { header?: string; lines: CardLine[] }[] {
  const labels = Object.entries(notice.labels).map(([label, text]) => ({ label, text: text || "(none)" }));
  const runbook =
    runbook_url === null ? [{ label: "runbook", text: `docs/runbooks/${notice.runbook}.md` }] : [];
  return [
    {
      lines: [{ label: "value", text: measure(notice) }, { label: "since", text: notice.since }, ...runbook],
    },
    ...(labels.length > 0 ? [{ header: "Labels", lines: labels }] : []),
  ];
}

/** Value against threshold, and where it comes from. */
function measure({ value, previous_value, comparison, threshold }: Notice): string {
  const now = value === null ? "no value any more" : round(value);
  const beyond = comparison === "above" ? "at most" : "at least";
  const trend = previous_value === null || value === null ? "" : `, ${direction(value, previous_value)}`;
  return `${now}, allowed is ${beyond} ${round(threshold)}${trend}`;
}

function direction(value: number, before: number): string {
  if (value === before) return "as before";
  return `${value > before ? "↑" : "↓"} from ${round(before)}`;
}

function round(value: number): string {
  return String(Number(value.toPrecision(4)));
}

/** To what explains the alert: the runbook, and the numbers of its labels. */
function linksOf(notice: Notice, { console_url, runbook_url }: Links): { text: string; url: string }[] {
  const of_labels = new URLSearchParams(
    ["service", "role", "shard", "tenant"].flatMap((name): [string, string][] => {
      const value = notice.labels[name];
      return value && !value.startsWith("_") && value !== "other" ? [[name, value]] : [];
    }),
  );
  const base = (url: string) => url.replace(/\/$/, "");
  return [
    ...(runbook_url === null ? [] : [{ text: "Runbook", url: `${base(runbook_url)}/${notice.runbook}.md` }]),
    ...(console_url === null
      ? []
      : [{ text: "Numbers", url: `${base(console_url)}/api/metrics/summary?${of_labels}` }]),
  ];
}

const SLACK_CHARACTERS_MAX = 2900;

/** https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks: `text` is all that compatible receivers need. */
function slackMessage(notice: Notice, links: Links): Record<string, unknown> {
  const { title, subtitle } = headline(notice);
  const lines = sectionsOf(notice, links).flatMap(({ lines: of_section }) => of_section);
  const shown = [...lines.map(({ label, text }) => `*${escaped(label)}*: ${escaped(text)}`)];
  const buttons = linksOf(notice, links).map(({ text, url }) => `<${url}|${text}>`);
  const text = [`*${escaped(title)}*`, escaped(subtitle), ...shown, ...buttons].join("\n");
  return { text: [...text].slice(0, SLACK_CHARACTERS_MAX).join("") };
}

function escaped(text: string): string {
  return text.toWellFormed().replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
