import { useEffect, useState } from "preact/hooks";

/** Where in the console one is: the path behind `#`, and what it filters by. */
export interface Place {
  /** Decoded parts, for example `["tasks", "task_…", "diff"]`. */
  path: readonly string[];
  query: Readonly<Record<string, string>>;
}

/** The place that a fragment such as `#/tasks?status=failed` names. */
export function parsePlace(fragment: string): Place {
  const [path = "", query = ""] = fragment.replace(/^#?\/?/, "").split("?", 2);
  const parts = path
    .split("/")
    .filter((part) => part !== "")
    .map(decoded);
  return { path: parts, query: Object.fromEntries(new URLSearchParams(query)) };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The fragment of a place. What it filters by and says nothing is left out. */
export function placeLink(
  path: readonly string[],
  query: Readonly<Record<string, string | undefined>> = {},
): string {
  const said = Object.entries(query).filter((each): each is [string, string] => Boolean(each[1]));
  const search = new URLSearchParams(said).toString();
  return `#/${path.map(encodeURIComponent).join("/")}${search === "" ? "" : `?${search}`}`;
}

/** Goes there; `replace` leaves no entry in the browser's history, as for each letter of a filter. */
export function goTo(link: string, { replace = false } = {}): void {
  if (!replace) {
    location.hash = link;
    return;
  }
  history.replaceState(null, "", link);
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}

/** The present place; the component is drawn again when it changes. */
export function usePlace(): Place {
  const [place, setPlace] = useState(() => parsePlace(location.hash));
  useEffect(() => {
    const changed = () => setPlace(parsePlace(location.hash));
    window.addEventListener("hashchange", changed);
    return () => window.removeEventListener("hashchange", changed);
  }, []);
  return place;
}
