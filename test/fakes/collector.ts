import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { z } from "zod";
import { describeIssues } from "#schemas/issue-sentence.ts";

const Value = z.union([
  z.strictObject({ stringValue: z.string() }),
  z.strictObject({ boolValue: z.boolean() }),
  z.strictObject({ intValue: z.string().regex(/^-?\d+$/) }),
  z.strictObject({ doubleValue: z.number() }),
]);
const Attributes = z.array(z.strictObject({ key: z.string().min(1), value: Value }));
const Nanoseconds = z.string().regex(/^\d{19}$/);
const TraceIdHex = z.string().regex(/^[0-9a-f]{32}$/);
const SpanIdHex = z.string().regex(/^[0-9a-f]{16}$/);

/** opentelemetry/proto/trace/v1/trace.proto in its JSON mapping, and nothing beside it. */
const OtlpSpan = z.strictObject({
  traceId: TraceIdHex,
  spanId: SpanIdHex,
  parentSpanId: SpanIdHex.optional(),
  traceState: z.string().optional(),
  flags: z.int().min(0),
  name: z.string().min(1),
  kind: z.int().min(1).max(5),
  startTimeUnixNano: Nanoseconds,
  endTimeUnixNano: Nanoseconds,
  attributes: Attributes,
  links: z.array(z.strictObject({ traceId: TraceIdHex, spanId: SpanIdHex })),
  status: z.strictObject({ code: z.int().min(0).max(2), message: z.string().optional() }),
});
type OtlpSpan = z.infer<typeof OtlpSpan>;

const ExportTraceServiceRequest = z.strictObject({
  resourceSpans: z.array(
    z.strictObject({
      resource: z.strictObject({ attributes: Attributes }),
      scopeSpans: z.array(
        z.strictObject({
          scope: z.strictObject({ name: z.string(), version: z.string() }),
          spans: z.array(OtlpSpan),
        }),
      ),
    }),
  ),
});
type ExportTraceServiceRequest = z.infer<typeof ExportTraceServiceRequest>;

/** What a fake collector does with a request. */
type Temper = "takes" | "refuses" | "hangs";

/** An OTLP/HTTP collector on loopback that checks what it gets. */
export interface Collector {
  url: string;
  temper: Temper;
  requests: { path: string; headers: IncomingHttpHeaders; body: ExportTraceServiceRequest }[];
  spans(): OtlpSpan[];
  /** Attributes of each resource that sent something. */
  resources(): Record<string, unknown>[];
  stop(): Promise<void>;
}

export async function startCollector(): Promise<Collector> {
  const requests: Collector["requests"] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (collector.temper === "hangs") return;
      if (collector.temper === "refuses") return void response.writeHead(503).end();
      const bytes = Buffer.concat(chunks);
      const text = request.headers["content-encoding"] === "gzip" ? gunzipSync(bytes) : bytes;
      const parsed = ExportTraceServiceRequest.safeParse(JSON.parse(text.toString("utf8")));
      if (!parsed.success) return void response.writeHead(400).end(describeIssues(parsed.error));
      requests.push({ path: request.url ?? "", headers: request.headers, body: parsed.data });
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const resourceSpans = () => requests.flatMap(({ body }) => body.resourceSpans);
  const collector: Collector = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    temper: "takes",
    requests,
    spans: () => resourceSpans().flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
    resources: () =>
      resourceSpans().map(({ resource }) =>
        Object.fromEntries(resource.attributes.map(({ key, value }) => [key, Object.values(value)[0]])),
      ),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return collector;
}
