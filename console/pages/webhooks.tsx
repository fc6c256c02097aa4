import { useState } from "preact/hooks";
import type {
  DeliveryList,
  DeliveryView,
  NewWebhook,
  WebhookList,
  WebhookView,
} from "#schemas/http/webhooks.ts";
import { type ApiProblem, ask } from "../app/api.ts";
import { named, t } from "../app/language.ts";
import { useEvery, useLoaded, usePaged } from "../app/load.ts";
import { goTo, type Place, placeLink } from "../app/place.ts";
import { may } from "../app/session.ts";
import { Age, Field, PageHead, State } from "../parts/bits.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Empty, Loading, ProblemNotice, Shown } from "../parts/notices.tsx";
import { Secret } from "./keys.tsx";

const STATES = ["queued", "running", "waiting", "parked", "delivered", "failed"] as const;
const REFRESH_MS = 10_000;

type Asked = { kind: "create" } | { kind: "rotate" | "enable" | "remove"; webhook: WebhookView };

/** Where a tenant's events are sent, and what became of each delivery. */
export function Webhooks({ place }: { place: Place }) {
  const [asked, setAsked] = useState<Asked>();
  const [made, setMade] = useState<NewWebhook>();
  const loaded = useLoaded("webhooks", (signal) => ask<WebhookList>("/api/webhooks", { signal }));
  return (
    <>
      <PageHead title={t("nav.webhooks")} about={t("webhooks.about")}>
        {may("admin") && (
          <button type="button" class="primary" onClick={() => setAsked({ kind: "create" })}>
            {t("webhooks.create")}
          </button>
        )}
      </PageHead>
      {made && (
        <Secret
          label={t("webhooks.new_secret", { name: made.name })}
          text={made.secret}
          onClose={() => setMade(undefined)}
        />
      )}
      <Shown of={loaded}>
        {({ webhooks }) =>
          webhooks.length === 0 ? (
            <Empty>{t("webhooks.none")}</Empty>
          ) : (
            <ul class="cards">
              {webhooks.map((webhook) => (
                <Webhook webhook={webhook} key={webhook.webhook_id} onAsk={setAsked} />
              ))}
            </ul>
          )
        }
      </Shown>
      <Deliveries place={place} />
      {asked && (
        <WebhookDialog
          asked={asked}
          onClose={() => setAsked(undefined)}
          onDone={(webhook) => {
            setMade(webhook);
            loaded.reload();
          }}
        />
      )}
    </>
  );
}

function Webhook({ webhook, onAsk }: { webhook: WebhookView; onAsk: (asked: Asked) => void }) {
  const { name, url, state, disabled_at, disabled_because, webhook_id } = webhook;
  return (
    <li class="card">
      <h2 class="path">{name}</h2>
      <p>
        <State state={state} />{" "}
        {disabled_at && (
          <span class="quiet">
            {disabled_because} <Age at={disabled_at} />
          </span>
        )}
      </p>
      <p class="path">
        <code>{url}</code>
      </p>
      <p>
        <a href={placeLink(["webhooks"], { webhook: webhook_id })}>{t("webhooks.its_deliveries")}</a>
      </p>
      {may("admin") && (
        <div class="buttons">
          {state === "disabled" && (
            <button type="button" class="small" onClick={() => onAsk({ kind: "enable", webhook })}>
              {t("webhooks.enable")}
            </button>
          )}
          <button type="button" class="small" onClick={() => onAsk({ kind: "rotate", webhook })}>
            {t("webhooks.rotate")}
          </button>
          <button type="button" class="small danger" onClick={() => onAsk({ kind: "remove", webhook })}>
            {t("webhooks.remove")}
          </button>
        </div>
      )}
    </li>
  );
}

interface WebhookDialogProps {
  asked: Asked;
  onClose(): void;
  onDone(made: NewWebhook | undefined): void;
}

function WebhookDialog({ asked, onClose, onDone }: WebhookDialogProps) {
  if (asked.kind === "create") {
    const create = async (form: FormData) => {
      const body = { name: String(form.get("name")), url: String(form.get("url")).trim() };
      onDone(await ask<NewWebhook>("/api/webhooks", { method: "POST", body }));
    };
    return (
      <Dialog title={t("webhooks.create")} action={t("webhooks.create")} onConfirm={create} onClose={onClose}>
        <Field id="name" label={t("keys.name")}>
          <input id="name" name="name" required maxLength={100} />
        </Field>
        <Field id="url" label={t("webhooks.url")} hint={t("webhooks.url_hint")}>
          <input id="url" name="url" type="url" required maxLength={2048} aria-describedby="url-hint" />
        </Field>
      </Dialog>
    );
  }
  const { kind, webhook } = asked;
  const act = async () => {
    const path = `/api/webhooks/${webhook.webhook_id}`;
    const answer =
      kind === "remove"
        ? await ask<NewWebhook>(path, { method: "DELETE" })
        : await ask<NewWebhook>(`${path}/${kind}`, { method: "POST" });
    onDone(kind === "rotate" ? answer : undefined);
  };
  return (
    <Dialog
      title={t(`webhooks.${kind}_title`, { name: webhook.name })}
      action={t(`webhooks.${kind}`)}
      is_dangerous={kind === "remove"}
      onConfirm={act}
      onClose={onClose}
    >
      <p>{t(`webhooks.${kind}_about`)}</p>
    </Dialog>
  );
}

function Deliveries({ place: { query } }: { place: Place }) {
  const { state = "", webhook = "", task = "" } = query;
  const filter = (changed: Record<string, string>) =>
    goTo(placeLink(["webhooks"], { state, webhook, task, ...changed }));
  const list = usePaged<DeliveryView>(
    `${state}|${webhook}|${task}`,
    async (cursor, signal) => {
      const asked = { state, webhook, task, cursor, limit: 50 };
      const page = await ask<DeliveryList>("/api/deliveries", { query: asked, signal });
      return { rows: page.deliveries, next_cursor: page.next_cursor };
    },
    ({ delivery_id }) => delivery_id,
  );
  useEvery(REFRESH_MS, list.reload);
  return (
    <section>
      <h2>{t("webhooks.deliveries")}</h2>
      <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <Field id="state" label={t("keys.state")}>
          <select id="state" value={state} onChange={(event) => filter({ state: event.currentTarget.value })}>
            <option value="">{t("common.all")}</option>
            {STATES.map((each) => (
              <option value={each} key={each}>
                {named("state", each)}
              </option>
            ))}
          </select>
        </Field>
        {webhook && (
          <button type="button" onClick={() => filter({ webhook: "" })}>
            {t("webhooks.all_webhooks")}
          </button>
        )}
      </form>
      {list.problem && <ProblemNotice problem={list.problem} onRetry={list.reload} />}
      {list.rows.length > 0 && <DeliveryTable deliveries={list.rows} onChange={list.reload} />}
      {list.is_loading && list.rows.length === 0 && <Loading />}
      {!list.is_loading && !list.problem && list.rows.length === 0 && (
        <Empty>{t("webhooks.no_deliveries")}</Empty>
      )}
      {list.has_more && (
        <button type="button" onClick={list.loadMore} disabled={list.is_loading}>
          {t("common.load_more")}
        </button>
      )}
    </section>
  );
}

function DeliveryTable({
  deliveries,
  onChange,
}: {
  deliveries: readonly DeliveryView[];
  onChange: () => void;
}) {
  const [problem, setProblem] = useState<ApiProblem>();
  const redeliver = (delivery_id: string) => {
    ask(`/api/deliveries/${delivery_id}/redeliver`, { method: "POST" }).then(onChange).catch(setProblem);
  };
  return (
    <>
      {problem && <ProblemNotice problem={problem} />}
      <div class="scroll-x">
        <table class="plain-table stacked">
          <thead>
            <tr>
              {(["state", "task", "tries", "answer", "made", "actions"] as const).map((name) => (
                <th scope="col" key={name}>
                  {t(`webhooks.delivery_${name}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {deliveries.map((each) => (
              <tr key={each.delivery_id}>
                <td>
                  <State state={each.state} />
                </td>
                <td>
                  <a class="path" href={placeLink(["tasks", each.task_id])}>
                    <code>{each.task_id}</code>
                  </a>
                </td>
                <td class="number">{each.attempts}</td>
                <td class="path">
                  {each.status_code ?? ""} {each.code && <code>{each.code}</code>}{" "}
                  <span class="quiet">{each.message}</span>
                </td>
                <td>
                  <Age at={each.created_at} />
                </td>
                <td>
                  {may("submit") && each.ended_at && (
                    <button type="button" class="small" onClick={() => redeliver(each.delivery_id)}>
                      {t("webhooks.redeliver")}
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
