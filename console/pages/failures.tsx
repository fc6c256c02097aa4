import { useState } from "preact/hooks";
import type {
  DeadLetterQueues,
  FailureGroups,
  FailureList,
  FailureView,
} from "#schemas/http/dead-letters.ts";
import { ask } from "../app/api.ts";
import { FILTER_FIELDS, filterOf, isEmpty } from "../app/failure-filter.ts";
import { formatCount, formatDuration } from "../app/format.ts";
import { named, t } from "../app/language.ts";
import { useLoaded, usePaged } from "../app/load.ts";
import { goTo, type Place, placeLink } from "../app/place.ts";
import { may } from "../app/session.ts";
import { Age, Field, PageHead, State } from "../parts/bits.tsx";
import { Empty, Loading, ProblemNotice, Shown } from "../parts/notices.tsx";
import { readable } from "../parts/readable.ts";
import { VirtualTable } from "../parts/virtual-list.tsx";
import { Trend } from "./failures/trend.tsx";
import { ReplayDialog, type Wanted } from "./replays/replay-dialog.tsx";

const PAGE_ROWS = 100;
const REFRESH_MS = 10_000;
const ROW_PX = 56;
const SELECTED_MAX = 500;
const STATES = ["open", "permanently_failed", "replayed", "resolved", "discarded"] as const;

/** What failed for good: queues, kinds of failures, and the failures themselves. The filter is in the address. */
export function Failures({ place: { query } }: { place: Place }) {
  const filter = filterOf(query);
  const { state = "" } = query;
  const key = JSON.stringify(filter);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [wanted, setWanted] = useState<Wanted>();
  const list = usePaged<FailureView>(
    `${key}${state}`,
    async (cursor, signal) => {
      const asked = { ...filter, state, cursor, limit: PAGE_ROWS };
      const page = await ask<FailureList>("/api/dlq/failures", { query: asked, signal });
      return { rows: page.failures, next_cursor: page.next_cursor };
    },
    ({ failure }) => failure,
  );
  // The first rows before the counts, which read every failure that is open
  const is_listed = !list.is_loading || list.rows.length > 0;
  const groups = useLoaded(
    `groups${key}`,
    (signal) => ask<FailureGroups>("/api/dlq/groups", { query: filter, signal }),
    { every_ms: REFRESH_MS, is_wanted: is_listed },
  );
  const changed = () => {
    setSelected(new Set());
    groups.reload();
    list.reload();
  };
  const selection =
    selected.size > 0 ? { failures: [...selected] } : isEmpty(filter) ? { all: true as const } : { filter };
  return (
    <>
      <PageHead title={t("nav.failures")} about={t("failures.about")}>
        <Act
          selected={selected.size}
          is_filtered={!isEmpty(filter)}
          onWant={(action) => setWanted({ action, selection })}
        />
      </PageHead>
      <Queues is_wanted={is_listed} />
      <Filters query={query} />
      <Shown of={groups}>{(shown) => <Groups answer={shown} query={query} onWant={setWanted} />}</Shown>
      <h2>{t("failures.each")}</h2>
      <p class="quiet count" role="status">
        {t(list.has_more ? "failures.count_more" : "failures.count", {
          count: formatCount(list.rows.length),
        })}
        {selected.size > 0 && ` · ${t("failures.selected", { count: formatCount(selected.size) })}`}
      </p>
      {list.problem && <ProblemNotice problem={list.problem} onRetry={list.reload} />}
      {list.rows.length > 0 && (
        <VirtualTable
          class="failures"
          label={t("failures.each")}
          columns={["", t("failures.state"), t("failures.what"), t("failures.queue"), t("failures.last")]}
          rows={list.rows}
          keyOf={({ failure }) => failure}
          linkOf={({ failure }) => placeLink(["failures", failure])}
          row_px={ROW_PX}
          has_more={list.has_more}
          onNearEnd={list.loadMore}
          cells={(row) => cells(row, selected, setSelected)}
        />
      )}
      {list.is_loading && list.rows.length === 0 && <Loading />}
      {!list.is_loading && !list.problem && list.rows.length === 0 && <Empty>{t("failures.none")}</Empty>}
      {wanted && <ReplayDialog wanted={wanted} onClose={() => setWanted(undefined)} onDone={changed} />}
    </>
  );
}

interface ActProps {
  selected: number;
  is_filtered: boolean;
  onWant(action: "replay" | "discard"): void;
}

function Act({ selected, is_filtered, onWant }: ActProps) {
  if (!may("operate")) return null;
  const what =
    selected > 0
      ? t("failures.the_selected", { count: formatCount(selected) })
      : t(is_filtered ? "failures.the_filtered" : "failures.the_whole");
  return (
    <>
      <button type="button" class="primary" onClick={() => onWant("replay")}>
        {t("failures.replay_these", { what })}
      </button>
      {may("admin") && (
        <button type="button" class="danger" onClick={() => onWant("discard")}>
          {t("failures.discard_these", { what })}
        </button>
      )}
    </>
  );
}

function Queues({ is_wanted }: { is_wanted: boolean }) {
  const loaded = useLoaded("dlq.queues", (signal) => ask<DeadLetterQueues>("/api/dlq/queues", { signal }), {
    every_ms: REFRESH_MS,
    is_wanted,
  });
  return (
    <Shown of={loaded}>
      {({ queues, freshness }) => (
        <>
          <ul class="cards queues">
            {queues
              .filter(({ depth, messages }) => depth > 0 || (messages ?? 0) > 0)
              .map(({ queue, depth, permanently_failed, oldest_age_seconds, trend, messages }) => (
                <li class="card" key={queue}>
                  <h2>
                    <a href={placeLink(["failures"], { queue })}>{queue}</a>
                  </h2>
                  <p>
                    <strong class="depth">{formatCount(depth)}</strong> {t("failures.open")}
                    {permanently_failed > 0 &&
                      `, ${t("failures.permanently", { count: formatCount(permanently_failed) })}`}
                  </p>
                  <Trend counts={trend} />
                  <p class="quiet">
                    {oldest_age_seconds !== null &&
                      t("failures.oldest", { age: formatDuration(oldest_age_seconds * 1000) })}
                    {messages !== null && ` · ${t("failures.messages", { count: formatCount(messages) })}`}
                  </p>
                </li>
              ))}
          </ul>
          <p class="quiet">
            {t("overview.as_of")} <Age at={freshness.as_of} />
            {freshness.swept_at && (
              <>
                {" · "}
                {t("failures.swept")} <Age at={freshness.swept_at} />
              </>
            )}
          </p>
        </>
      )}
    </Shown>
  );
}

const FORM_FIELDS = ["queue", "code", "fingerprint", "task", "trace", "text", "tenant"] as const;

function Filters({ query }: { query: Place["query"] }) {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const said = Object.fromEntries([...form].map(([name, value]) => [name, String(value).trim()]));
    goTo(placeLink(["failures"], { ...query, ...said }));
  };
  const is_filtered = FILTER_FIELDS.some((name) => query[name]);
  return (
    <form class="filters" role="search" onSubmit={submit} key={JSON.stringify(query)}>
      <Field id="state" label={t("failures.state")}>
        <select id="state" name="state">
          <option value="">{t("failures.waiting")}</option>
          {STATES.map((state) => (
            <option value={state} key={state} selected={query.state === state}>
              {named("state", state)}
            </option>
          ))}
        </select>
      </Field>
      {FORM_FIELDS.map((name) => (
        <Field id={name} label={t(`failures.${name}`)} key={name}>
          <input id={name} name={name} type="search" spellcheck={false} defaultValue={query[name] ?? ""} />
        </Field>
      ))}
      <button type="submit" class="primary">
        {t("common.filter")}
      </button>
      {is_filtered && (
        <a class="button" href={placeLink(["failures"])}>
          {t("failures.clear")}
        </a>
      )}
    </form>
  );
}

interface GroupsProps {
  answer: FailureGroups;
  query: Place["query"];
  onWant(wanted: Wanted): void;
}

function Groups({ answer: { groups, truncated }, query, onWant }: GroupsProps) {
  if (groups.length === 0) return null;
  return (
    <section>
      <h2>{t("failures.kinds")}</h2>
      {truncated && <p class="notice warn">{t("failures.truncated")}</p>}
      <div class="scroll-x">
        <table class="plain-table stacked groups">
          <thead>
            <tr>
              {(["kind_count", "code", "queue", "says", "first", "last", "act"] as const).map((name) => (
                <th scope="col" key={name}>
                  {t(`failures.${name}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {groups.map((group) => (
              <tr key={group.fingerprint}>
                <td class="number">
                  <strong>{formatCount(group.count)}</strong>
                </td>
                <td>
                  <a href={placeLink(["failures"], { ...query, fingerprint: group.fingerprint })}>
                    <code>{group.code}</code>
                  </a>
                  <div>
                    <code class="quiet">{group.fingerprint.slice(0, 12)}</code>
                  </div>
                </td>
                <td>{group.queue}</td>
                <td class="path">
                  <span class="clamp">{readable(group.message)}</span>
                </td>
                <td>
                  <Age at={group.first_at} />
                </td>
                <td>
                  <Age at={group.last_at} />
                </td>
                <td>
                  {may("operate") && (
                    <button
                      type="button"
                      class="small"
                      onClick={() =>
                        onWant({
                          action: "replay",
                          selection: { filter: { ...filterOf(query), fingerprint: group.fingerprint } },
                        })
                      }
                    >
                      {t("failures.replay")}
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function cells(row: FailureView, selected: ReadonlySet<string>, onSelect: (selected: Set<string>) => void) {
  const { failure, state, code, message, queue, tenant, last_at, native } = row;
  const toggle = (is_chosen: boolean) => {
    const next = new Set(selected);
    if (is_chosen && next.size < SELECTED_MAX) next.add(failure);
    else next.delete(failure);
    onSelect(next);
  };
  const is_waiting = state === "open" || state === "permanently_failed";
  return [
    may("operate") && is_waiting ? (
      <input
        key="choose"
        type="checkbox"
        tabIndex={-1}
        aria-label={t("failures.choose", { failure })}
        checked={selected.has(failure)}
        onChange={(event) => toggle(event.currentTarget.checked)}
      />
    ) : (
      ""
    ),
    <State key="state" state={state} tone={state === "open" ? "bad" : undefined} />,
    <span class="stack" key="what">
      <a href={placeLink(["failures", failure])} tabIndex={-1}>
        <code>{code}</code>
      </a>
      <span class="quiet">{native ? t("failures.native") : readable(message)}</span>
    </span>,
    <span class="stack" key="queue">
      <span>{queue}</span>
      <span class="quiet">{tenant}</span>
    </span>,
    <Age key="last" at={last_at} />,
  ];
}
