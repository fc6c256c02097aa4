import { z } from "zod";
import { webhookReceiver } from "#test/fakes/webhook-receiver.ts";

/*
 * What Google Chat takes of an incoming webhook, as strictly as its reference says:
 * https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages
 * https://developers.google.com/workspace/chat/api/reference/rest/v1/cards
 */

const MESSAGE_BYTES_MAX = 32_000;
const CARD_SECTIONS_MAX = 100;

const Text = z.string().min(1);
const Button = z.strictObject({
  text: Text,
  onClick: z.strictObject({ openLink: z.strictObject({ url: z.url() }) }),
});
/** A widget has exactly one kind of content. */
const Widget = z.union([
  z.strictObject({ decoratedText: z.strictObject({ topLabel: Text, text: Text, wrapText: z.boolean() }) }),
  z.strictObject({ textParagraph: z.strictObject({ text: Text }) }),
  z.strictObject({ buttonList: z.strictObject({ buttons: z.array(Button).min(1) }) }),
]);
const Section = z.strictObject({ header: Text.optional(), widgets: z.array(Widget).min(1) });
const Card = z.strictObject({
  header: z.strictObject({ title: Text, subtitle: z.string() }),
  sections: z.array(Section).min(1).max(CARD_SECTIONS_MAX),
});
const ChatMessage = z.strictObject({
  cardsV2: z.array(z.strictObject({ cardId: Text, card: Card })).length(1),
  thread: z.strictObject({ threadKey: Text.max(4000) }).optional(),
});

/** What is wrong with a message; empty when a space would take it. */
function chatFaults(body: string): string[] {
  const bytes = Buffer.byteLength(body);
  const parsed = ChatMessage.safeParse(JSON.parse(body));
  return [
    ...(bytes > MESSAGE_BYTES_MAX ? [`${bytes} bytes`] : []),
    ...(parsed.error?.issues.map(({ path, message }) => `${path.join("/")}: ${message}`) ?? []),
  ];
}

/** A space of Google Chat on loopback. A message that Google would refuse is answered with 400, and its faults are kept. */
export async function chatSpace() {
  const faults: string[] = [];
  const receiver = await webhookReceiver({
    onReceived: async ({ body, headers }) => {
      const found = chatFaults(body);
      if (!/^application\/json/.test(String(headers["content-type"]))) found.push("not sent as JSON");
      if (found.length > 0) receiver.answer(400);
      faults.push(...found);
    },
  });
  return {
    ...receiver,
    faults,
    /** What each message says first, without its sign, such as `backlog is resolved`. */
    titles: () =>
      receiver.received.map(({ body }) =>
        String(JSON.parse(body).cardsV2[0].card.header.title).replace(/^\S+ /, ""),
      ),
  };
}
