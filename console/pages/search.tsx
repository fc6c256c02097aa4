import { useEffect, useState } from "preact/hooks";
import type { QueryAnswer } from "#schemas/http/query-answer.ts";
import { ask } from "../app/api.ts";
import { t } from "../app/language.ts";
import { useLoaded } from "../app/load.ts";
import { goTo, type Place, placeLink } from "../app/place.ts";
import { Field, PageHead } from "../parts/bits.tsx";
import { Lines } from "../parts/lines.tsx";
import { Empty, Shown } from "../parts/notices.tsx";
import { readable } from "../parts/readable.ts";

const RESULTS_MAX = 20;

/** Asks the code index. Question and repository are in the address. */
export function Search({ place: { query } }: { place: Place }) {
  const { q = "", repository = "" } = query;
  const [form, setForm] = useState({ q, repository });
  useEffect(() => setForm({ q, repository }), [q, repository]);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    goTo(placeLink(["search"], form));
  };
  return (
    <>
      <PageHead title={t("nav.search")} about={t("search.about")} />
      <form class="filters" role="search" onSubmit={submit}>
        <div class="grow">
          <Field id="q" label={t("search.question")}>
            <input
              id="q"
              type="search"
              required
              maxLength={2000}
              value={form.q}
              onInput={(event) => setForm({ ...form, q: event.currentTarget.value })}
            />
          </Field>
        </div>
        <Field id="repository" label={t("submit.repository")}>
          <input
            id="repository"
            placeholder="default"
            spellcheck={false}
            value={form.repository}
            onInput={(event) => setForm({ ...form, repository: event.currentTarget.value })}
          />
        </Field>
        <button type="submit" class="primary">
          {t("search.ask")}
        </button>
      </form>
      {q && <Results q={q} repository={repository} key={`${q}|${repository}`} />}
    </>
  );
}

function Results({ q, repository }: { q: string; repository: string }) {
  const body = { query: q, limit: RESULTS_MAX, ...(repository && { repository }) };
  const loaded = useLoaded(JSON.stringify(body), (signal) =>
    ask<QueryAnswer>("/api/query", { method: "POST", body, signal }),
  );
  return (
    <Shown of={loaded}>
      {(answer) =>
        answer.revision === null ? (
          <Empty>{t("search.not_indexed", { repository: answer.repository })}</Empty>
        ) : answer.results.length === 0 ? (
          <Empty>{t("search.nothing")}</Empty>
        ) : (
          <ol class="results">
            {answer.results.map((result) => (
              <Result result={result} key={`${result.path}:${result.start_line}:${result.symbol}`} />
            ))}
          </ol>
        )
      }
    </Shown>
  );
}

function Result({ result }: { result: QueryAnswer["results"][number] }) {
  const { symbol, kind, path, start_line, end_line, excerpt, why } = result;
  const lines = excerpt
    .split("\n")
    .map((line, index) => ({ marks: [String(start_line + index)], text: readable(line) }));
  return (
    <li class="card">
      <h2>
        <span class="path">{readable(symbol)}</span> <span class="quiet">{kind}</span>
      </h2>
      <p class="quiet path">
        {readable(path)}:{start_line}–{end_line}
      </p>
      <Lines label={symbol} lines={lines} />
      <details>
        <summary>{t("search.why")}</summary>
        <ul>
          {why.map((each) => (
            <li key={each}>{each}</li>
          ))}
        </ul>
      </details>
    </li>
  );
}
