import { t } from "../app/language.ts";
import { type Place, placeLink } from "../app/place.ts";
import { PageHead } from "../parts/bits.tsx";
import { Empty } from "../parts/notices.tsx";
import { type Block, type Inline, parseRunbook } from "./alerts/parse-runbook.ts";

/** docs/runbooks by name without `.md`, put in by the build (scripts/build/build-console.ts). */
declare const RUNBOOKS: Readonly<Record<string, string>>;

/** Whether the console has the runbook. */
export function hasRunbook(name: string): boolean {
  return Object.hasOwn(RUNBOOKS, name);
}

/** What an alert means and what to do, as the repository has it. */
export function Runbook({ place }: { place: Place }) {
  const [, name = ""] = place.path;
  const blocks = hasRunbook(name) ? parseRunbook(RUNBOOKS[name] ?? "") : [];
  return (
    <>
      <p class="crumbs">
        <a href={placeLink(["alerts"])}>{t("nav.alerts")}</a>
      </p>
      <PageHead title={`${t("alerts.runbook")}: ${name}`} about={t("alerts.runbook_about")} />
      {blocks.length === 0 ? (
        <Empty>{t("nav.unknown")}</Empty>
      ) : (
        <article class="runbook" lang="en">
          {blocks.map((block, index) => (
            <BlockShown block={block} key={index} />
          ))}
        </article>
      )}
    </>
  );
}

function BlockShown({ block }: { block: Block }) {
  switch (block.kind) {
    case "heading":
      return (
        <h2>
          <Line parts={block.parts} />
        </h2>
      );
    case "paragraph":
      return (
        <p>
          <Line parts={block.parts} />
        </p>
      );
    case "steps":
      return (
        <ol>
          {block.items.map((parts, index) => (
            <li key={index}>
              <Line parts={parts} />
            </li>
          ))}
        </ol>
      );
    case "table":
      return <Table head={block.head} rows={block.rows} />;
  }
}

function Table({ head, rows }: Pick<Block & { kind: "table" }, "head" | "rows">) {
  return (
    <table class="plain-table">
      <thead>
        <tr>
          {head.map((parts, index) => (
            <th scope="col" key={index}>
              <Line parts={parts} />
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((cells, row) => (
          <tr key={row}>
            {cells.map((parts, index) => (
              <td key={index}>
                <Line parts={parts} />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Line({ parts }: { parts: readonly Inline[] }) {
  return (
    <>
      {parts.map((part, index) => (
        <Piece part={part} key={index} />
      ))}
    </>
  );
}

/** A link leads to another runbook; guides are not part of the console, so their names are only text. */
function Piece({ part }: { part: Inline }) {
  if (part.kind === "code") return <code>{part.text}</code>;
  if (part.kind === "strong") return <strong>{part.text}</strong>;
  const name = part.kind === "link" ? part.to.replace(/\.md$/, "") : "";
  return hasRunbook(name) ? <a href={placeLink(["alerts", name])}>{part.text}</a> : <span>{part.text}</span>;
}
