import type { ComponentType } from "preact";
import { Alerts } from "../pages/alerts.tsx";
import { Audit } from "../pages/audit.tsx";
import { Circuits } from "../pages/circuits.tsx";
import { Failure } from "../pages/failure.tsx";
import { Failures } from "../pages/failures.tsx";
import { Keys } from "../pages/keys.tsx";
import { Overview } from "../pages/overview.tsx";
import { Policies } from "../pages/policies.tsx";
import { Replay } from "../pages/replay.tsx";
import { Replays } from "../pages/replays.tsx";
import { Runbook } from "../pages/runbook.tsx";
import { Search } from "../pages/search.tsx";
import { Submit } from "../pages/submit.tsx";
import { Task } from "../pages/task.tsx";
import { Tasks } from "../pages/tasks.tsx";
import { Webhooks } from "../pages/webhooks.tsx";
import type { TextKey } from "../texts/catalogue.ts";
import type { Place } from "./place.ts";
import type { Scope } from "./session.ts";

interface PageDefinition {
  title: TextKey;
  scope: Scope;
  component: ComponentType<{ place: Place }>;
}

/** Every page by the first part of its path, in the order of the menu. */
export const PAGES: Readonly<Record<string, PageDefinition>> = {
  overview: { title: "nav.overview", scope: "read", component: Overview },
  tasks: { title: "nav.tasks", scope: "read", component: Tasks },
  submit: { title: "nav.submit", scope: "submit", component: Submit },
  search: { title: "nav.search", scope: "read", component: Search },
  failures: { title: "nav.failures", scope: "read", component: Failures },
  replays: { title: "nav.replays", scope: "read", component: Replays },
  alerts: { title: "nav.alerts", scope: "operate", component: Alerts },
  circuits: { title: "nav.circuits", scope: "read", component: Circuits },
  policies: { title: "nav.policies", scope: "operate", component: Policies },
  keys: { title: "nav.keys", scope: "admin", component: Keys },
  webhooks: { title: "nav.webhooks", scope: "read", component: Webhooks },
  audit: { title: "nav.audit", scope: "admin", component: Audit },
};

/** Pages of one entry of a list: `tasks/<id>`. */
const ENTRY_PAGES: Readonly<Record<string, PageDefinition["component"]>> = {
  tasks: Task,
  failures: Failure,
  replays: Replay,
  alerts: Runbook,
};

/** The page that a place shows. */
export function pageAt({ path }: Place): (PageDefinition & { name: string }) | undefined {
  const name = path[0] ?? "overview";
  const page = Object.hasOwn(PAGES, name) ? PAGES[name] : undefined;
  if (!page) return undefined;
  const component = (path[1] !== undefined ? ENTRY_PAGES[name] : undefined) ?? page.component;
  return { ...page, name, component };
}
