import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { IdentityView } from "#schemas/http/identity.ts";
import { ApiProblem, ask } from "../app/api.ts";
import { t } from "../app/language.ts";
import { signIn } from "../app/session.ts";
import { Field } from "../parts/bits.tsx";
import { ProblemNotice } from "../parts/notices.tsx";

/** Asks for an API key. It goes to this API only, and stays in this tab. */
export function SignIn({
  problem,
  languages,
}: {
  problem: ApiProblem | undefined;
  languages: ComponentChildren;
}) {
  const [key, setKey] = useState("");
  const [refused, setRefused] = useState(problem);
  const [is_busy, setBusy] = useState(false);
  useEffect(() => {
    document.title = `${t("session.sign_in")} · Distributed Agents`;
  });
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setRefused(undefined);
    try {
      const wanted = key.trim();
      // A key is one line of visible ASCII: nothing else can stand in a header.
      if (!/^[\x21-\x7e]+$/.test(wanted)) {
        throw new ApiProblem(0, { code: "UNAUTHENTICATED", detail: t("session.not_a_key") });
      }
      const identity = await ask<IdentityView>("/api/identity", { key: wanted });
      signIn({ key: wanted, identity });
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      setRefused(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <main class="sign-in">
      <form class="card" onSubmit={(event) => void submit(event)}>
        <p class="brand">Distributed Agents</p>
        <h1>{t("session.sign_in")}</h1>
        <Field id="key" label={t("session.key")} hint={t("session.key_hint")}>
          <input
            id="key"
            type="password"
            autoComplete="off"
            spellcheck={false}
            required
            aria-describedby="key-hint"
            value={key}
            onInput={(event) => setKey(event.currentTarget.value)}
          />
        </Field>
        {refused && <ProblemNotice problem={refused} />}
        <button type="submit" class="primary" disabled={is_busy}>
          {is_busy ? t("common.working") : t("session.sign_in")}
        </button>
        <p class="quiet">{t("session.where_key")}</p>
        <p class="quiet">
          <a href="/docs">{t("nav.api")}</a>
        </p>
        {languages}
      </form>
    </main>
  );
}
