import { references, resourcesOf, type Template } from "../../../scripts/package/template.ts";
import { idIn, properties, type TemplateRule } from "./rule.ts";

interface Statement {
  Effect: string;
  Action: string[];
  Resource: unknown;
  Condition?: Record<string, Record<string, unknown>>;
}

/** Actions that AWS lets nobody restrict to a resource. */
const WITHOUT_RESOURCE = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"];
const TABLE_ACTIONS = /^dynamodb:((Get|Put|Update|Delete)Item|Query)$/;
/** What its owner withdraws; all else expires. */
const DELETABLE = ["WEBHOOKS#*"];
/** Of all inline policies of a role: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const POLICY_CHARACTERS_MAX = 10_240;

export function statementsOf(template: Template, role: string): Statement[] {
  const { Policies } = properties(template, role) as {
    Policies: { PolicyDocument: { Statement: Statement[] } }[];
  };
  return Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
}

const rolesOf = (template: Template) => resourcesOf(template, "AWS::IAM::Role").map(([id]) => id);

const KEYS_OF_MODELS = /:secret:distributed-agents\/[a-z]+\/MODEL_API_KEY\*"\}$/;
const ASKS_A_MODEL = /^bedrock:InvokeModel(?:WithResponseStream)?$/;

export const roleRules: TemplateRule[] = [
  {
    says: "every function has a role of its own, which only Lambda may take",
    check: (template) => {
      const used = resourcesOf(template, "AWS::Lambda::Function").map(([, { Role }]) => idIn(Role));
      return [
        ...(new Set(used).size === used.length && !used.includes(undefined) ? [] : ["a role is shared"]),
        ...rolesOf(template).flatMap((id) => {
          const trust = JSON.stringify(properties(template, id).AssumeRolePolicyDocument);
          const principals = trust.match(/"Principal":\{"Service":\["lambda\.amazonaws\.com"\]\}/g) ?? [];
          const right = principals.length === 1 && trust.match(/"Effect"/g)?.length === 1;
          return right && used.includes(id) && !properties(template, id).ManagedPolicyArns ? [] : [id];
        }),
      ];
    },
    mutations: {
      "a shared role": (template) => {
        properties(template, "SandboxLambdaFunction").Role = { "Fn::GetAtt": ["GatewayRole", "Arn"] };
      },
      "a managed policy": (template) => {
        properties(template, "SandboxRole").ManagedPolicyArns = ["arn:aws:iam::aws:policy/ReadOnlyAccess"];
      },
    },
  },
  {
    says: "every role names its actions and its resources",
    check: (template) =>
      rolesOf(template).flatMap((id) =>
        statementsOf(template, id).flatMap(({ Action, Resource }) => {
          const free = Action.every((action) => WITHOUT_RESOURCE.includes(action));
          const named = [Resource].flat().every((one) => one !== "*" && references(one).size > 0);
          return (free || named) && !Action.some((action) => action.includes("*"))
            ? []
            : [`${id}: ${Action}`];
        }),
      ),
    mutations: {
      "any queue": (template) => {
        const statement = statementsOf(template, "SandboxRole").find(({ Action }) =>
          Action.includes("sqs:SendMessage"),
        );
        Object.assign(statement ?? {}, { Resource: "*" });
      },
      "any action": (template) => {
        statementsOf(template, "SandboxRole")[0]?.Action.push("s3:*");
      },
    },
  },
  {
    says: "whoever may reach the table may reach named partitions only, and nobody may scan, or delete but what its owner withdraws",
    check: (template) =>
      rolesOf(template).flatMap((id) =>
        statementsOf(template, id).flatMap(({ Action, Condition }) => {
          if (!Action.some((action) => action.startsWith("dynamodb:"))) return [];
          const deletes = Action.includes("dynamodb:DeleteItem");
          const allowed = Action.every((action) => TABLE_ACTIONS.test(action));
          const keys = Condition?.["ForAllValues:StringLike"]?.["dynamodb:LeadingKeys"] as
            | string[]
            | undefined;
          const named = keys?.every(
            (key) => /^[A-Z_]+(#\*)?$/.test(key) && (!deletes || DELETABLE.includes(key)),
          );
          const present = Condition?.Null?.["dynamodb:LeadingKeys"] === "false";
          return allowed && named && present ? [] : [`${id}: ${Action}`];
        }),
      ),
    mutations: {
      "the whole table": (template) => {
        const statement = statementsOf(template, "SandboxRole").find(({ Action }) =>
          Action[0]?.startsWith("dynamodb:"),
        );
        delete statement?.Condition;
      },
      "a deletion": (template) => {
        const statement = statementsOf(template, "SandboxRole").find(({ Action }) =>
          Action[0]?.startsWith("dynamodb:"),
        );
        statement?.Action.push("dynamodb:DeleteItem");
      },
      "a scan": (template) => {
        const statement = statementsOf(template, "SandboxRole").find(({ Action }) =>
          Action[0]?.startsWith("dynamodb:"),
        );
        statement?.Action.push("dynamodb:Scan");
      },
    },
  },
  {
    says: "functions that run what was submitted list no bucket and reach no keys, graphs, trail or circuits",
    check: (template) =>
      ["SandboxRole", "BuildtestRole", "CoderRole"].flatMap((id) => {
        const text = JSON.stringify(statementsOf(template, id));
        return ["s3:ListBucket", "KEY#", "GRAPH#", "AUDIT#", "CIRCUITS", "LIMIT#", "/graph/"]
          .filter((what) => text.includes(what))
          .map((what) => `${id}: ${what}`);
      }),
    mutations: {
      "it may list": (template) => {
        statementsOf(template, "SandboxRole")[0]?.Action.push("s3:ListBucket");
      },
    },
  },
  {
    says: "only codegen and coder read keys of models, and these only, and only codegen asks models of Bedrock",
    check: (template) =>
      rolesOf(template).flatMap((id) =>
        statementsOf(template, id).flatMap(({ Action, Resource }) => {
          const reads = Action.some((action) => action.startsWith("secretsmanager:"));
          const asks = Action.some((action) => action.startsWith("bedrock:"));
          const resource = JSON.stringify(Resource);
          const may_read = ["CodegenRole", "CoderRole"].includes(id) && KEYS_OF_MODELS.test(resource);
          const may_ask = id === "CodegenRole" && Action.every((action) => ASKS_A_MODEL.test(action));
          return (!reads || may_read) && (!asks || may_ask) ? [] : [`${id}: ${Action} ${resource}`];
        }),
      ),
    mutations: {
      "any secret": (template) => {
        const read = statementsOf(template, "CoderRole").find(({ Action }) =>
          Action.includes("secretsmanager:GetSecretValue"),
        );
        Object.assign(read ?? {}, { Resource: "*" });
      },
      "a function that runs what was submitted": (template) => {
        statementsOf(template, "SandboxRole")[0]?.Action.push("secretsmanager:GetSecretValue");
      },
      "a coder that asks models": (template) => {
        statementsOf(template, "CoderRole")[0]?.Action.push("bedrock:InvokeModel");
      },
    },
  },
  {
    says: "a role's policies fit into what IAM takes",
    check: (template) =>
      rolesOf(template).filter((id) => policyCharacters(template, id) > POLICY_CHARACTERS_MAX),
    mutations: {
      "too long": (template) => {
        const statements = statementsOf(template, "SandboxRole");
        statements[0]?.Action.push("s3:GetObject".padEnd(POLICY_CHARACTERS_MAX, "t"));
      },
    },
  },
];

/** As long as ARNs are when CloudFormation has put them in: an intrinsic counts 100 characters. */
function policyCharacters(template: Template, role: string): number {
  const resolved = JSON.stringify(statementsOf(template, role), (key, value) =>
    key.startsWith("Fn::") ? "x".repeat(100) : value,
  );
  return resolved.length;
}
