import type { ReplayList, ReplayView } from "#schemas/http/replays.ts";
import { ask } from "../app/api.ts";
import { formatCount } from "../app/format.ts";
import { t } from "../app/language.ts";
import { useEvery, usePaged } from "../app/load.ts";
import { type Place, placeLink } from "../app/place.ts";
import { Age, PageHead, State } from "../parts/bits.tsx";
import { Empty, Loading, ProblemNotice } from "../parts/notices.tsx";
import { Progress } from "./replays/progress.tsx";

const PAGE_ROWS = 50;
const REFRESH_MS = 5000;

/** Jobs that replay or discard what failed, newest first. */
export function Replays(_: { place: Place }) {
  const list = usePaged<ReplayView>(
    "replays",
    async (cursor, signal) => {
      const page = await ask<ReplayList>("/api/dlq/replays", { query: { cursor, limit: PAGE_ROWS }, signal });
      return { rows: page.replays, next_cursor: page.next_cursor };
    },
    ({ replay_id }) => replay_id,
  );
  useEvery(REFRESH_MS, list.reload);
  return (
    <>
      <PageHead title={t("nav.replays")} about={t("replays.about")} />
      {list.problem && <ProblemNotice problem={list.problem} onRetry={list.reload} />}
      {list.is_loading && list.rows.length === 0 && <Loading />}
      {!list.is_loading && !list.problem && list.rows.length === 0 && <Empty>{t("replays.none")}</Empty>}
      <ul class="cards">
        {list.rows.map((replay) => (
          <li class="card" key={replay.replay_id}>
            <h2>
              <a href={placeLink(["replays", replay.replay_id])}>
                {t(`replay.${replay.action}_name`, { count: formatCount(replay.counts.total) })}
              </a>
            </h2>
            <p>
              <State state={replay.state} /> <Age at={replay.created_at} />
            </p>
            <Progress counts={replay.counts} />
            {replay.why && <p class="path">{replay.why}</p>}
            <p class="quiet path">{replay.created_by}</p>
          </li>
        ))}
      </ul>
      {list.has_more && (
        <button type="button" onClick={list.loadMore} disabled={list.is_loading}>
          {t("common.load_more")}
        </button>
      )}
    </>
  );
}
