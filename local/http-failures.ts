/** The little of hapi, serverless-offline's HTTP server, that is used here. */
export interface HttpServer {
  ext(
    event: "onPreResponse",
    method: (
      request: { response: { source?: unknown } },
      toolkit: {
        continue: symbol;
        response(body: object): { code(status: number): unknown };
      },
    ) => unknown,
  ): void;
}

const FAILURE_KEYS = ["errorMessage", "errorType", "stackTrace"].join();

/**
 * A function that throws, or runs out of time, answers 500 or 503 without its stack, as an HTTP API on
 * AWS does; serverless-offline answers 200 with it. The stack is in the log.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html
 */
export function answerFailuresAsAws(server: HttpServer): void {
  server.ext("onPreResponse", ({ response }, toolkit) => {
    const error_type = thrownType(response.source);
    if (error_type === undefined) return toolkit.continue;
    return error_type === "LambdaTimeoutError"
      ? toolkit.response({ message: "Service Unavailable" }).code(503)
      : toolkit.response({ message: "Internal Server Error" }).code(500);
  });
}

function thrownType(body: unknown): string | undefined {
  if (typeof body !== "string" || !body.startsWith('{"errorMessage":')) return undefined;
  try {
    const failure = JSON.parse(body) as Record<string, string>;
    return Object.keys(failure).sort().join() === FAILURE_KEYS ? failure.errorType : undefined;
  } catch {
    return undefined;
  }
}
