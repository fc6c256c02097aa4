import { randomUUID } from "node:crypto";
import { DeleteObjectCommand, HeadObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { describe } from "vitest";
import { listTenants } from "../../../scripts/artifacts-clean/stored-objects.ts";
import { contract } from "../contract.ts";
import type { BucketWorld } from "../targets/worlds.ts";
import { put, text } from "./bucket-steps.ts";
import { s3_differences } from "./differences.ts";

const semantic = contract("s3");
/** In the order of their UTF-8 bytes. */
const KEYS = ["A", "a b+c", "a%2Fb", "a&b=c", "a/b", "ab", "b", "ü/é", "\uff5e", "\u{1f600}"];

const list = async ({ s3, bucket }: BucketWorld, input: object) => {
  const { Contents = [], ...page } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, ...input }));
  return { ...page, keys: Contents.map(({ Key = "" }) => Key) };
};

describe("a listing", () => {
  semantic("has the keys under a prefix, whatever is in them, in the order of their UTF-8 bytes", {
    relied_on_by: ["scripts/artifacts-clean/stored-objects.ts"],
    async observe(world) {
      const prefix = `${randomUUID()}/`;
      for (const key of KEYS.toReversed()) await put(world, `${prefix}${key}`, key);
      const { keys } = await list(world, { Prefix: prefix });
      const bodies: string[] = [];
      for (const key of keys) bodies.push(await text(world, key));
      return { keys: keys.map((key) => key.slice(prefix.length)), bodies };
    },
    aws: { keys: KEYS, bodies: KEYS },
    differs: [s3_differences.unknown_commands],
  });

  semantic("goes on by its token, though objects were deleted meanwhile, and starts after any key", {
    relied_on_by: ["scripts/artifacts-clean/stored-objects.ts", "scripts/artifacts-clean/clean.ts"],
    async observe(world) {
      const Prefix = `${randomUUID()}/`;
      for (const key of "abcdefg") await put(world, `${Prefix}${key}`, key);
      const pages: string[] = [];
      let ContinuationToken: string | undefined;
      do {
        const page = await list(world, { Prefix, MaxKeys: 3, ContinuationToken });
        pages.push(page.keys.map((key) => key.slice(Prefix.length)).join(""));
        const last = page.keys.at(-1);
        await world.s3.send(new DeleteObjectCommand({ Bucket: world.bucket, Key: last }));
        ContinuationToken = page.NextContinuationToken;
      } while (ContinuationToken);
      const after = await list(world, { Prefix, StartAfter: `${Prefix}c!`, MaxKeys: 1 });
      return { pages, after: after.keys.map((key) => key.slice(Prefix.length)) };
    },
    aws: { pages: ["abc", "def", "g"], after: ["d"] },
    differs: [s3_differences.unknown_commands],
  });

  semantic("leads from tenant to tenant by a key beyond all of one tenant's", {
    relied_on_by: ["scripts/artifacts-clean/stored-objects.ts"],
    async observe(world) {
      for (const tenant of ["acme", "acme-2", "acme.test", "beta"]) {
        for (const file of ["blobs/1", "uploads/2"]) await put(world, `tenants/${tenant}/${file}`, "x");
      }
      const tenants: string[] = [];
      for await (const tenant of listTenants(world)) tenants.push(tenant);
      return tenants;
    },
    aws: ["acme-2", "acme.test", "acme", "beta"],
    differs: [s3_differences.unknown_commands],
  });

  semantic("says a time that a head of the unchanged object does not go beyond", {
    relied_on_by: ["scripts/artifacts-clean/stored-objects.ts"],
    async observe({ s3, bucket: Bucket }) {
      const Key = randomUUID();
      await put({ s3, bucket: Bucket, close: async () => undefined }, Key, "first");
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: Key }));
      const { LastModified } = await s3.send(new HeadObjectCommand({ Bucket, Key }));
      const [listed, headed] = [Contents[0]?.LastModified?.getTime() ?? 0, LastModified?.getTime() ?? 0];
      return {
        not_beyond: headed <= listed,
        within_a_second: listed - headed < 1000,
        whole: listed % 1000 === 0,
      };
    },
    aws: { not_beyond: true, within_a_second: true, whole: true },
    differs: [s3_differences.unknown_commands, s3_differences.listed_times],
  });
});
