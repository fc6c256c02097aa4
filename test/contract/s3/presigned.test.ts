import { createHash, randomBytes } from "node:crypto";
import { request } from "node:http";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { describe } from "vitest";
import { uploadKey } from "#lib/platform/blobs/object-keys.ts";
import { systemRuntime } from "#lib/platform/runtime/runtime.ts";
import { linkToArtifact } from "../../../functions/gateway/artifact-links.ts";
import { createUpload } from "../../../functions/gateway/create-upload.ts";
import type { GatewayPorts } from "../../../functions/gateway/ports.ts";

import { contract } from "../contract.ts";
import type { BucketWorld } from "../targets/worlds.ts";
import { put, text } from "./bucket-steps.ts";
import { s3_differences } from "./differences.ts";

const semantic = contract("s3");

const portsOf = ({ s3, bucket }: BucketWorld) =>
  ({
    s3,
    settings: { artifact_bucket: bucket },
    runtime: systemRuntime,
    sandboxLimits: () => ({ source_bytes_max: 1_000_000 }),
  }) as unknown as GatewayPorts;

async function grant(world: BucketWorld) {
  if (!(await world.s3.config?.endpoint?.())) throw new TypeError("the simulation has no URLs");
  const body = randomBytes(32).toString("hex");
  const sha256 = createHash("sha256").update(body).digest("hex");
  const upload = await createUpload({ sha256, bytes: body.length }, "acme", portsOf(world));
  return { body, ...upload, key: uploadKey("acme", sha256) };
}

/** The status of a PUT, with no header but those given: fetch would correct the length. */
function send(url: string, headers: Record<string, string>, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: "PUT", headers, timeout: 10_000 }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 0));
    });
    sent.on("timeout", () => sent.destroy(new Error("no answer within 10 s")));
    sent.on("error", reject);
    sent.end(body);
  });
}

describe("a presigned upload", () => {
  semantic("takes the granted bytes, once and again", {
    relied_on_by: ["functions/gateway/create-upload.ts", "cli/upload-archive.ts"],
    async observe(world) {
      const { url, headers, body, key } = await grant(world);
      const statuses = [await send(url, headers, body), await send(url, headers, body)];
      return { statuses, kept: (await text(world, key)) === body };
    },
    aws: { statuses: [200, 200], kept: true },
    differs: [s3_differences.presigned_urls],
  });

  semantic("refuses other bytes of the same length", {
    relied_on_by: ["functions/gateway/create-upload.ts"],
    async observe(world) {
      const { url, headers, body } = await grant(world);
      return send(url, headers, body.replaceAll(/./g, "x"));
    },
    aws: 400,
    differs: [s3_differences.presigned_urls],
  });

  semantic("refuses another length, type, checksum or tag than was granted", {
    relied_on_by: ["functions/gateway/create-upload.ts"],
    async observe(world) {
      const { url, headers, body } = await grant(world);
      const longer = `${body}x`;
      const other = createHash("sha256").update(longer).digest("base64");
      return {
        length: await send(url, { ...headers, "content-length": `${longer.length}` }, longer),
        type: await send(url, { ...headers, "content-type": "text/html" }, body),
        checksum: await send(url, { ...headers, "x-amz-checksum-sha256": other }, body),
        tag: await send(url, { ...headers, "x-amz-tagging": "retention=graph" }, body),
      };
    },
    aws: { length: 403, type: 403, checksum: 403, tag: 403 },
    differs: [s3_differences.presigned_urls],
  });

  semantic("refuses a request that lacks a signed header", {
    relied_on_by: ["functions/gateway/create-upload.ts"],
    async observe(world) {
      const { url, headers, body } = await grant(world);
      const { "x-amz-tagging": _, ...untagged } = headers;
      return send(url, untagged, body);
    },
    aws: 403,
    differs: [s3_differences.presigned_urls],
  });

  semantic("refuses another key than was granted, and a signature that is none", {
    relied_on_by: ["functions/gateway/create-upload.ts"],
    async observe(world) {
      const { url, headers, body, key } = await grant(world);
      return {
        key: await send(url.replace(key, uploadKey("other", "a".repeat(64))), headers, body),
        signature: await send(url.replace(/(X-Amz-Signature=)[0-9a-f]{8}/, "$100000000"), headers, body),
      };
    },
    aws: { key: 403, signature: 403 },
    differs: [s3_differences.presigned_urls],
  });

  semantic("refuses what comes after its time", {
    relied_on_by: ["functions/gateway/create-upload.ts"],
    async observe(world) {
      await grant(world);
      const command = new PutObjectCommand({ Bucket: world.bucket, Key: "late" });
      const signingDate = new Date(Date.now() - 3_600_000);
      const url = await getSignedUrl(world.s3, command, { expiresIn: 900, signingDate });
      return send(url, { "content-length": "1" }, "x");
    },
    aws: 403,
    differs: [s3_differences.presigned_urls],
  });
});

describe("a presigned link", () => {
  semantic("gives the bytes under the type and name it was made for", {
    relied_on_by: ["functions/gateway/artifact-links.ts"],
    async observe(world) {
      const { key, body } = await grant(world);
      await put(world, key, body, { ContentType: "application/octet-stream" });
      const sha256 = createHash("sha256").update(body).digest("hex");
      const entry = { path: "a.txt", blob: { key, sha256, bytes: body.length }, content_type: "text/plain" };
      const headers = {
        "content-type": "text/plain; charset=utf-8",
        "content-disposition": 'attachment; filename="a.txt"',
      };
      const answer = await fetch(await linkToArtifact(entry, headers, portsOf(world)));
      return {
        status: answer.status,
        type: answer.headers.get("content-type"),
        disposition: answer.headers.get("content-disposition"),
        whole: (await answer.text()) === body,
      };
    },
    aws: {
      status: 200,
      type: "text/plain; charset=utf-8",
      disposition: 'attachment; filename="a.txt"',
      whole: true,
    },
    differs: [s3_differences.presigned_urls],
  });
});
