/** One statement of an IAM policy; resources are CloudFormation intrinsics. */
export interface Statement {
  Effect: "Allow";
  Action: string[];
  Resource: unknown;
  Condition?: Record<string, Record<string, unknown>>;
}

export type ItemAction = "GetItem" | "PutItem" | "UpdateItem" | "DeleteItem" | "Query";
type ObjectAction = "GetObject" | "PutObject" | "PutObjectTagging";

/**
 * Actions on the table's items whose partition key matches one of `partitions`, and on no others:
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
 */
export function items(partitions: string[], actions: ItemAction[]): Statement {
  return table({ "Fn::GetAtt": ["Table", "Arn"] }, partitions, actions);
}

/** As `items`, and of these only the named attributes, in whatever part of the request. */
export function attributesOf(partitions: string[], actions: ItemAction[], names: string[]): Statement {
  const statement = items(partitions, actions);
  return {
    ...statement,
    Condition: {
      ...statement.Condition,
      "ForAllValues:StringEquals": { "dynamodb:Attributes": names },
      StringEqualsIfExists: { "dynamodb:ReturnValues": ["NONE", "UPDATED_NEW"] },
    },
  };
}

/** Queries of one index for the partitions that match. */
export function indexed(index: string, partitions: string[]): Statement {
  return table({ "Fn::Sub": `\${Table.Arn}/index/${index}` }, partitions, ["Query"]);
}

function table(Resource: unknown, partitions: string[], actions: ItemAction[]): Statement {
  return {
    Effect: "Allow",
    Action: actions.map((action) => `dynamodb:${action}`),
    Resource,
    Condition: {
      "ForAllValues:StringLike": { "dynamodb:LeadingKeys": partitions },
      Null: { "dynamodb:LeadingKeys": "false" }, // ForAllValues alone lets a request without keys through
    },
  };
}

/**
 * The same permissions in fewer statements, for a role's policies may have 10,240 characters in all: those that differ in their
 * partition keys only become one, with all of them.
 */
export function mergedByKeys(statements: readonly Statement[]): Statement[] {
  const merged = new Map<string, Statement>();
  for (const statement of statements) {
    const { "ForAllValues:StringLike": like, ...rest } = statement.Condition ?? {};
    const keys = (like?.["dynamodb:LeadingKeys"] ?? []) as string[];
    const same = JSON.stringify({ ...statement, Condition: rest });
    const before = merged.get(same)?.Condition?.["ForAllValues:StringLike"]?.["dynamodb:LeadingKeys"] ?? [];
    const all = [...new Set([...(before as string[]), ...keys])];
    const Condition = { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": all }, ...rest };
    merged.set(same, keys.length === 0 ? statement : { ...statement, Condition });
  }
  return [...merged.values()];
}

/** Statements for the same resources under the same conditions as one that allows the actions of all: the same, in less text. */
export function mergedByActions(statements: readonly Statement[]): Statement[] {
  const merged = new Map<string, Statement>();
  for (const statement of statements) {
    const { Action, ...rest } = statement;
    const same = JSON.stringify(rest);
    const before = merged.get(same)?.Action ?? [];
    merged.set(same, { ...statement, Action: [...new Set([...before, ...Action])] });
  }
  return [...merged.values()];
}

/** Actions on the objects of the artifact bucket below one prefix. */
export function objects(pattern: string, actions: ObjectAction[]): Statement {
  return {
    Effect: "Allow",
    Action: actions.map((action) => `s3:${action}`),
    Resource: { "Fn::Sub": `\${ArtifactBucket.Arn}/${pattern}` },
  };
}

/** Without it S3 answers 403 instead of 404 for an object that is not there. */
export function noticeMissingObjects(): Statement {
  return {
    Effect: "Allow",
    Action: ["s3:ListBucket"],
    Resource: { "Fn::GetAtt": ["ArtifactBucket", "Arn"] },
  };
}

/** Actions on queues, by logical id. */
export function queues(logical_ids: string[], actions: string[]): Statement {
  return {
    Effect: "Allow",
    Action: actions.map((action) => `sqs:${action}`),
    Resource: logical_ids.map((id) => ({ "Fn::GetAtt": [id, "Arn"] })),
  };
}

/** Reads the secrets whose name matches. A secret's ARN ends with six characters of AWS's own, which a final `*` covers. */
export function secrets(name_pattern: string): Statement {
  return {
    Effect: "Allow",
    Action: ["secretsmanager:GetSecretValue"],
    Resource: {
      "Fn::Sub": `arn:\${AWS::Partition}:secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:${name_pattern}`,
    },
  };
}

/**
 * Asks models of Bedrock, in any region that configs/codegen.json may name. A model belongs to no account, an inference
 * profile to this one: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html
 */
export function bedrockModels(): Statement {
  return {
    Effect: "Allow",
    Action: ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
    Resource: [
      { "Fn::Sub": `arn:\${AWS::Partition}:bedrock:*::foundation-model/*` },
      { "Fn::Sub": `arn:\${AWS::Partition}:bedrock:*:\${AWS::AccountId}:inference-profile/*` },
      { "Fn::Sub": `arn:\${AWS::Partition}:bedrock:*:\${AWS::AccountId}:application-inference-profile/*` },
    ],
  };
}
