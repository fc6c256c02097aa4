import neo4j, { Neo4jError } from "neo4j-driver";

const USER = "neo4j";
/** A new server takes this one for nothing but setting another. */
const PASSWORD_AT_FIRST = "neo4j";
const UNAUTHORIZED = "Neo.ClientError.Security.Unauthorized";
const CONNECT_MS_MAX = 2_000;

/** Whether the server answers a query to this password, after setting it where the server is new. */
export async function answersAs(url: string, password: string): Promise<boolean> {
  try {
    await query(url, password, "RETURN 1", "neo4j");
  } catch (error) {
    if (!(error instanceof Neo4jError) || error.code !== UNAUTHORIZED) throw error;
    const change = "ALTER CURRENT USER SET PASSWORD FROM $old TO $new";
    await query(url, PASSWORD_AT_FIRST, change, "system", { old: PASSWORD_AT_FIRST, new: password });
    await query(url, password, "RETURN 1", "neo4j");
  }
  return true;
}

async function query(
  url: string,
  password: string,
  text: string,
  database: string,
  parameters: Record<string, string> = {},
): Promise<void> {
  const driver = neo4j.driver(url, neo4j.auth.basic(USER, password), {
    connectionTimeout: CONNECT_MS_MAX,
    connectionAcquisitionTimeout: 2 * CONNECT_MS_MAX,
    maxTransactionRetryTime: 0,
    telemetryDisabled: true,
  });
  try {
    await driver.executeQuery(text, parameters, { database });
  } finally {
    await driver.close();
  }
}
