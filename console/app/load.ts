import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { ApiProblem } from "./api.ts";

export interface Loaded<Data> {
  data: Data | undefined;
  /** Why the last load failed; `data` is then that of an earlier one. */
  problem: ApiProblem | undefined;
  /** Unix time in ms of the answer shown. */
  loaded_at: number | undefined;
  is_loading: boolean;
  reload(): void;
  /** Shows what another request answered. */
  show(data: Data): void;
}

interface LoadOptions {
  /** Loads again this often, while the page is looked at; what takes long, less often. */
  every_ms?: number;
  /** False while something else is to be loaded first. */
  is_wanted?: boolean;
}

/** What is loaded by itself is loading for at most this share of the time, so that slow answers do not pile up. */
const LOADING_SHARE_MAX = 0.1;

/**
 * Loads data when the component appears, when `key` changes, and, with `every_ms`, again and again. What was loaded
 * stays while the next load runs or fails.
 */
export function useLoaded<Data>(
  key: string,
  load: (signal: AbortSignal) => Promise<Data>,
  { every_ms, is_wanted = true }: LoadOptions = {},
): Loaded<Data> {
  const [state, setState] = useState<{
    key: string;
    data?: Data;
    problem?: ApiProblem | undefined;
    loaded_at?: number;
  }>({ key });
  const [is_loading, setLoading] = useState(true);
  const [turn, setTurn] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  const due_at = useRef(0);
  // A new turn loads the same key again
  useEffect(() => {
    if (!is_wanted) return;
    const stop = new AbortController();
    const began_at = Date.now();
    due_at.current = Number.POSITIVE_INFINITY;
    setLoading(true);
    latest
      .current(stop.signal)
      .then((data) => !stop.signal.aborted && setState({ key, data, loaded_at: Date.now() }))
      .catch((problem: ApiProblem) => {
        if (stop.signal.aborted) return;
        setState((last) => ({ ...(last.key === key ? last : { key }), problem }));
      })
      .finally(() => {
        if (stop.signal.aborted) return;
        const ended_at = Date.now();
        due_at.current = ended_at + (ended_at - began_at) * (1 / LOADING_SHARE_MAX - 1);
        setLoading(false);
      });
    return () => stop.abort();
  }, [key, turn, is_wanted]);
  const reload = useCallback(() => setTurn((last) => last + 1), []);
  const reloadWhenDue = useCallback(() => {
    if (Date.now() >= due_at.current) reload();
  }, [reload]);
  useEvery(every_ms, reloadWhenDue);
  const show = useCallback((data: Data) => setState({ key, data, loaded_at: Date.now() }), [key]);
  const shown = state.key === key ? state : undefined;
  return {
    data: shown?.data,
    problem: shown?.problem,
    loaded_at: shown?.loaded_at,
    is_loading,
    reload,
    show,
  };
}

/** Calls back this often while the page is looked at, and at once when it is looked at again. */
export function useEvery(every_ms: number | undefined, callback: () => void): void {
  useEffect(() => {
    if (every_ms === undefined) return;
    const due = () => document.visibilityState === "visible" && callback();
    const timer = setInterval(due, every_ms);
    document.addEventListener("visibilitychange", due);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", due);
    };
  }, [every_ms, callback]);
}

export interface Page<Row> {
  rows: Row[];
  next_cursor: string | null;
}

export interface Paged<Row> extends Omit<Loaded<Row[]>, "data" | "show"> {
  rows: Row[];
  has_more: boolean;
  loadMore(): void;
  /** Puts rows in the place of those with the same id, and new ones first. */
  merge(fresh: readonly Row[]): void;
}

/** A list that is loaded page by page, newest first. */
export function usePaged<Row>(
  key: string,
  load: (cursor: string | undefined, signal: AbortSignal) => Promise<Page<Row>>,
  idOf: (row: Row) => string,
): Paged<Row> {
  const first = useLoaded(key, (signal) => load(undefined, signal));
  const [more, setMore] = useState<{ of: Page<Row> | undefined; rows: Row[]; cursor: string | null }>();
  const [is_loading_more, setLoadingMore] = useState(false);
  const [problem_more, setProblemMore] = useState<ApiProblem>();
  const own = more?.of === first.data ? more : undefined;
  const rows = own?.rows ?? first.data?.rows ?? [];
  const cursor = own ? own.cursor : (first.data?.next_cursor ?? null);
  const now = useRef({ rows, cursor, of: first.data });
  now.current = { rows, cursor, of: first.data };
  const loadMore = () => {
    if (is_loading_more || cursor === null) return;
    setLoadingMore(true);
    const { of } = now.current;
    load(cursor, new AbortController().signal)
      .then((page) => {
        if (now.current.of !== of) return;
        setProblemMore(undefined);
        setMore({ of, rows: [...now.current.rows, ...page.rows], cursor: page.next_cursor });
      })
      .catch(setProblemMore)
      .finally(() => setLoadingMore(false));
  };
  const merge = (fresh: readonly Row[]) => {
    const by_id = new Map(fresh.map((row) => [idOf(row), row]));
    const kept = now.current.rows.map((row) => {
      const replaced = by_id.get(idOf(row));
      by_id.delete(idOf(row));
      return replaced ?? row;
    });
    setMore({ of: now.current.of, rows: [...by_id.values(), ...kept], cursor: now.current.cursor });
  };
  return {
    rows,
    has_more: cursor !== null,
    problem: first.problem ?? problem_more,
    loaded_at: first.loaded_at,
    is_loading: first.is_loading || is_loading_more,
    reload: first.reload,
    loadMore,
    merge,
  };
}
