import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { t } from "../app/language.ts";
import { readable } from "./readable.ts";
import { useWindow } from "./virtual-list.tsx";

const LINE_PX = 20;
/** As many lines as this stand in the page as they are; more are windowed. */
const WHOLE_LINES_MAX = 400;

export interface Line {
  /** Shown before the text, for example its number. */
  marks: readonly string[];
  text: ComponentChildren;
  class?: string;
}

/** Lines of a text in a fixed font, however many. */
export function Lines({ label, lines }: { label: string; lines: readonly Line[] }) {
  const scroller = useRef<HTMLDivElement>(null);
  const is_windowed = lines.length > WHOLE_LINES_MAX;
  const view = useWindow(is_windowed ? lines.length : 0, LINE_PX, scroller);
  if (lines.length === 0) return <p class="quiet">{t("common.no_text")}</p>;
  const shown = is_windowed
    ? view.getVirtualItems().map(({ index, start }) => ({ index, start }))
    : lines.map((_, index) => ({ index, start: index * LINE_PX }));
  return (
    <div
      class={`lines ${is_windowed ? "windowed" : ""}`}
      ref={scroller}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must take the focus of the keyboard
      tabIndex={0}
      role="region"
      aria-label={label}
    >
      <div class="lines-body" style={{ height: `${lines.length * LINE_PX}px` }}>
        {shown.map(({ index, start }) => {
          const line = lines[index];
          return (
            <div
              key={index}
              class={`line ${line?.class ?? ""}`}
              style={{ transform: `translateY(${start}px)` }}
            >
              {line?.marks.map((mark, place) => (
                // Marks have no other name than their place
                <span class="mark" key={place} aria-hidden="true">
                  {mark}
                </span>
              ))}
              <span class="text">{line?.text}</span>
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** The lines of a text with their numbers. */
export function numberedLines(text: string): Line[] {
  const lines = text.replace(/\r\n?/g, "\n").replace(/\n$/, "").split("\n");
  return text === ""
    ? []
    : lines.map((line, index) => ({ marks: [String(index + 1)], text: readable(line) }));
}
