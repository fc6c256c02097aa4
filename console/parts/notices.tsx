import type { ComponentChildren } from "preact";
import type { ApiProblem } from "../app/api.ts";
import { formatAge } from "../app/format.ts";
import { named, t } from "../app/language.ts";
import type { Loaded } from "../app/load.ts";

/** What went wrong, with the stable code to search for and the trace to quote. */
export function ProblemNotice({ problem, onRetry }: { problem: ApiProblem; onRetry?: () => void }) {
  const title = named("problem_title", problem.code);
  return (
    <div class="notice bad" role="alert">
      <p>
        {title !== problem.code && <strong>{title}</strong>} {problem.message}
      </p>
      {problem.errors.length > 0 && (
        <ul>
          {problem.errors.map(({ path, message }) => (
            <li key={path + message}>
              <code>{path}</code> {message}
            </li>
          ))}
        </ul>
      )}
      <p class="quiet">
        <code>{problem.code}</code>
        {problem.trace_id && (
          <>
            {" "}
            · {t("common.trace")} <code>{problem.trace_id}</code>
          </>
        )}
      </p>
      {onRetry && (
        <button type="button" onClick={onRetry}>
          {t("common.try_again")}
        </button>
      )}
    </div>
  );
}

/**
 * The data once it is there. Until then that it is being loaded; when loading failed why, and above data that could
 * not be loaded again how old it is.
 */
export function Shown<Data>({
  of,
  children,
}: {
  of: Pick<Loaded<Data>, "data" | "problem" | "loaded_at" | "reload">;
  children: (data: Data) => ComponentChildren;
}) {
  if (of.data === undefined) {
    return of.problem ? <ProblemNotice problem={of.problem} onRetry={of.reload} /> : <Loading />;
  }
  return (
    <>
      {of.problem && <Stale problem={of.problem} loaded_at={of.loaded_at} onRetry={of.reload} />}
      {children(of.data)}
    </>
  );
}

export function Stale({
  problem,
  loaded_at,
  onRetry,
}: {
  problem: ApiProblem;
  loaded_at: number | undefined;
  onRetry: () => void;
}) {
  return (
    <div class="notice warn" role="status">
      <p>
        {loaded_at !== undefined && <strong>{t("common.stale", { age: formatAge(loaded_at) })}</strong>}{" "}
        {problem.message} <code>{problem.code}</code>{" "}
        <button type="button" class="plain" onClick={onRetry}>
          {t("common.try_again")}
        </button>
      </p>
    </div>
  );
}

export function Loading() {
  return (
    <p class="loading" role="status">
      {t("common.loading")}
    </p>
  );
}

/** Says that there is nothing, and what to do about it. */
export function Empty({ children }: { children: ComponentChildren }) {
  return <div class="empty">{children}</div>;
}

/** In place of a page that the key may not see. */
export function ScopeNeeded({ scope }: { scope: string }) {
  return (
    <Empty>
      <p>
        <strong>{t("scope.needed", { scope })}</strong>
      </p>
      <p class="quiet">{t("scope.ask", { scope })}</p>
    </Empty>
  );
}
