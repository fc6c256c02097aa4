import { dynamodb } from "./dynamodb.ts";
import { localstack } from "./localstack.ts";
import { neo4jPart } from "./neo4j.ts";
import type { HostPart } from "./part.ts";

/** Everything that host mode can run. */
export const HOST_PARTS: readonly HostPart[] = [localstack, dynamodb, neo4jPart];
