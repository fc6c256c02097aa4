import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "#test/temporary.ts";
import { localstackEndpoints } from "./localstack-endpoints.ts";

/** A repository in which host mode runs, or does not. */
function repository(environment?: Record<string, string>): string {
  const directory = temporaryDirectory("repository");
  if (environment) {
    mkdirSync(join(directory, ".local/host"), { recursive: true });
    writeFileSync(join(directory, ".local/host/environment.json"), JSON.stringify(environment));
  }
  return directory;
}

const all = (url: string) => ({ aws: url, sqs: url, s3: url, dynamodb: url });
const HOST = {
  AWS_ENDPOINT_URL: "http://127.0.0.1:4600",
  AWS_ENDPOINT_URL_DYNAMODB: "http://127.0.0.1:4601",
};

describe("localstackEndpoints", () => {
  it("is LocalStack's own port unless something is said", () => {
    expect(localstackEndpoints({}, repository())).toEqual(all("http://127.0.0.1:4566"));
  });

  it("follows a host mode that runs in the repository", () => {
    const expected = { ...all(HOST.AWS_ENDPOINT_URL), dynamodb: HOST.AWS_ENDPOINT_URL_DYNAMODB };
    expect(localstackEndpoints({}, repository(HOST))).toEqual(expected);
  });

  it("follows the SDK's variables before it, and mixes the two never", () => {
    const given = { AWS_ENDPOINT_URL: "http://localhost:5000/" };
    expect(localstackEndpoints(given, repository(HOST))).toEqual(all("http://localhost:5000"));
    const one = { AWS_ENDPOINT_URL_S3: "http://localhost:5001" };
    const expected = { ...all("http://127.0.0.1:4566"), s3: "http://localhost:5001" };
    expect(localstackEndpoints(one, repository(HOST))).toEqual(expected);
  });

  it.each(["127.0.0.1:4566", "ftp://127.0.0.1", "nonsense"])("refuses %s, which is no address", (text) => {
    expect(() => localstackEndpoints({ AWS_ENDPOINT_URL_SQS: text }, repository())).toThrow(
      "AWS_ENDPOINT_URL_SQS must be an address such as",
    );
  });

  it.each([
    "https://sqs.us-east-1.amazonaws.com",
    "https://s3.cn-north-1.amazonaws.com.cn",
    "https://sqs.us-east-1.api.aws",
  ])("refuses %s, which is AWS itself", (url) => {
    expect(() => localstackEndpoints({ AWS_ENDPOINT_URL: url }, repository())).toThrow("never speaks to it");
  });
});
