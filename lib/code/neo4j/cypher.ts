import neo4j, { type Driver, type ManagedTransaction, Neo4jError } from "neo4j-driver";
import { type Fault, RetryableFault, TerminalFault } from "#lib/platform/errors/fault.ts";
import type { Neo4jSettings } from "#lib/platform/settings/environment.ts";

export type Row = Record<string, unknown>;

/**
 * Runs Cypher on one database. Each statement is a transaction of its own, which the driver repeats for a few
 * seconds after a transient error (a deadlock, a new leader), so it must be safe to repeat. Pass integers as
 * `int()`, because the driver sends a JavaScript number as a float; integers come back as numbers.
 */
export interface Cypher {
  read(statement: string, parameters?: Row): Promise<Row[]>;
  write(statement: string, parameters?: Row): Promise<Row[]>;
}

const CONNECT_MS_MAX = 3_000;
/** Also limits a handshake that a starting server never answers. */
const ACQUIRE_MS_MAX = 6_000;
const REPEAT_MS_MAX = 5_000;
const STATEMENT_MS_MAX = 60_000;
const CONNECTIONS_MAX = 20;
/** A connection idle for longer is checked before use, because the Lambda environment may have been frozen. */
const IDLE_MS_MAX = 20_000;

export const int = neo4j.int;

const USABLE_URL = /^(bolt|neo4j)(\+s|\+ssc)?:\/\/[^/\s]+$/;

/**
 * A driver for these settings. It connects when it is first used.
 *
 * @throws TerminalFault `NEO4J_URL_UNUSABLE`
 */
export function neo4jDriver({ url, user, password }: Neo4jSettings): Driver {
  if (!USABLE_URL.test(url)) {
    throw new TerminalFault(
      "NEO4J_URL_UNUSABLE",
      `NEO4J_URL is ${url}: give bolt://<host>:<port> or neo4j://<host>:<port>, with +s for TLS, then replay what failed.`,
    );
  }
  return neo4j.driver(url, neo4j.auth.basic(user, password), {
    disableLosslessIntegers: true,
    connectionTimeout: CONNECT_MS_MAX,
    connectionAcquisitionTimeout: ACQUIRE_MS_MAX,
    connectionLivenessCheckTimeout: IDLE_MS_MAX,
    maxTransactionRetryTime: REPEAT_MS_MAX,
    maxConnectionPoolSize: CONNECTIONS_MAX,
    telemetryDisabled: true,
  });
}

/** @throws Fault `NEO4J_UNAVAILABLE`, `NEO4J_BUSY`, `NEO4J_CREDENTIALS_REFUSED`, `NEO4J_REFUSED` */
export function cypherOver(driver: Driver, { url, database }: Neo4jSettings): Cypher {
  const timeout = { timeout: STATEMENT_MS_MAX };
  const inSession = async <Result>(work: (session: ReturnType<Driver["session"]>) => Promise<Result>) => {
    const session = driver.session({ database });
    try {
      return await work(session);
    } catch (error) {
      throw neo4jFault(error, url);
    } finally {
      await session.close().catch(() => undefined); // the error of `work` matters more
    }
  };
  const statementOf = (statement: string, parameters: Row) => async (transaction: ManagedTransaction) =>
    (await transaction.run(statement, parameters)).records.map((record) => record.toObject());
  return {
    read: (statement, parameters = {}) =>
      inSession((session) => session.executeRead(statementOf(statement, parameters), timeout)),
    write: (statement, parameters = {}) =>
      inSession((session) => session.executeWrite(statementOf(statement, parameters), timeout)),
  };
}

/** Codes of a server that is down or starting: the driver's own and the database's. */
const UNAVAILABLE = new Set([
  "ServiceUnavailable",
  "SessionExpired",
  "Neo.TransientError.General.DatabaseUnavailable",
  "Neo.TransientError.Database.DatabaseUnavailable",
  "Neo.DatabaseError.Database.DatabaseNotAvailable",
]);

/** Transient errors with a client error code: another server leads now, or a timeout. */
const TRANSIENT = new Set([
  "Neo.ClientError.Cluster.NotALeader",
  "Neo.ClientError.General.ForbiddenOnReadOnlyDatabase",
  "Neo.ClientError.Transaction.TransactionTimedOut",
  "Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration",
]);

/**
 * Turns an error of the driver into a Fault: https://neo4j.com/docs/status-codes/current/errors/all-errors/
 * Other errors are returned unchanged.
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
  if (error.retryable || TRANSIENT.has(code) || code.startsWith("Neo.TransientError.")) {
    return new RetryableFault(
      "NEO4J_BUSY",
      `Neo4j aborted a transaction (${code}); it is tried again.`,
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
