import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { chatMessage } from "#lib/work/observation/chat-card.ts";
import type { Notice } from "#schemas/records/alert.ts";
import { type HttpSink, noticeMessage, topicMessage } from "./notice-message.ts";

const NOTICE: Notice = {
  alert_id: "a".repeat(32),
  number: 3,
  kind: "fired",
  rule: "circuit_open",
  summary: "A dependency does not answer.",
  severity: "critical",
  group: "dependencies",
  labels: { service: "codegen", role: "worker", shard: "0", tenant: "acme" },
  value: 1,
  previous_value: 0.25,
  comparison: "above",
  threshold: 0,
  since: "2026-01-31T12:00:00.000Z",
  at: "2026-01-31T12:00:00.000Z",
  runbook: "circuit-open",
};
const COMMON = { severities: ["critical" as const], messages_per_second: 1 };
const LINKS = { console_url: "https://agents.test/", runbook_url: "https://docs.test/runbooks" };
const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const URL_TEXT = "https://chat.test/v1/spaces/x/messages?key=k&token=t";

function made(sink: HttpSink, notice: Partial<Notice> = {}, links = LINKS) {
  const target = { sink, url: new URL(URL_TEXT), secret: SECRET };
  return noticeMessage({ ...NOTICE, ...notice }, target, links, Date.now());
}

const cardOf = (body: string) => JSON.parse(body).cardsV2[0].card;

describe("a Google Chat message", () => {
  const sink: HttpSink = { kind: "google_chat", ...COMMON, threads: true };

  it("is a card with what is wrong, where, for whom, and what to do", () => {
    const { body } = made(sink);
    const text = JSON.stringify(cardOf(body));
    for (const part of [
      "circuit_open fires",
      "codegen",
      "worker",
      "acme",
      "↑ from 0.25",
      "allowed is at most 0",
    ]) {
      expect(text).toContain(part);
    }
    expect(text).toContain("https://docs.test/runbooks/circuit-open.md");
    expect(text).toContain(
      "https://agents.test/api/metrics/summary?service=codegen&role=worker&shard=0&tenant=acme",
    );
  });

  it("goes to the alert's thread where the space has threads", () => {
    const { body, url } = made(sink);
    expect(JSON.parse(body).thread).toEqual({ threadKey: NOTICE.alert_id });
    expect(url.searchParams.get("messageReplyOption")).toBe("REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD");
    expect([url.searchParams.get("key"), url.searchParams.has("threadKey")]).toEqual(["k", false]);
    const plain = made({ ...sink, threads: false });
    expect([JSON.parse(plain.body).thread, plain.url.href]).toEqual([undefined, URL_TEXT]);
  });

  it("shows labels as they are, not as markup", () => {
    const { body } = made(sink, { labels: { service: "<a href='x'>&" } });
    expect(JSON.stringify(cardOf(body))).toContain("&lt;a href='x'&gt;&amp;");
  });

  it("names the runbook where there is no URL of the folder", () => {
    const { body } = made(sink, {}, { console_url: null, runbook_url: null } as never);
    expect(JSON.stringify(cardOf(body))).toContain("docs/runbooks/circuit-open.md");
    expect(JSON.stringify(cardOf(body))).not.toContain("buttonList");
  });
});

describe("a card", () => {
  const card = (sections: { lines: { label: string; text: string }[] }[]) =>
    chatMessage({ key: "k", title: "t".repeat(500), subtitle: "s", sections, links: [] });
  const section = (text: string) => ({ lines: [{ label: "l", text }] });
  const shownOf = (message: Record<string, unknown>) =>
    (message.cardsV2 as { card: { sections: { widgets: object[] }[] } }[])[0]!.card.sections;

  it("has 30 sections at most, and says how many more there are", () => {
    const sections = shownOf(card(Array.from({ length: 45 }, (_, index) => section(String(index)))));
    expect(sections).toHaveLength(31);
    expect(JSON.stringify(sections.at(-1))).toContain("15 more");
    expect(shownOf(card(Array.from({ length: 30 }, () => section("x"))))).toHaveLength(30);
  });

  it.each([
    ["letters", "a"],
    ["characters of four bytes", "😀"],
    ["characters that are escaped", "<"],
    ["halves of characters", "\ud83d"],
  ])("stays below 32,000 bytes with %s, and loses none silently", (_name, character) => {
    const many = Array.from({ length: 30 }, () => section(character.repeat(5000)));
    const message = card(many);
    const sections = shownOf(message);
    expect(Buffer.byteLength(JSON.stringify(message))).toBeLessThan(32_000);
    const [, more = "0"] = /(\d+) more/.exec(JSON.stringify(sections.at(-1))) ?? [];
    expect(sections.length - 1 + Number(more)).toBe(30);
  });
});

describe("other sinks", () => {
  it("Slack's takes a text", () => {
    const { body } = made({ kind: "slack", ...COMMON }, { summary: "a <b> & c" });
    const { text } = JSON.parse(body);
    expect(text).toContain("circuit_open fires");
    expect(text).toContain("a &lt;b&gt; &amp; c");
    expect(text).toContain("<https://docs.test/runbooks/circuit-open.md|Runbook>");
  });

  it("a webhook is signed, and has an id that follows from the notice", () => {
    const { body, headers } = made({ kind: "webhook", ...COMMON });
    expect(new Webhook(SECRET).verify(body, headers)).toEqual({
      type: "alert.fired",
      timestamp: NOTICE.at,
      data: NOTICE,
    });
    expect(headers["webhook-id"]).toBe(`alert_${NOTICE.alert_id}_3`);
    expect(() =>
      new Webhook(`whsec_${Buffer.alloc(32, 8).toString("base64")}`).verify(body, headers),
    ).toThrow();
  });
});

describe("a message of an SNS topic", () => {
  it("says in words what a card says, and lets subscriptions filter", () => {
    const { subject, text, attributes } = topicMessage(NOTICE, LINKS);
    expect(subject).toBe("critical: circuit_open fires");
    for (const part of [
      "A dependency does not answer.",
      "tenant: acme",
      "↑ from 0.25",
      "runbooks/circuit-open.md",
    ])
      expect(text).toContain(part);
    expect(attributes).toEqual({
      rule: "circuit_open",
      severity: "critical",
      kind: "fired",
      group: "dependencies",
    });
  });
});
