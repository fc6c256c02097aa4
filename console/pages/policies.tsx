import type { AuditList } from "#schemas/http/audit-list.ts";
import type { Policies as PoliciesAnswer, PolicyView } from "#schemas/http/policies.ts";
import { ask } from "../app/api.ts";
import { formatInstant } from "../app/format.ts";
import { t } from "../app/language.ts";
import { useLoaded } from "../app/load.ts";
import type { Place } from "../app/place.ts";
import { may } from "../app/session.ts";
import { Age, Facts, PageHead, State } from "../parts/bits.tsx";
import { Empty, Shown } from "../parts/notices.tsx";
import { AuditTable } from "./audit.tsx";

const REFRESH_MS = 10_000;

/** Which configuration is in force, what was refused, and what changed. */
export function Policies(_: { place: Place }) {
  const loaded = useLoaded("policies", (signal) => ask<PoliciesAnswer>("/api/policies", { signal }), {
    every_ms: REFRESH_MS,
  });
  return (
    <>
      <PageHead title={t("nav.policies")} about={t("policies.about")} />
      <Shown of={loaded}>{(answer) => <Current answer={answer} />}</Shown>
      <h2>{t("policies.history")}</h2>
      {may("admin") ? <History /> : <Empty>{t("policies.history_scope")}</Empty>}
    </>
  );
}

const is_trouble = ({ state }: PolicyView) => state !== "in_force";

function Current({ answer }: { answer: PoliciesAnswer }) {
  const { policies, source, service, checked_at } = answer;
  const sorted = policies.toSorted((left, right) => Number(is_trouble(right)) - Number(is_trouble(left)));
  return (
    <>
      <Facts
        facts={[
          [t("policies.source"), <code key="source">{source}</code>],
          [t("policies.seen_by"), service],
          [t("policies.checked"), checked_at && <Age key="at" at={checked_at} />],
        ]}
      />
      <ul class="cards">
        {sorted.map((policy) => (
          <Policy policy={policy} key={policy.file} />
        ))}
      </ul>
    </>
  );
}

function Policy({ policy }: { policy: PolicyView }) {
  const { file, state, reason, hash, loaded_at, source, last_rejected } = policy;
  return (
    <li class="card">
      <h2 class="path">{file}</h2>
      <p>
        <State state={state} />
      </p>
      {is_trouble(policy) && reason && (
        <div class="notice bad">
          <p>
            <strong>{t("policies.old_stays")}</strong> {reason}
          </p>
        </div>
      )}
      <Facts
        facts={[
          [t("policies.loaded"), loaded_at && <Age key="at" at={loaded_at} />],
          [t("policies.hash"), hash && <code key="hash">{hash.slice(0, 12)}</code>],
          [t("policies.from"), source],
        ]}
      />
      {last_rejected && (
        <details open={is_trouble(policy)}>
          <summary>{t("policies.refused", { at: formatInstant(last_rejected.at) })}</summary>
          <p class="message">{last_rejected.reason}</p>
          {last_rejected.hash && <code>{last_rejected.hash.slice(0, 12)}</code>}
        </details>
      )}
    </li>
  );
}

function History() {
  const loaded = useLoaded("policies.history", (signal) =>
    ask<AuditList>("/api/audit", { query: { trail: "platform", action: "config", limit: 50 }, signal }),
  );
  return (
    <Shown of={loaded}>
      {({ entries }) =>
        entries.length > 0 ? <AuditTable entries={entries} /> : <Empty>{t("policies.no_history")}</Empty>
      }
    </Shown>
  );
}
