import { useEffect, useState } from "preact/hooks";
import type { IdentityView } from "#schemas/http/identity.ts";
import { SignIn } from "../pages/sign-in.tsx";
import { Empty, Loading, ScopeNeeded } from "../parts/notices.tsx";
import { ApiProblem, ask } from "./api.ts";
import { chooseLanguage, currentLanguage, type Language, t } from "./language.ts";
import { PAGES, pageAt } from "./pages.ts";
import { type Place, placeLink, usePlace } from "./place.ts";
import { currentSession, keptKey, may, onSession, signIn, signOut } from "./session.ts";

/** The whole console: the sign-in, or the menu and the page of the present place. */
export function Console() {
  const [, setTurn] = useState(0);
  const [is_restoring, setRestoring] = useState(keptKey() !== undefined);
  const [problem, setProblem] = useState<ApiProblem>();
  const place = usePlace();
  useEffect(() => onSession(() => setTurn((last) => last + 1)), []);
  useEffect(() => {
    const key = keptKey();
    if (key === undefined) return;
    ask<IdentityView>("/api/identity", { key })
      .then((identity) => signIn({ key, identity }))
      .catch((error) => {
        if (error instanceof ApiProblem) setProblem(error);
        if (error instanceof ApiProblem && error.status === 401) signOut();
      })
      .finally(() => setRestoring(false));
  }, []);
  const speak = (language: Language) => {
    chooseLanguage(language);
    setTurn((last) => last + 1);
  };
  const session = currentSession();
  if (is_restoring) return <Loading />;
  if (!session) return <SignIn problem={problem} languages={<Languages onChoose={speak} />} />;
  return (
    <div class="frame">
      <button type="button" class="skip" onClick={() => document.getElementById("main")?.focus()}>
        {t("nav.skip")}
      </button>
      <Menu place={place} onLanguage={speak} />
      <main id="main" tabIndex={-1} key={currentLanguage()}>
        <PageOf place={place} />
      </main>
    </div>
  );
}

function PageOf({ place }: { place: Place }) {
  const page = pageAt(place);
  const place_name = place.path.slice(0, 2).join("/");
  useEffect(() => {
    document.title = `${page ? t(page.title) : t("nav.unknown")} · Distributed Agents`;
  });
  // Whoever follows a link by keyboard or screen reader begins at the new page's heading.
  // Another place is another page
  useEffect(() => {
    if (document.activeElement?.closest("nav, main") || document.activeElement === document.body) {
      document.querySelector<HTMLElement>("main h1")?.focus({ preventScroll: true });
    }
    window.scrollTo(0, 0);
  }, [place_name]);
  if (!page) {
    return (
      <Empty>
        <h1>{t("nav.unknown")}</h1>
        <p>
          <a href={placeLink(["overview"])}>{t("nav.overview")}</a>
        </p>
      </Empty>
    );
  }
  if (!may(page.scope)) {
    return (
      <>
        <h1>{t(page.title)}</h1>
        <ScopeNeeded scope={page.scope} />
      </>
    );
  }
  const { component: Component } = page;
  return <Component place={place} key={place_name} />;
}

function Menu({ place, onLanguage }: { place: Place; onLanguage: (language: Language) => void }) {
  const [is_open, setOpen] = useState(false);
  const here = pageAt(place)?.name;
  const { identity } = currentSession() ?? {};
  // The menu closes when one has gone somewhere
  useEffect(() => setOpen(false), [place]);
  return (
    <header class="menu">
      <div class="menu-head">
        <a class="brand" href={placeLink(["overview"])}>
          Distributed Agents
        </a>
        <button
          type="button"
          class="menu-button"
          aria-expanded={is_open}
          aria-controls="menu"
          onClick={() => setOpen(!is_open)}
        >
          {t("nav.menu")}
        </button>
      </div>
      <div id="menu" class={is_open ? "menu-body open" : "menu-body"}>
        <nav aria-label={t("nav.label")}>
          <ul>
            {Object.entries(PAGES)
              .filter(([, { scope }]) => may(scope))
              .map(([name, { title }]) => (
                <li key={name}>
                  <a href={placeLink([name])} aria-current={name === here ? "page" : undefined}>
                    {t(title)}
                  </a>
                </li>
              ))}
          </ul>
        </nav>
        <div class="menu-foot">
          {identity && (
            <p class="who">
              <span class="quiet">{t("session.tenant")}</span> <strong>{identity.tenant}</strong>
              <br />
              <span class="quiet">{identity.scopes.join(", ")}</span>
            </p>
          )}
          <Languages onChoose={onLanguage} />
          <button type="button" onClick={signOut}>
            {t("session.sign_out")}
          </button>
          <a class="quiet" href="/docs" target="_blank" rel="noreferrer">
            {t("nav.api")}
          </a>
        </div>
      </div>
    </header>
  );
}

const LANGUAGES: readonly [Language, string][] = [
  ["en", "English"],
  ["ko", "한국어"],
];

function Languages({ onChoose }: { onChoose: (language: Language) => void }) {
  return (
    <div class="languages">
      {LANGUAGES.map(([language, name]) => (
        <button
          type="button"
          class="plain small"
          key={language}
          lang={language}
          aria-pressed={language === currentLanguage()}
          onClick={() => onChoose(language)}
        >
          {name}
        </button>
      ))}
    </div>
  );
}
