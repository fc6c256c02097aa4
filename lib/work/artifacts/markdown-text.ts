/** Text of others as plain text in Markdown: it must not end a table's cell, or become a link or markup. */
export function markdownText(text: string): string {
  return text.replace(/[&<>|`*_[\]\\~]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** The same as code, such as a path or a command; what would end the line is a blank. */
export function markdownCode(text: string): string {
  return `<code>${markdownText(text.replace(/\s+/g, " "))}</code>`;
}

/** `1 file`, `3 files` */
export function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

export function dollars(usd: number): string {
  return `${usd.toFixed(usd < 1 ? 4 : 2)} USD`;
}
