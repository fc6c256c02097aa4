import { Neo4jError } from "neo4j-driver";
import { type Fault, RetryableFault, TerminalFault } from "#lib/platform/errors/fault.ts";

/** A server still starting, or gone: the driver's own codes and those of a database that is not up. */
const UNAVAILABLE = new Set([
  "ServiceUnavailable",
  "SessionExpired",
  "Neo.TransientError.General.DatabaseUnavailable",
  "Neo.TransientError.Database.DatabaseUnavailable",
  "Neo.DatabaseError.Database.DatabaseNotAvailable",
]);

/** What passes though its code calls it the client's fault: another server leads now, or it took too long. */
const PASSING = new Set([
  "Neo.ClientError.Cluster.NotALeader",
  "Neo.ClientError.General.ForbiddenOnReadOnlyDatabase",
  "Neo.ClientError.Transaction.TransactionTimedOut",
  "Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration",
]);

/**
 * An error of the driver as what it asks for: https://neo4j.com/docs/status-codes/current/errors/all-errors/
 * Errors that are not the driver's come back as they are.
 */
export function neo4jFault(error: unknown, url: string): unknown {
  if (!(error instanceof Neo4jError)) return error;
  const { code } = error;
  const options = { cause: error, dependency: "neo4j" };
  if (UNAVAILABLE.has(code) || !code.startsWith("Neo.")) {
    return new RetryableFault(
      "NEO4J_UNAVAILABLE",
      `Neo4j at ${url} does not answer (${firstLine(error)}): check NEO4J_URL and that the server is up.`,
      options,
    );
  }
  if (error.retryable || PASSING.has(code) || code.startsWith("Neo.TransientError.")) {
    return new RetryableFault(
      "NEO4J_BUSY",
      `Neo4j gave up a transaction (${code}); it is tried again.`,
      options,
    );
  }
  if (code.startsWith("Neo.ClientError.Security.")) return credentialsRefused(error, url);
  return new TerminalFault("NEO4J_REFUSED", `Neo4j refused a statement: ${code}: ${firstLine(error)}`, {
    cause: error,
  });
}

function credentialsRefused(error: Neo4jError, url: string): Fault {
  return new TerminalFault(
    "NEO4J_CREDENTIALS_REFUSED",
    `Neo4j at ${url} refuses NEO4J_USER with NEO4J_PASSWORD (${error.code}): set both as the server has them, then replay what failed.`,
    { cause: error },
  );
}

function firstLine(error: Error): string {
  return (error.message.split("\n")[0] ?? "").slice(0, 200);
}
