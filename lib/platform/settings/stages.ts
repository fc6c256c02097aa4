/** Stages whose HTTP API is serverless-offline: no gateway and no authorizer stands before the functions. */
const STAGES_WITHOUT_EDGE = ["local", "localstack"];

/** Whether API Gateway stands before the functions, so that what it says of a request can be believed. */
export function hasEdge(stage: string): boolean {
  return !STAGES_WITHOUT_EDGE.includes(stage);
}
