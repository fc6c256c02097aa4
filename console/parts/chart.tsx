import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useEffect, useRef, useState } from "preact/hooks";
import { formatInstant } from "../app/format.ts";
import { currentLanguage, t } from "../app/language.ts";

interface Series {
  label: string;
  /** Name of the custom property of the style sheet that holds its colour. */
  color: string;
  values: readonly (number | null)[];
}

interface ChartProps {
  title: string;
  /** Unix time in s at which each value's interval begins. */
  times: readonly number[];
  series: readonly Series[];
  format(value: number): string;
  /** Filled steps for counts; lines for measures. */
  kind: "steps" | "lines";
}

const HEIGHT_PX = 190;

/** A chart over time, and the same figures as a table for whoever does not see it. */
export function Chart({ title, times, series, format, kind }: ChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const scheme = useColorScheme();
  const drawn = JSON.stringify([times, series, kind, scheme, currentLanguage()]);
  // `drawn` holds everything that is drawn
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const width = () => Math.max(200, element.clientWidth);
    const plot = new uPlot(
      { ...optionsOf(series, format, kind, element), width: width(), height: HEIGHT_PX },
      [[...times], ...series.map(({ values }) => [...values])] as uPlot.AlignedData,
      element,
    );
    const observer = new ResizeObserver(() => plot.setSize({ width: width(), height: HEIGHT_PX }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [drawn]);
  return (
    <figure class="chart">
      <figcaption>
        <strong>{title}</strong>
        <ul class="legend">
          {series.map(({ label, color }) => (
            <li key={label}>
              <span class={`swatch ${color}`} aria-hidden="true" /> {label}
            </li>
          ))}
        </ul>
      </figcaption>
      <div ref={host} aria-hidden="true" class="plot" />
      <details>
        <summary>{t("chart.as_table")}</summary>
        <ChartTable title={title} times={times} series={series} format={format} />
      </details>
    </figure>
  );
}

function ChartTable({ title, times, series, format }: Omit<ChartProps, "kind">) {
  const rows = times
    .map((time, index) => ({ time, values: series.map(({ values }) => values[index] ?? null) }))
    .filter(({ values }) => values.some((value) => value !== null && value !== 0));
  return (
    <table class="plain-table">
      <caption class="hidden">{title}</caption>
      <thead>
        <tr>
          <th scope="col">{t("chart.from")}</th>
          {series.map(({ label }) => (
            <th scope="col" key={label} class="number">
              {label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ time, values }) => (
          <tr key={time}>
            <th scope="row">{formatInstant(time * 1000)}</th>
            {values.map((value, index) => (
              <td class="number" key={series[index]?.label}>
                {value === null ? "–" : format(value)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function optionsOf(
  series: readonly Series[],
  format: (value: number) => string,
  kind: ChartProps["kind"],
  element: HTMLElement,
): Omit<uPlot.Options, "width" | "height"> {
  const style = getComputedStyle(element);
  const color = (name: string) => resolvedColor(name, element);
  const axis: uPlot.Axis = {
    stroke: style.color,
    font: `12px ${style.fontFamily}`,
    grid: { stroke: color("chart-line"), width: 1 },
    ticks: { show: false },
  };
  const stepped = uPlot.paths.stepped?.({ align: 1 });
  return {
    cursor: { show: false },
    legend: { show: false },
    scales: { y: { range: (_, __, max) => [0, Math.max(1, max ?? 1) * 1.05] } },
    axes: [
      { ...axis, values: timeLabels },
      { ...axis, size: 84, values: (_, ticks) => ticks.map(format) },
    ],
    series: [
      {},
      ...series.map(({ label, color: name }) => ({
        label,
        stroke: color(name),
        width: 2,
        points: { show: kind === "lines", size: 5, fill: color(name) },
        ...(kind === "steps" && { fill: color(`${name}-soft`), ...(stepped && { paths: stepped }) }),
      })),
    ],
  };
}

/** What a custom property comes to as a colour: read as itself it may still say `light-dark(…)`. */
function resolvedColor(name: string, element: HTMLElement): string {
  const probe = element.appendChild(document.createElement("span"));
  probe.style.color = `var(--${name})`;
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** Hours and minutes on a 24-hour clock; the day where one begins. */
function timeLabels(_: uPlot, ticks: number[]): string[] {
  return ticks.map((tick) => {
    const label = formatInstant(tick * 1000);
    return label.endsWith("00:00:00") ? label.slice(5, 10) : label.slice(11, 16);
  });
}

/** Changes when the reader's colour scheme does: a canvas does not follow a style sheet by itself. */
function useColorScheme(): boolean {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const [is_dark, setDark] = useState(dark.matches);
  useEffect(() => {
    const changed = () => setDark(dark.matches);
    dark.addEventListener("change", changed);
    return () => dark.removeEventListener("change", changed);
  }, [dark]);
  return is_dark;
}
