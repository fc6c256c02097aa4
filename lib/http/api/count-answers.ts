import type { ApiAnswer, ApiCall, ApiMiddleware } from "#lib/http/api/api-call.ts";
import { countedMetric } from "#lib/platform/metrics/catalogue.ts";
import { PLATFORM_TENANT } from "#lib/platform/metrics/counters.ts";

/** Counts the answer by the first digit of its status, a refused credential, and how long the answer took. */
export function countAnswers(): ApiMiddleware {
  const end = ({ event, response }: { event: ApiCall; response?: ApiAnswer | null | undefined }) => {
    const { counters, tenant, started_ms, platform } = event;
    const status = response?.statusCode ?? 500;
    if (status === 401) counters.count("authentication_failed", PLATFORM_TENANT);
    counters.count(countedMetric(`http_${Math.floor(status / 100)}xx`), tenant);
    counters.duration("http", tenant, platform.runtime.now() - started_ms);
  };
  return { after: end, onError: end };
}
