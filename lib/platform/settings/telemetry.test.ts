import { describe, expect, it } from "vitest";
import { telemetry } from "#lib/platform/settings/telemetry.ts";

describe("OpenTelemetry's variables", () => {
  it("export nothing unless they name an endpoint", () => {
    expect(telemetry({}).traces_url).toBeUndefined();
    expect(telemetry({ OTEL_EXPORTER_OTLP_ENDPOINT: " " }).traces_url).toBeUndefined();
    expect(telemetry({ OTEL_EXPORTER_OTLP_ENDPOINT: "localhost:4318" })).toMatchObject({
      traces_url: undefined,
      remarks: ["localhost:4318 is not an http(s) URL; no traces are exported"],
    });
  });

  it("take the general endpoint as a base and the traces endpoint as it stands", () => {
    const base = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318/otlp/" };
    expect(telemetry(base).traces_url).toBe("http://collector:4318/otlp/v1/traces");
    const own = { ...base, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://elsewhere/x" };
    expect(telemetry(own).traces_url).toBe("https://elsewhere/x");
  });

  it("can switch it off", () => {
    const base = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318" };
    expect(telemetry({ ...base, OTEL_SDK_DISABLED: "TRUE" }).traces_url).toBeUndefined();
    expect(telemetry({ ...base, OTEL_TRACES_EXPORTER: "none" }).traces_url).toBeUndefined();
    expect(telemetry({ ...base, OTEL_SDK_DISABLED: "no" }).traces_url).toBeDefined();
  });

  it("decode headers and attributes, the more special ones winning, and leave out broken ones", () => {
    const { headers, resource_attributes, service_name, remarks } = telemetry({
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20x=1, x-a=1 ,,=2,broken,y=%zz",
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: "x-a=2",
      OTEL_RESOURCE_ATTRIBUTES: "service.name=from-attributes,team=blue",
    });
    expect(headers).toEqual({ authorization: "Bearer x=1", "x-a": "2" });
    expect(remarks).toHaveLength(3);
    expect(resource_attributes).toEqual({ team: "blue" });
    expect(service_name).toBe("from-attributes");
    const named = { OTEL_RESOURCE_ATTRIBUTES: "service.name=a", OTEL_SERVICE_NAME: "b" };
    expect(telemetry(named).service_name).toBe("b");
  });

  it("set time limit and compression, and say so when another protocol is asked for", () => {
    expect(telemetry({})).toMatchObject({ timeout_ms: 10_000, gzip: false });
    const variables = {
      OTEL_EXPORTER_OTLP_TIMEOUT: "500",
      OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
      OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
    };
    expect(telemetry(variables)).toMatchObject({ timeout_ms: 500, gzip: true });
    expect(telemetry(variables).remarks).toEqual(["protocol grpc is not supported; http/json is"]);
    expect(telemetry({ OTEL_EXPORTER_OTLP_TIMEOUT: "soon" }).timeout_ms).toBe(10_000);
  });
});
