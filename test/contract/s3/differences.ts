import type { Difference } from "../difference.ts";

const GUIDE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide";
const REFERENCE = "https://docs.aws.amazon.com/AmazonS3/latest/API";

export const s3_differences = {
  credentials: {
    behaviour: "Credentials that nobody issued",
    aws: "are refused with 403; a missing object is a 404 only to those who may list the bucket",
    page: `${REFERENCE}/ErrorResponses.html`,
    targets: {
      embedded: { does: "open everything", observed: "done" },
      localstack: { does: "open everything", observed: "done" },
      simulation: { does: "not modelled: there are none", observed: { throws: "TypeError" } },
    },
    not_leaned_on:
      "Each function's role names what it may do; its template is tested, and it may list the bucket.",
    bridged_in: "serverless.yml",
  },
  tags: {
    behaviour: "Reading an object's tags",
    aws: "gives those it was written or copied with",
    page: `${REFERENCE}/API_GetObjectTagging.html`,
    targets: {
      embedded: {
        does: "is refused as `NotImplemented`: tags are taken and forgotten",
        observed: { throws: "NotImplemented" },
      },
      simulation: {
        does: "not modelled: the command is refused as a mistake in the test",
        observed: { throws: "TypeError" },
      },
    },
    not_leaned_on:
      "Only the bucket's lifecycle rules go by tags; everywhere else `artifacts:clean` goes by records and times.",
    bridged_in: "scripts/artifacts-clean/clean.ts",
  },
  listed_times: {
    behaviour: "`LastModified` in a listing",
    aws: "is in whole seconds, as in a header",
    page: `${REFERENCE}/API_Object.html`,
    targets: {
      embedded: {
        does: "has milliseconds",
        observed: { not_beyond: true, within_a_second: true, whole: false },
      },
    },
    not_leaned_on:
      "A header that is up to a second older counts as the same; only objects days old are deleted.",
    bridged_in: "scripts/artifacts-clean/stored-objects.ts",
  },
  wrong_checksum: {
    behaviour: "An object after an overwrite was refused by its checksum",
    aws: "is what it was",
    page: `${GUIDE}/checking-object-integrity.html`,
    targets: {
      localstack: {
        does: "is never answered again: its reads hang",
        observed: { refused: "BadDigest", left: "no answer" },
      },
      simulation: {
        does: "is overwritten: checksums are not modelled",
        observed: { refused: "done", left: "second" },
      },
    },
    not_leaned_on:
      "The code computes checksums from the bytes it sends, under keys made of them. A client's broken upload is refused by its own key.",
    bridged_in: "lib/platform/blobs/s3-blobs.ts",
  },
  kept_checksum: {
    behaviour: "The SHA-256 an object was written with",
    aws: "is in a head that asks for it",
    page: `${REFERENCE}/API_HeadObject.html`,
    targets: { simulation: { does: "is not kept", observed: { ContentLength: 5, checksum: false } } },
    not_leaned_on: "Where it is absent the length alone is compared; who reads the bytes hashes them.",
    bridged_in: "functions/gateway/artifact-links.ts",
  },
  headers: {
    behaviour: "An object's type and metadata",
    aws: "come with it",
    page: `${GUIDE}/UsingMetadata.html`,
    targets: {
      simulation: {
        does: "do not come with it",
        observed: { seen: ["first", "", "ü\u{1f600}"], ContentType: undefined, traceparent: undefined },
      },
    },
    not_leaned_on: "They tell a browser and a trace something; no step depends on them.",
  },
  copied_headers: {
    behaviour: "The type and metadata of a copy",
    aws: "are those the copy names",
    page: `${REFERENCE}/API_CopyObject.html`,
    targets: {
      simulation: {
        does: "do not come with it",
        observed: { body: "first", ContentType: undefined, traceparent: undefined, of_nothing: "NoSuchKey" },
      },
    },
    not_leaned_on: "They tell a browser and a trace something; no step depends on them.",
  },
  head_of_nothing: {
    behaviour: "The head of an object that is not there",
    aws: "is a 404 named `NotFound`, for it has no body to say more",
    page: `${REFERENCE}/API_HeadObject.html`,
    targets: {
      simulation: { does: "is a 404 named `NoSuchKey`", observed: ["NoSuchKey 404", "NoSuchKey 404"] },
    },
    not_leaned_on: "The code goes by the status.",
    bridged_in: "functions/gateway/store-submission.ts",
  },
  first_write: {
    behaviour: "Writes on `If-None-Match: *`",
    aws: "are taken once",
    page: `${GUIDE}/conditional-writes.html`,
    targets: { simulation: { does: "are taken like any other", observed: { won: 20, refused: 0 } } },
    not_leaned_on:
      "Only `config:push` writes so, which is no handler; handlers write under keys made of the content.",
    bridged_in: "lib/platform/blobs/object-keys.ts",
  },
  matching_write: {
    behaviour: "Writes on `If-Match`",
    aws: "are taken while the object is the one that was read",
    page: `${GUIDE}/conditional-writes.html`,
    targets: {
      simulation: { does: "are taken like any other", observed: ["done", "done", "third", "done"] },
    },
    not_leaned_on: "Only `config:push` writes so, which is no handler.",
  },
  unchanged_read: {
    behaviour: "A get on `If-None-Match`",
    aws: "is answered with 304 when nothing changed",
    page: `${GUIDE}/conditional-reads.html`,
    targets: {
      simulation: {
        does: "is answered with the object",
        observed: { unchanged: "the object", changed: false },
      },
    },
    not_leaned_on: "The simulation's configuration does not come from S3.",
  },
  unknown_commands: {
    behaviour: "Deleting objects, listing them, asking for the bucket",
    aws: "as its reference says",
    page: `${REFERENCE}/API_Operations_Amazon_Simple_Storage_Service.html`,
    targets: {
      simulation: {
        does: "not modelled: the command is refused as a mistake in the test",
        observed: { throws: "TypeError" },
      },
    },
    not_leaned_on: "No handler under simulation does any of it; the other targets are held to it.",
  },
  presigned_urls: {
    behaviour: "Presigned URLs",
    aws: "are served",
    page: `${GUIDE}/using-presigned-url.html`,
    targets: { simulation: { does: "not modelled: it has no URLs", observed: { throws: "TypeError" } } },
    not_leaned_on: "Uploads are put into the simulated bucket directly.",
  },
} satisfies Record<string, Difference>;
