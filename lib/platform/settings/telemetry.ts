/**
 * What OpenTelemetry's own variables say of exporting traces, read as the specification asks:
 * https://opentelemetry.io/docs/specs/otel/protocol/exporter/ and
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export interface Telemetry {
  /** URL that traces are posted to; undefined: none are exported. */
  traces_url: string | undefined;
  headers: Record<string, string>;
  timeout_ms: number;
  gzip: boolean;
  /** OTEL_SERVICE_NAME, for all functions; undefined: each has its own name. */
  service_name: string | undefined;
  resource_attributes: Record<string, string>;
  /** Set by Lambda. */
  region: string | undefined;
  /** Settings that are not supported; to be logged once. */
  remarks: string[];
}

const TIMEOUT_MS = 10_000;

/** Reads the variables. Never throws: wrong telemetry settings must not stop work. */
export function telemetry(environment: Record<string, string | undefined> = process.env): Telemetry {
  const value = (name: string) => environment[name]?.trim() || undefined;
  const forTraces = (name: string) =>
    value(`OTEL_EXPORTER_OTLP_TRACES_${name}`) ?? value(`OTEL_EXPORTER_OTLP_${name}`);
  const remarks: string[] = [];
  const pairs = (name: string) => parsePairs(name, value(name), remarks);

  const exporters = value("OTEL_TRACES_EXPORTER") ?? "otlp";
  const disabled = value("OTEL_SDK_DISABLED")?.toLowerCase() === "true" || exporters === "none";
  const { "service.name": named, ...resource_attributes } = pairs("OTEL_RESOURCE_ATTRIBUTES");
  const protocol = forTraces("PROTOCOL");
  if (protocol && protocol !== "http/json")
    remarks.push(`protocol ${protocol} is not supported; http/json is`);
  const timeout = Number(forTraces("TIMEOUT") ?? TIMEOUT_MS);
  const { remark, url } = tracesUrl(value);
  if (remark) remarks.push(remark);
  return {
    traces_url: disabled ? undefined : url,
    headers: {
      ...pairs("OTEL_EXPORTER_OTLP_HEADERS"),
      ...pairs("OTEL_EXPORTER_OTLP_TRACES_HEADERS"),
    },
    timeout_ms: Number.isFinite(timeout) && timeout > 0 ? timeout : TIMEOUT_MS,
    gzip: forTraces("COMPRESSION") === "gzip",
    service_name: value("OTEL_SERVICE_NAME") ?? named,
    resource_attributes,
    region: value("AWS_REGION"),
    remarks,
  };
}

/** The traces endpoint is used as it stands; the general one is a base for `v1/traces`. */
function tracesUrl(value: (name: string) => string | undefined): {
  url: string | undefined;
  remark?: string;
} {
  const own = value("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
  const base = value("OTEL_EXPORTER_OTLP_ENDPOINT");
  const text = own ?? (base && `${base.replace(/\/+$/, "")}/v1/traces`);
  if (text === undefined) return { url: undefined };
  if (/^https?:$/.test(URL.parse(text)?.protocol ?? "")) return { url: text };
  return { url: undefined, remark: `${own ?? base} is not an http(s) URL; no traces are exported` };
}

/** `key=value,key2=value2`, values percent-encoded (W3C Baggage); a broken pair is left out. */
function parsePairs(name: string, text: string | undefined, remarks: string[]): Record<string, string> {
  const entries: [string, string][] = [];
  for (const pair of text?.split(",") ?? []) {
    const at = pair.indexOf("=");
    const key = pair.slice(0, at).trim();
    if (pair.trim() === "") continue;
    try {
      if (at < 1 || key === "") throw new TypeError("no key");
      entries.push([key, decodeURIComponent(pair.slice(at + 1).trim())]);
    } catch {
      remarks.push(`an entry of ${name} is not key=value and was left out`);
    }
  }
  return Object.fromEntries(entries);
}
