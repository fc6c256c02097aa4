import type { AuditEntry, AuditList } from "#schemas/http/audit-list.ts";
import { ask } from "../app/api.ts";
import { formatInstant } from "../app/format.ts";
import { named, t } from "../app/language.ts";
import { usePaged } from "../app/load.ts";
import { goTo, type Place, placeLink } from "../app/place.ts";
import { Field, PageHead } from "../parts/bits.tsx";
import { Empty, Loading, ProblemNotice, Stale } from "../parts/notices.tsx";

const PAGE_ROWS = 50;
const FILTERS = ["action", "subject", "target"] as const;

/** Who did what. The filters are in the address. */
export function Audit({ place: { query } }: { place: Place }) {
  const { trail = "tenant" } = query;
  const filters = Object.fromEntries(FILTERS.map((name) => [name, query[name] ?? ""]));
  const list = usePaged<AuditEntry>(
    JSON.stringify([trail, filters]),
    async (cursor, signal) => {
      const asked = { trail, ...filters, cursor, limit: PAGE_ROWS };
      const { entries, next_cursor } = await ask<AuditList>("/api/audit", { query: asked, signal });
      return { rows: entries, next_cursor };
    },
    ({ entry_id }) => entry_id,
  );
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    goTo(
      placeLink(
        ["audit"],
        Object.fromEntries([...form].map(([name, value]) => [name, String(value).trim()])),
      ),
    );
  };
  return (
    <>
      <PageHead title={t("nav.audit")} about={t("audit.about")} />
      <form class="filters" role="search" onSubmit={submit} key={JSON.stringify(query)}>
        <Field id="trail" label={t("audit.trail")}>
          <select id="trail" name="trail">
            <option value="tenant">{t("audit.trail_tenant")}</option>
            <option value="platform" selected={trail === "platform"}>
              {t("audit.trail_platform")}
            </option>
          </select>
        </Field>
        {FILTERS.map((name) => (
          <Field id={name} label={t(`audit.${name}`)} key={name}>
            <input id={name} name={name} type="search" spellcheck={false} defaultValue={filters[name]} />
          </Field>
        ))}
        <button type="submit" class="primary">
          {t("common.filter")}
        </button>
      </form>
      {list.rows.length > 0 && <AuditTable entries={list.rows} />}
      {list.problem && list.rows.length > 0 && (
        <Stale problem={list.problem} loaded_at={list.loaded_at} onRetry={list.loadMore} />
      )}
      {list.problem && list.rows.length === 0 && (
        <ProblemNotice problem={list.problem} onRetry={list.reload} />
      )}
      {list.is_loading && <Loading />}
      {!list.is_loading && !list.problem && list.rows.length === 0 && <Empty>{t("audit.none")}</Empty>}
      {list.has_more && !list.is_loading && (
        <button type="button" onClick={list.loadMore}>
          {t("common.load_more")}
        </button>
      )}
    </>
  );
}

export function AuditTable({ entries }: { entries: readonly AuditEntry[] }) {
  return (
    <div class="scroll-x">
      <table class="plain-table stacked">
        <thead>
          <tr>
            {(["at", "subject", "action", "target", "outcome", "detail"] as const).map((name) => (
              <th scope="col" key={name}>
                {t(`audit.${name}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <tr key={entry.entry_id}>
              <td class="number">{formatInstant(entry.at)}</td>
              <td>
                <code>{entry.subject}</code>
                {entry.source_ip && <div class="quiet">{entry.source_ip}</div>}
              </td>
              <td>{entry.action}</td>
              <td class="path">{entry.target}</td>
              <td>{named("outcome", entry.outcome)}</td>
              <td class="quiet path">{detailText(entry)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function detailText({ detail = {} }: AuditEntry): string {
  return Object.entries(detail)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}: ${value}`)
    .join(", ");
}
