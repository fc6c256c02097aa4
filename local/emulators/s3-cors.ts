import type { App } from "./sqs-gaps.ts";

/** As CorsConfiguration of the bucket in serverless.yml has it; test/template holds the two together. */
export const CORS_RULE = {
  AllowedMethods: ["PUT"],
  AllowedOrigins: ["*"],
  AllowedHeaders: ["content-type", "x-amz-checksum-sha256", "x-amz-tagging"],
  MaxAge: 3600,
};

/**
 * Lets a page of another origin upload, as the bucket's rule does: answers the browser's preflight, and marks the answers.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html
 */
export function answerCorsOfS3(app: App): void {
  app.addHook("onRequest", (request, reply, done) => {
    const { origin, "access-control-request-method": method } = request.headers;
    const wanted = request.method === "OPTIONS" ? String(method ?? "") : request.method;
    if (origin === undefined || !CORS_RULE.AllowedMethods.includes(wanted)) return done();
    reply.header("access-control-allow-origin", "*");
    if (request.method !== "OPTIONS") return done();
    const asked = String(request.headers["access-control-request-headers"] ?? "").toLowerCase();
    const names = asked.split(",").flatMap((name) => (name.trim() === "" ? [] : [name.trim()]));
    const is_allowed = names.every((name) => CORS_RULE.AllowedHeaders.includes(name));
    reply
      .status(is_allowed ? 200 : 403)
      .headers({
        "access-control-allow-methods": CORS_RULE.AllowedMethods.join(", "),
        "access-control-allow-headers": names.join(", "),
        "access-control-max-age": String(CORS_RULE.MaxAge),
      })
      .send();
  });
}
