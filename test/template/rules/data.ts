import { resourcesOf, type Template, type TemplateResource } from "../../../scripts/package/template.ts";
import { idIn, properties, type TemplateRule } from "./rule.ts";

interface Statement {
  Effect: string;
  Principal?: unknown;
  Condition?: Record<string, Record<string, unknown>>;
}

interface Rule {
  Status: string;
  TagFilters?: { Key: string; Value: string }[];
  ExpirationInDays?: number;
  AbortIncompleteMultipartUpload?: object;
}

/** They show nothing of any tenant: what the API is like, and that there is no such route. */
const OPEN_ROUTES = [
  "GET /",
  "GET /api/openapi.json",
  "GET /docs",
  "GET /console",
  "GET /console/app.js",
  "GET /console/app.css",
  "$default",
];
/** Objects of these tags end by themselves; `graph` ones when no pointer leads to them (artifacts:clean). */
const EXPIRING_TAGS = ["task", "blob", "upload"];

const policyStatements = (template: Template) =>
  ["AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"].flatMap((type) =>
    resourcesOf(template, type).flatMap(([id, { PolicyDocument }]) =>
      (PolicyDocument as { Statement: Statement[] }).Statement.map((statement) => ({ id, statement })),
    ),
  );

export const dataRules: TemplateRule[] = [
  {
    says: "nothing is public: no bucket, no policy, no function, and no route but those that show nothing of anybody",
    check: (template) => [
      ...resourcesOf(template, "AWS::S3::Bucket").flatMap(
        ([id, { PublicAccessBlockConfiguration: block }]) => {
          const closed = Object.values((block ?? {}) as Record<string, boolean>).filter(
            (value) => value === true,
          );
          return closed.length === 4 ? [] : [`${id} may be opened`];
        },
      ),
      ...policyStatements(template).flatMap(({ id, statement }) =>
        statement.Effect === "Allow" && JSON.stringify(statement.Principal).includes('"*"') ? [id] : [],
      ),
      ...resourcesOf(template, "AWS::Lambda::Url").map(([id]) => id),
      ...resourcesOf(template, "AWS::Lambda::Permission").flatMap(([id, { Principal, SourceArn }]) =>
        /^(apigateway|events)\.amazonaws\.com$/.test(String(Principal)) && SourceArn ? [] : [id],
      ),
      ...resourcesOf(template, "AWS::ApiGatewayV2::Route").flatMap(([id, { RouteKey, AuthorizerId }]) =>
        idIn(AuthorizerId) || OPEN_ROUTES.includes(String(RouteKey)) ? [] : [`${id} asks for no credential`],
      ),
    ],
    mutations: {
      "a bucket that may be opened": (template) =>
        delete properties(template, "ArtifactBucket").PublicAccessBlockConfiguration,
      "everybody may read": (template) => {
        const { Statement: statements } = properties(template, "ArtifactBucketPolicy").PolicyDocument as {
          Statement: Statement[];
        };
        statements.push({ Effect: "Allow", Principal: { AWS: "*" } });
      },
      "everybody may invoke": (template) => {
        properties(template, "SweeperLambdaPermissionEventsRuleSchedule1").Principal = "*";
      },
      "an open route": (template) => delete properties(template, "HttpApiRouteGetApiTasks").AuthorizerId,
      "a function's own address": (template) => {
        template.Resources.SandboxUrl = { Type: "AWS::Lambda::Url" };
      },
    },
  },
  {
    says: "the table is encrypted, restorable to any second, expires its items, and outlives the stack",
    check: (template) =>
      resourcesOf(template, "AWS::DynamoDB::Table").flatMap(([id, table]) => {
        const { DeletionPolicy, UpdateReplacePolicy } = template.Resources[id] as TemplateResource;
        const held: Record<string, unknown> = {
          encrypted: (table.SSESpecification as { SSEEnabled?: boolean })?.SSEEnabled,
          restorable: (table.PointInTimeRecoverySpecification as { PointInTimeRecoveryEnabled?: boolean })
            ?.PointInTimeRecoveryEnabled,
          expiring:
            (table.TimeToLiveSpecification as { AttributeName?: string })?.AttributeName === "expires_at",
          retained: DeletionPolicy === "Retain" && UpdateReplacePolicy === "Retain",
        };
        return Object.keys(held).flatMap((name) => (held[name] ? [] : [`${id} is not ${name}`]));
      }),
    mutations: {
      "no recovery": (template) => delete properties(template, "Table").PointInTimeRecoverySpecification,
      "no expiry": (template) => delete properties(template, "Table").TimeToLiveSpecification,
      "no encryption": (template) => delete properties(template, "Table").SSESpecification,
      "deleted with the stack": (template) => delete template.Resources.Table?.DeletionPolicy,
    },
  },
  {
    says: "the bucket is encrypted at rest and on the way, outlives the stack, and forgets what is past its time",
    check: (template) =>
      resourcesOf(template, "AWS::S3::Bucket").flatMap(([id, bucket]) => {
        const rules = ((bucket.LifecycleConfiguration ?? { Rules: [] }) as { Rules: Rule[] }).Rules.filter(
          ({ Status }) => Status === "Enabled",
        );
        const expiring = rules.flatMap(({ TagFilters = [], ExpirationInDays = 0 }) =>
          TagFilters.filter(() => ExpirationInDays > 0).map(({ Value }) => Value),
        );
        const encrypted_on_the_way = policyStatements(template).some(
          ({ statement: { Effect, Condition } }) =>
            Effect === "Deny" && Condition?.Bool?.["aws:SecureTransport"] === "false",
        );
        return [
          ...(bucket.BucketEncryption ? [] : [`${id} is not encrypted`]),
          ...(encrypted_on_the_way ? [] : [`${id} takes plain HTTP`]),
          ...(template.Resources[id]?.DeletionPolicy === "Retain" ? [] : [`${id} goes with the stack`]),
          ...EXPIRING_TAGS.filter((tag) => !expiring.includes(tag)).map(
            (tag) => `${id} keeps ${tag} for ever`,
          ),
          ...(rules.some((rule) => rule.AbortIncompleteMultipartUpload) ? [] : [`${id} keeps half uploads`]),
        ];
      }),
    mutations: {
      "no encryption": (template) => delete properties(template, "ArtifactBucket").BucketEncryption,
      "plain HTTP": (template) => delete template.Resources.ArtifactBucketPolicy,
      "a rule that is off": (template) => {
        const { Rules } = properties(template, "ArtifactBucket").LifecycleConfiguration as { Rules: Rule[] };
        for (const rule of Rules) rule.Status = "Disabled";
      },
    },
  },
  {
    says: "the API takes no more requests than its stage allows",
    check: (template) =>
      resourcesOf(template, "AWS::ApiGatewayV2::Stage").flatMap(([id, { DefaultRouteSettings }]) => {
        const { ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst } = (DefaultRouteSettings ?? {}) as {
          ThrottlingRateLimit?: number;
          ThrottlingBurstLimit?: number;
        };
        return rate && burst ? [] : [id];
      }),
    mutations: {
      unbounded: (template) => delete properties(template, "HttpApiStage").DefaultRouteSettings,
    },
  },
];
