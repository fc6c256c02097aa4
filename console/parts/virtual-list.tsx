import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
  type VirtualizerOptions,
} from "@tanstack/virtual-core";
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

const ROWS_AHEAD = 12;

/** Which rows of a long list are in view, and where. `scroller` is the element that scrolls. */
export function useWindow(count: number, row_px: number, scroller: { current: HTMLElement | null }) {
  const [, setTurn] = useState(0);
  const options: VirtualizerOptions<HTMLElement, HTMLElement> = {
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => row_px,
    overscan: ROWS_AHEAD,
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    onChange: () => setTurn((last) => last + 1),
  };
  const [virtualizer] = useState(() => new Virtualizer<HTMLElement, HTMLElement>(options));
  virtualizer.setOptions(options);
  useLayoutEffect(() => virtualizer._didMount(), [virtualizer]);
  useLayoutEffect(() => virtualizer._willUpdate());
  useEffect(() => virtualizer.measure(), [virtualizer, row_px]);
  return virtualizer;
}

interface VirtualTableProps<Row> {
  label: string;
  columns: readonly string[];
  rows: readonly Row[];
  /** Of a row, in order of the columns. */
  cells(row: Row): readonly ComponentChildren[];
  keyOf(row: Row): string;
  linkOf(row: Row): string;
  row_px: number;
  /** More rows may be loaded: the number of rows is then not known. */
  has_more: boolean;
  onNearEnd(): void;
  class?: string;
}

/**
 * A table of any length, of which only the rows in view are in the page. The table takes the focus: arrow keys, Page Up,
 * Page Down, Home and End move the active row, Enter opens it.
 * https://www.w3.org/WAI/ARIA/apg/patterns/grid/
 */
export function VirtualTable<Row>(props: VirtualTableProps<Row>) {
  const { label, columns, rows, row_px, has_more, onNearEnd } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(0);
  const view = useWindow(rows.length, row_px, scroller);
  const shown = view.getVirtualItems();
  const last_shown = shown.at(-1)?.index ?? -1;
  useEffect(() => {
    if (has_more && last_shown >= rows.length - ROWS_AHEAD * 2) onNearEnd();
  });
  const move = (event: KeyboardEvent) => {
    const target = moved(event.key, active, rows.length, Math.max(1, shown.length - ROWS_AHEAD * 2));
    if (target === undefined) return;
    event.preventDefault();
    setActive(target);
    view.scrollToIndex(target);
  };
  const open = (event: KeyboardEvent) => {
    const row = rows[active];
    if (event.key === "Enter" && row !== undefined && event.target === event.currentTarget) {
      location.hash = props.linkOf(row);
    }
  };
  return (
    <div
      class={`virtual ${props.class ?? ""}`}
      role="grid"
      aria-label={label}
      aria-rowcount={has_more ? -1 : rows.length + 1}
      aria-colcount={columns.length}
      aria-activedescendant={rows.length > 0 ? `row-${active}` : undefined}
      tabIndex={0}
      ref={scroller}
      onKeyDown={(event) => {
        move(event);
        open(event);
      }}
    >
      <div role="row" class="virtual-head" aria-rowindex={1}>
        {columns.map((column) => (
          <span role="columnheader" key={column}>
            {column}
          </span>
        ))}
      </div>
      <div role="rowgroup" class="virtual-body" style={{ height: `${view.getTotalSize()}px` }}>
        {shown.map(({ index, start }) => {
          const row = rows[index];
          if (row === undefined) return null;
          return (
            <div
              role="row"
              id={`row-${index}`}
              key={props.keyOf(row)}
              aria-rowindex={index + 2}
              class={`virtual-row ${index === active ? "active" : ""}`}
              style={{ height: `${row_px}px`, transform: `translateY(${start}px)` }}
              onClick={(event) => {
                setActive(index);
                if (!(event.target as Element).closest("a, button, input")) location.hash = props.linkOf(row);
              }}
            >
              {props.cells(row).map((cell, column) => (
                <span role="gridcell" key={columns[column]}>
                  {cell}
                </span>
              ))}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function moved(key: string, from: number, count: number, page: number): number | undefined {
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: 1,
    ArrowUp: -1,
    PageDown: page,
    PageUp: -page,
    Home: -count,
    End: count,
  };
  const step = steps[key];
  return step === undefined || count === 0 ? undefined : Math.min(count - 1, Math.max(0, from + step));
}
