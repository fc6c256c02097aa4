/*
 * Messages of Google Chat as cards v2: https://developers.google.com/workspace/chat/api/reference/rest/v1/cards
 */

/** A message with cards is refused at 32,000 bytes: https://developers.google.com/workspace/chat/create-messages */
const MESSAGE_BYTES_MAX = 31_900;
const SECTIONS_MAX = 30;
const TEXT_CHARACTERS_MAX = 1500;
const TITLE_CHARACTERS_MAX = 200;

export interface CardLine {
  label: string;
  text: string;
}

export interface CardContent {
  /** Names the card within its message, and the thread where messages have one. */
  key: string;
  title: string;
  subtitle: string;
  /** One below the other; what does not fit is counted. */
  sections: { header?: string; lines: readonly CardLine[] }[];
  links: readonly { text: string; url: string }[];
  /** Messages with the same key stand in one thread. */
  thread_key?: string | undefined;
}

/**
 * A message of at most 30 sections and below 32,000 bytes. Sections that do not fit are left out from the end, and the last one says
 * how many they are. Texts are cut, and shown as they are: what looks like markup is escaped.
 */
export function chatMessage(content: CardContent): Record<string, unknown> {
  const sections = content.sections.map(({ header, lines }) => ({
    ...(header !== undefined && { header: shown(header, TITLE_CHARACTERS_MAX) }),
    widgets: lines.map(({ label, text }) => ({
      decoratedText: { topLabel: cut(label, TITLE_CHARACTERS_MAX), text: shown(text), wrapText: true },
    })),
  }));
  let kept = Math.min(sections.length, SECTIONS_MAX);
  for (; kept > 0; kept -= 1) {
    const message = withSections(content, sections.slice(0, kept), sections.length - kept);
    if (Buffer.byteLength(JSON.stringify(message)) <= MESSAGE_BYTES_MAX) return message;
  }
  return withSections(content, [], sections.length);
}

function withSections(
  { key, title, subtitle, links, thread_key }: CardContent,
  kept: object[],
  more: number,
) {
  const note = more > 0 ? [{ widgets: [{ textParagraph: { text: `${more} more` } }] }] : [];
  const buttons = links.map(({ text, url }) => ({
    text: cut(text, TITLE_CHARACTERS_MAX),
    onClick: { openLink: { url } },
  }));
  const last = buttons.length > 0 ? [{ widgets: [{ buttonList: { buttons } }] }] : [];
  const header = { title: cut(title, TITLE_CHARACTERS_MAX), subtitle: cut(subtitle, TEXT_CHARACTERS_MAX) };
  return {
    cardsV2: [{ cardId: key, card: { header, sections: [...kept, ...note, ...last] } }],
    ...(thread_key !== undefined && { thread: { threadKey: thread_key } }),
  };
}

/** Cut by code points, so that no character is halved. */
function cut(text: string, characters_max: number): string {
  const characters = [...text.toWellFormed()];
  return characters.length <= characters_max
    ? characters.join("")
    : `${characters.slice(0, characters_max - 1).join("")}…`;
}

/** Card texts take a part of HTML: https://developers.google.com/workspace/chat/format-messages#card-formatting */
function shown(text: string, characters_max = TEXT_CHARACTERS_MAX): string {
  return cut(text, characters_max).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
