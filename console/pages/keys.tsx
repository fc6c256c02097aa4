import { useState } from "preact/hooks";
import type { KeyList, KeyView, NewKey } from "#schemas/http/keys.ts";
import { ask } from "../app/api.ts";
import { t } from "../app/language.ts";
import { usePaged } from "../app/load.ts";
import type { Place } from "../app/place.ts";
import { Age, Copied, Field, PageHead, State } from "../parts/bits.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Empty, Loading, ProblemNotice } from "../parts/notices.tsx";

const PAGE_ROWS = 100;
const SCOPES = ["read", "submit", "operate", "admin"] as const;

type Asked = { kind: "create" } | { kind: "rotate" | "revoke"; key: KeyView };

/** The tenant's API keys: made, replaced and ended here. A new one is shown once. */
export function Keys(_: { place: Place }) {
  const [asked, setAsked] = useState<Asked>();
  const [made, setMade] = useState<NewKey>();
  const list = usePaged<KeyView>(
    "keys",
    async (cursor, signal) => {
      const page = await ask<KeyList>("/api/keys", { query: { cursor, limit: PAGE_ROWS }, signal });
      return { rows: page.keys, next_cursor: page.next_cursor };
    },
    ({ key_id }) => key_id,
  );
  return (
    <>
      <PageHead title={t("nav.keys")} about={t("keys.about")}>
        <button type="button" class="primary" onClick={() => setAsked({ kind: "create" })}>
          {t("keys.create")}
        </button>
      </PageHead>
      {made && (
        <Secret
          label={t("keys.new_key", { name: made.name })}
          text={made.key}
          onClose={() => setMade(undefined)}
        />
      )}
      {list.problem && <ProblemNotice problem={list.problem} onRetry={list.reload} />}
      {list.rows.length > 0 && <Table keys={list.rows} onAsk={setAsked} />}
      {list.is_loading && list.rows.length === 0 && <Loading />}
      {!list.is_loading && !list.problem && list.rows.length === 0 && <Empty>{t("keys.none")}</Empty>}
      {list.has_more && (
        <button type="button" onClick={list.loadMore} disabled={list.is_loading}>
          {t("common.load_more")}
        </button>
      )}
      {asked && (
        <KeyDialog
          asked={asked}
          onClose={() => setAsked(undefined)}
          onDone={(key) => {
            setMade(key);
            list.reload();
          }}
        />
      )}
    </>
  );
}

/** A secret that is shown this once. */
export function Secret({ label, text, onClose }: { label: string; text: string; onClose: () => void }) {
  return (
    <section class="notice good secret" role="status" aria-label={label}>
      <p>
        <strong>{label}</strong> {t("common.shown_once")}
      </p>
      <Copied text={text} label={label} />
      <button type="button" class="small" onClick={onClose}>
        {t("common.have_it")}
      </button>
    </section>
  );
}

function Table({ keys, onAsk }: { keys: readonly KeyView[]; onAsk: (asked: Asked) => void }) {
  return (
    <div class="scroll-x">
      <table class="plain-table stacked">
        <thead>
          <tr>
            {(["name", "state", "scopes", "last_used", "valid_until", "actions"] as const).map((name) => (
              <th scope="col" key={name}>
                {t(`keys.${name}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <tr key={key.key_id}>
              <td>
                <strong class="path">{key.name}</strong>
                <div>
                  <code class="quiet">{key.key_id}</code>
                </div>
              </td>
              <td>
                <State state={key.state} />
              </td>
              <td>{key.scopes.join(", ")}</td>
              <td>{key.last_used_at ? <Age at={key.last_used_at} /> : t("keys.never")}</td>
              <td>{key.valid_until ? <Age at={key.valid_until} /> : t("keys.no_end")}</td>
              <td class="buttons">
                {key.state === "active" && (
                  <button type="button" class="small" onClick={() => onAsk({ kind: "rotate", key })}>
                    {t("keys.rotate")}
                  </button>
                )}
                {(key.state === "active" || key.state === "rotated") && (
                  <button type="button" class="small danger" onClick={() => onAsk({ kind: "revoke", key })}>
                    {t("keys.revoke")}
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface KeyDialogProps {
  asked: Asked;
  onClose(): void;
  /** With the new key, where there is one. */
  onDone(made: NewKey | undefined): void;
}

function KeyDialog({ asked, onClose, onDone }: KeyDialogProps) {
  if (asked.kind === "create") return <CreateDialog onClose={onClose} onDone={onDone} />;
  const { kind, key } = asked;
  const act = async () => {
    const answer = await ask<NewKey>(`/api/keys/${key.key_id}/${kind}`, { method: "POST" });
    onDone(kind === "rotate" ? answer : undefined);
  };
  return (
    <Dialog
      title={t(`keys.${kind}_title`, { name: key.name })}
      action={t(`keys.${kind}`)}
      is_dangerous={kind === "revoke"}
      onConfirm={act}
      onClose={onClose}
    >
      <p>{t(`keys.${kind}_about`)}</p>
    </Dialog>
  );
}

function CreateDialog({ onClose, onDone }: Omit<KeyDialogProps, "asked">) {
  const create = async (form: FormData) => {
    const days = Number(form.get("days") ?? 0);
    const body = {
      name: String(form.get("name")),
      scopes: SCOPES.filter((scope) => form.get(scope) !== null),
      ...(days > 0 && { expires_in_days: days }),
    };
    onDone(await ask<NewKey>("/api/keys", { method: "POST", body }));
  };
  return (
    <Dialog title={t("keys.create")} action={t("keys.create")} onConfirm={create} onClose={onClose}>
      <Field id="name" label={t("keys.name")} hint={t("keys.name_hint")}>
        <input id="name" name="name" required maxLength={100} aria-describedby="name-hint" />
      </Field>
      <fieldset>
        <legend>{t("keys.scopes")}</legend>
        {SCOPES.map((scope) => (
          <label class="choice" key={scope}>
            <input type="checkbox" name={scope} defaultChecked={scope === "read"} /> <strong>{scope}</strong>{" "}
            <span class="quiet">{t(`keys.scope_${scope}`)}</span>
          </label>
        ))}
      </fieldset>
      <Field id="days" label={t("keys.days")} hint={t("keys.days_hint")}>
        <input id="days" name="days" type="number" min={1} max={3650} aria-describedby="days-hint" />
      </Field>
    </Dialog>
  );
}
