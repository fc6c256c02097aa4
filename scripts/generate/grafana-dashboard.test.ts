import { expect, it } from "vitest";
import { COUNTERS, GAUGES, HISTOGRAMS } from "#lib/platform/metrics/catalogue.ts";
import { grafanaDashboard } from "./grafana-dashboard.ts";

interface Panel {
  id: number;
  type: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { expr: string }[];
}
const { panels, templating } = JSON.parse(grafanaDashboard()) as {
  panels: Panel[];
  templating: { list: { name: string }[] };
};

it("has a panel for each metric of the catalogue, narrowed by the dashboard's variables", () => {
  const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  const names = [
    ...Object.keys(COUNTERS),
    ...Object.keys(GAUGES),
    ...Object.values(HISTOGRAMS).map(({ name }) => `${name}_bucket`),
  ];
  for (const name of names) expect(expressions.filter((expr) => expr.includes(`${name}{`))).not.toEqual([]);
  const variables = templating.list.map(({ name }) => name);
  for (const expr of expressions)
    for (const [, variable] of expr.matchAll(/=~"\$(\w+)"/g)) expect(variables).toContain(variable);
});

it("places no panel over another, and numbers each once", () => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
});
